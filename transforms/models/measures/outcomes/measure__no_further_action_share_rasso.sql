-- Suspects decided in the month: with no further action, share of legal decisions.

with

decisions as (

    select * from {{ ref('int_decisions__standing') }}

),

whole as (

    select
        area_code,
        force_code,
        decision_date as measured_date,
        '' as breakdown,
        cast(decision like 'no_further_action%' as integer) as numerator,
        1 as denominator,
    from decisions
    where is_legal_decision

),

parts as (

    select
        area_code,
        force_code,
        decision_date as measured_date,
        'reason=' || replace(decision, 'no_further_action_', '') as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from decisions
    where is_legal_decision
        and decision like 'no_further_action%'

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
