-- Cases first received in the month that had been discussed early, and how many had a prosecutor by then.

with

cases as (

    select * from {{ ref('int_cases__discussed') }}

),

final as (

    select
        area_code,
        force_code,
        first_received_date as measured_date,
        '' as breakdown,
        cast(is_allocated_early as integer) as numerator,
        1 as denominator,
    from cases
    where is_discussed_early

)

select * from final
