-- Suspects in rape-flagged cases whose file the CPS received for early advice for the first time in the month.

with

suspects as (

    select * from {{ ref('int_suspects__received') }}

),

final as (

    select
        area_code,
        force_code,
        first_advice_received_date as measured_date,
        '' as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from suspects
    where is_rape_flagged
        and first_advice_received_date is not null

)

select * from final
