-- Suspects decided in the month: charged, share of legal decisions.

with

decisions as (

    select * from {{ ref('int_decisions__standing') }}

),

final as (

    select
        area_code,
        force_code,
        decision_date as measured_date,
        '' as breakdown,
        cast(is_charge as integer) as numerator,
        1 as denominator,
    from decisions
    where is_legal_decision

)

select * from final
