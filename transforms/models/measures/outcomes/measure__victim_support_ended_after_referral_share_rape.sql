-- Rapes closed in the month after they had been submitted to the CPS, and how many of them with outcome 16.

with

crimes as (

    select * from {{ ref('int_crimes__followed') }}

),

final as (

    select
        area_code,
        force_code,
        outcome_date as measured_date,
        '' as breakdown,
        cast(outcome_type = '16' as integer) as numerator,
        1 as denominator,
    from crimes
    where is_rape
        and outcome_date is not null
        and first_submitted_date <= outcome_date

)

select * from final
