-- Suspects in rape-flagged cases whose file the CPS received for the first time, for early advice or a charging
-- decision in the month.

with

suspects as (

    select * from {{ ref('int_suspects__received') }}

),

whole as (

    select
        area_code,
        force_code,
        first_received_date as measured_date,
        '' as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from suspects
    where is_rape_flagged

),

parts as (

    select
        area_code,
        force_code,
        first_received_date as measured_date,
        'victim=' || if(is_child_abuse_flagged, 'under_18', '18_and_over') as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from suspects
    where is_rape_flagged

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
