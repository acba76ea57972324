-- Cases first decided in the month: how often their file had come back.

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
        resubmission_count as numerator,
        1 as denominator,
    from cases
    where is_rape_flagged
        and first_completion_date is not null

)

select * from final
