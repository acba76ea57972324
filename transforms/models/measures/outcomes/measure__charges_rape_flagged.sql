-- Suspects charged in the month: the CPS flagged the case rape, whatever the charge.

with

decisions as (

    select * from {{ ref('int_decisions__standing') }}

),

whole as (

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
        and is_rape_flagged

),

parts as (

    select
        area_code,
        force_code,
        charged_date as measured_date,
        'victim=' || if(is_child_abuse_flagged, 'under_18', '18_and_over') as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from decisions
    where is_charge
        and charged_date is not null
        and is_rape_flagged

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
