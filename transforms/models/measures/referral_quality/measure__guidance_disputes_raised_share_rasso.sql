-- Failures found in reviews of the month, and how many of them the police dispute.

with

failures as (

    select * from {{ ref('int_guidance_failures__placed') }}

),

final as (

    select
        area_code,
        force_code,
        review_date as measured_date,
        '' as breakdown,
        cast(is_disputed as integer) as numerator,
        1 as denominator,
    from failures

)

select * from final
