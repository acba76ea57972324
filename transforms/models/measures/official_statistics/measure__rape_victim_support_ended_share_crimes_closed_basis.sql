-- Rapes closed because the victim did not support further action (outcomes 14 and 16) as a share of rapes
-- closed in the quarter, in crimes.

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
        coalesce(sum(closed_basis_count) filter (where is_victim_support_ended), 0) as numerator,
        coalesce(sum(closed_basis_count), 0) as denominator,
    from rapes
    group by all

)

select * from final
