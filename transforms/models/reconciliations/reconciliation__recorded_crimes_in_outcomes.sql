-- Rapes recorded, nationally and by quarter, in the recorded crime tables and in the outcomes tables: on the recorded
-- basis every recorded crime has one outcome, if only 'not yet assigned', so both count the same crimes.

with

measure_values as (

    select * from {{ ref('mart_measure_values') }}
    where measure_id = 'recorded_rape_crimes'
        and area_level = 'national'
        and period_grain = 'quarter'
        and value_status = 'complete'

),

outcomes as (

    select * from {{ ref('int_home_office_outcomes__current') }}
    where is_rape

),

supply as (

    select * from {{ ref('int_supply__by_area') }}
    where base_kind = 'home_office_outcomes'
        and kind = 'home_office_outcomes'
        and area_level = 'national'
        and period_grain = 'quarter'
        and received_count = due_count

),

recorded_in_outcomes as (

    select
        period_start,
        cast(sum(recorded_basis_count) as double) as other_value,
    from outcomes
    group by period_start

),

final as (

    select
        'recorded_crimes_in_outcomes__recorded_rape_crimes__' || strftime(measure_values.period_start, '%Y-%m')
            as reconciliation_id,
        measure_values.measure_id,
        measure_values.period_grain,
        measure_values.period_start,
        measure_values.period_end,
        measure_values.value as our_value,
        recorded_in_outcomes.other_value,
        true as is_comparable,
        'Home Office recorded crime tables' as our_source,
        'Crimes recorded in the quarter, all outcomes, Home Office outcomes tables' as other_source,
        case
            when {{ is_small_revision('measure_values.value', 'recorded_in_outcomes.other_value') }}
                then
                    'The two tables come from different releases; forces revise the crimes of past quarters between '
                    'releases.'
        end as explanation,
    from measure_values
    inner join recorded_in_outcomes on measure_values.period_start = recorded_in_outcomes.period_start
    inner join supply on measure_values.period_start = supply.period_start

)

select * from final
