-- Suspects charged in the month: the charged offence is rape, however the case is flagged.

with

decisions as (

    select * from {{ ref('int_decisions__standing') }}

),

final as (

    select
        area_code,
        force_code,
        charged_date as measured_date,
        '' as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from decisions
    where is_charge
        and charged_date is not null
        and is_rape_charged

)

select * from final
