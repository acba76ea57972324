-- Crimes closed in the month, and how many because the victim did not support further action (outcomes 14 and 16).

with

crimes as (

    select * from {{ ref('int_crimes__followed') }}

),

closed as (

    select
        area_code,
        force_code,
        cast(date_trunc('month', outcome_date) as date) as measured_date,
        outcome_type,
        is_victim_support_ended,
        count(*) as crime_count,
    from crimes
    where outcome_date is not null
        and is_rape
    group by all

),

whole as (

    select
        area_code,
        force_code,
        measured_date,
        '' as breakdown,
        coalesce(sum(crime_count) filter (where is_victim_support_ended), 0) as numerator,
        sum(crime_count) as denominator,
    from closed
    group by all

),

parts as (

    select
        area_code,
        force_code,
        measured_date,
        'outcome_type=' || outcome_type as breakdown,
        crime_count as numerator,
        cast(null as bigint) as denominator,
    from closed
    where is_victim_support_ended

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
