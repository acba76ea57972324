-- Crimes closed in the month, and how many because the victim did not support further action (outcomes 14 and 16).

with

crimes as (

    select * from {{ ref('int_crimes__followed') }}

),

whole as (

    select
        area_code,
        force_code,
        outcome_date as measured_date,
        '' as breakdown,
        cast(is_victim_support_ended as integer) as numerator,
        1 as denominator,
    from crimes
    where is_rape
        and outcome_date is not null

),

parts as (

    select
        area_code,
        force_code,
        outcome_date as measured_date,
        'outcome_type=' || outcome_type as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from crimes
    where is_rape
        and outcome_date is not null
        and is_victim_support_ended

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
