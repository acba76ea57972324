-- Complex cases first received in the month, and how many had been discussed before.

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
        cast(is_discussed_early as integer) as numerator,
        1 as denominator,
    from cases
    where is_complex

)

select * from final
