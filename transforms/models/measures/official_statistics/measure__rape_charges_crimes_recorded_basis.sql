-- Rapes recorded in the quarter that have so far the outcome charged or summonsed, in crimes.
-- A cohort by the quarter of recording: the figure grows while investigations end.

with

outcomes as (

    select * from {{ ref('int_home_office_outcomes__current') }}

),

charged as (

    select * from outcomes
    where is_rape
        and outcome_type = '1'

),

final as (

    select
        area_code,
        force_code,
        period_start as measured_date,
        '' as breakdown,
        sum(recorded_basis_count) as numerator,
        cast(null as bigint) as denominator,
    from charged
    group by all

)

select * from final
