-- Rape-flagged cases that first asked for a charging decision in the month, and how many had early advice before.

with

cases as (

    select * from {{ ref('int_cases__followed') }}

),

final as (

    select
        area_code,
        force_code,
        first_request_received_date as measured_date,
        '' as breakdown,
        cast(coalesce(first_advice_received_date < first_request_received_date, false) as integer) as numerator,
        1 as denominator,
    from cases
    where is_rape_flagged
        and first_request_received_date is not null

)

select * from final
