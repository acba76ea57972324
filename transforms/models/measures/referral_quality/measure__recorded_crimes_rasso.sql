-- Crimes recorded in the month; victims under 16, as the police draw the line, apart.

with

crimes as (

    select * from {{ ref('int_crimes__followed') }}

),

recorded as (

    select
        area_code,
        force_code,
        cast(date_trunc('month', recorded_date) as date) as measured_date,
        victim_age,
        count(*) as crime_count,
    from crimes
    group by all

),

whole as (

    select
        area_code,
        force_code,
        measured_date,
        '' as breakdown,
        sum(crime_count) as numerator,
        cast(null as bigint) as denominator,
    from recorded
    group by all

),

parts as (

    select
        area_code,
        force_code,
        measured_date,
        'victim_age=' || victim_age as breakdown,
        crime_count as numerator,
        cast(null as bigint) as denominator,
    from recorded

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
