-- Sampled items read in the month that a reader disagreed with, and how many decisions were changed.

with

items as (

    select * from {{ ref('int_sampled_items__read') }}

),

final as (

    select
        area_code,
        cast(null as varchar) as force_code,
        reviewed_date as measured_date,
        '' as breakdown,
        cast(coalesce(is_decision_changed, false) as integer) as numerator,
        1 as denominator,
    from items
    where is_disagreed

)

select * from final
