-- Cases first decided in the month: how many action plans the CPS had sent in them.

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
        plan_count as numerator,
        1 as denominator,
    from cases
    where first_completion_date is not null

)

select * from final
