-- Suspects decided in the month, and how many days after the first request for a charging decision.

with

decisions as (

    select * from {{ ref('int_decisions__standing') }}

),

final as (

    select
        area_code,
        force_code,
        decision_date as measured_date,
        decision_date - first_request_received_date as days,
    from decisions
    where is_completion
        and first_request_received_date is not null

)

select * from final
