-- Our figures beside those of others, each comparison a row: both values, the difference and what is known about it.
-- A comparison that an extract is missing for has no row.

with

unioned as (

    select * from {{ ref('reconciliation__cps_national_row') }}
    union all
    select * from {{ ref('reconciliation__recorded_crimes_in_outcomes') }}
    union all
    select * from {{ ref('reconciliation__earlier_releases') }}
    union all
    select * from {{ ref('reconciliation__published_figures') }}

),

final as (

    select
        reconciliation_id,
        measure_id,
        'national' as area_level,
        'EW' as area_code,
        'England and Wales' as area_name,
        period_grain,
        period_start,
        period_end,
        our_value,
        other_value,
        round(our_value - other_value, 6) as difference,
        our_source,
        other_source,
        case
            when not is_comparable then 'not_comparable'
            when abs(our_value - other_value) < 0.000001 then 'agrees'
            when explanation is not null then 'differs_explained'
            else 'differs_unexplained'
        end as status,
        explanation,
    from unioned

)

select * from final
