-- Suspects decided in the month: administratively finalised, share of all completions.

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
        cast(decision = 'administratively_finalised' as integer) as numerator,
        1 as denominator,
    from decisions
    where is_completion

)

select * from final
