-- The CPS file has a national row of its own: our sum of the county areas against it, month by month. The conviction
-- rate is held against the printed percentage, hence rounded to one decimal as it is printed.

with

measure_values as (

    select * from {{ ref('mart_measure_values') }}
    where area_level = 'national'
        and period_grain = 'month'
        and value_status in ('complete', 'partial')

),

national_rows as (

    select * from {{ ref('int_cps_principal_offence_outcomes__current') }}
    where is_national_row

),

published as (

    select
        'sexual_offence_convictions_defendants' as measure_id,
        period_start,
        cast(convictions_count as double) as other_value,
        0 as decimals,
    from national_rows
    union all
    select
        'sexual_offence_unsuccessful_outcomes_defendants' as measure_id,
        period_start,
        cast(unsuccessful_count as double) as other_value,
        0 as decimals,
    from national_rows
    union all
    select
        'sexual_offence_conviction_rate_defendants' as measure_id,
        period_start,
        published_conviction_pct as other_value,
        1 as decimals,
    from national_rows
    where published_conviction_pct is not null

),

final as (

    select
        'cps_national_row__' || published.measure_id || '__' || strftime(published.period_start, '%Y-%m')
            as reconciliation_id,
        published.measure_id,
        measure_values.period_grain,
        measure_values.period_start,
        measure_values.period_end,
        round(measure_values.value, published.decimals) as our_value,
        published.other_value,
        true as is_comparable,
        'Sum of the county areas in the CPS file' as our_source,
        'National row of the same CPS file' as other_source,
        case
            when measure_values.value_status = 'partial'
                then 'Not every county area was received; the national row counts them all.'
        end as explanation,
    from published
    inner join measure_values
        on published.measure_id = measure_values.measure_id
        and published.period_start = measure_values.period_start

)

select * from final
