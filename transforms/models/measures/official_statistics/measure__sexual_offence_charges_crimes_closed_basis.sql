-- Sexual offences, rape included, closed in the quarter with the outcome charged or summonsed, in crimes.
-- A crime is counted when its investigation ends, whenever it was recorded.

with

outcomes as (

    select * from {{ ref('int_home_office_outcomes__current') }}

),

charged as (

    select * from outcomes
    where outcome_type = '1'

),

final as (

    select
        area_code,
        force_code,
        period_start as measured_date,
        '' as breakdown,
        sum(closed_basis_count) as numerator,
        cast(null as bigint) as denominator,
    from charged
    group by all

)

select * from final
