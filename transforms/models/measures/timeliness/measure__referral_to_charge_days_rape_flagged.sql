-- Suspects charged in the month, and how many days after the CPS received their first file.

with

decisions as (

    select * from {{ ref('int_decisions__standing') }}

),

final as (

    select
        area_code,
        force_code,
        charged_date as measured_date,
        charged_date - first_received_date as days,
    from decisions
    where is_rape_flagged
        and is_charge
        and charged_date is not null
        and first_received_date is not null

)

select * from final
