-- Crimes recorded in the month, rape by the offence code; victims under 16, as the police draw the line, apart.

with

crimes as (

    select * from {{ ref('int_crimes__followed') }}

),

whole as (

    select
        area_code,
        force_code,
        recorded_date as measured_date,
        '' as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from crimes
    where is_rape

),

parts as (

    select
        area_code,
        force_code,
        recorded_date as measured_date,
        'victim_age=' || victim_age as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from crimes
    where is_rape

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
