-- Failures found in reviews of the month that the police dispute, and how many disputes were upheld.

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
        cast(is_dispute_upheld as integer) as numerator,
        1 as denominator,
    from failures
    where is_disputed

)

select * from final
