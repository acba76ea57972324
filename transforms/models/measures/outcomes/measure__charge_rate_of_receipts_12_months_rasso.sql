-- Suspects first received in the month, and how many were charged within 12 months: a cohort.

with

suspects as (

    select * from {{ ref('int_suspects__decided') }}

),

final as (

    select
        area_code,
        force_code,
        first_received_date as measured_date,
        '' as breakdown,
        cast(coalesce(charged_date <= first_received_date + interval 12 month, false) as integer) as numerator,
        1 as denominator,
    from suspects

)

select * from final
