-- Administrative finalisations that were reversed in the month, so that both facts stay visible.

with

decisions as (

    select * from {{ ref('int_decisions__standing') }}

),

final as (

    select
        area_code,
        force_code,
        came_back_date as measured_date,
        '' as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from decisions
    where is_rape_flagged
        and came_back_date is not null

)

select * from final
