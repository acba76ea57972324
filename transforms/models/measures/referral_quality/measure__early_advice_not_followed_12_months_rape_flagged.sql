-- Rape-flagged cases that asked for early advice in the month and for no charging decision in the 12 months after it.

with

cases as (

    select * from {{ ref('int_cases__followed') }}

),

final as (

    select
        area_code,
        force_code,
        first_advice_received_date as measured_date,
        '' as breakdown,
        cast(
            not coalesce(first_request_received_date <= first_advice_received_date + interval 12 month, false)
            as integer
        ) as numerator,
        1 as denominator,
    from cases
    where is_rape_flagged
        and first_advice_received_date is not null

)

select * from final
