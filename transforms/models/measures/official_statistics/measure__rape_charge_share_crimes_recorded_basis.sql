-- Rapes recorded in the quarter and charged or summonsed so far, as a share of all rapes recorded in it, in crimes.
-- Every recorded crime has one outcome, if only "not yet assigned": all outcomes together are the crimes recorded.

with

outcomes as (

    select * from {{ ref('int_home_office_outcomes__current') }}

),

rapes as (

    select * from outcomes
    where is_rape

),

final as (

    select
        area_code,
        force_code,
        period_start as measured_date,
        '' as breakdown,
        coalesce(sum(recorded_basis_count) filter (where outcome_type = '1'), 0) as numerator,
        coalesce(sum(recorded_basis_count), 0) as denominator,
    from rapes
    group by all

)

select * from final
