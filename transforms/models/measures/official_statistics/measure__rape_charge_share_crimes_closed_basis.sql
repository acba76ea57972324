-- Rapes charged or summonsed as a share of rapes whose investigation was closed in the quarter, in crimes.
-- Crimes without an outcome are not closed: their count on this basis is null.

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
        coalesce(sum(closed_basis_count) filter (where outcome_type = '1'), 0) as numerator,
        coalesce(sum(closed_basis_count), 0) as denominator,
    from rapes
    group by all

)

select * from final
