-- Rape-flagged cases first decided in the month, and how many had two or more action plans.

with

cases as (

    select * from {{ ref('int_cases__followed') }}

),

final as (

    select
        area_code,
        force_code,
        first_completion_date as measured_date,
        '' as breakdown,
        cast(plan_count >= 2 as integer) as numerator,
        1 as denominator,
    from cases
    where is_rape_flagged
        and first_completion_date is not null

)

select * from final
