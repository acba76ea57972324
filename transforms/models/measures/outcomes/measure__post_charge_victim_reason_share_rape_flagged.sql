-- Rape-flagged prosecutions that ended in the month, and how many without a conviction because of the victim.

with

defendants as (

    select * from {{ ref('int_defendants__prosecuted') }}

),

whole as (

    select
        area_code,
        force_code,
        finalised_date as measured_date,
        '' as breakdown,
        cast(victim_reason is not null as integer) as numerator,
        1 as denominator,
    from defendants
    where is_rape_flagged
        and finalised_date is not null

),

parts as (

    select
        area_code,
        force_code,
        finalised_date as measured_date,
        'victim_reason=' || victim_reason as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from defendants
    where is_rape_flagged
        and finalised_date is not null
        and victim_reason is not null

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
