-- Defendants convicted of rape in the month: the offence of the conviction counts, not the flag.

with

defendants as (

    select * from {{ ref('int_defendants__prosecuted') }}

),

final as (

    select
        area_code,
        force_code,
        finalised_date as measured_date,
        '' as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from defendants
    where finalised_date is not null
        and is_convicted
        and is_convicted_of_rape

)

select * from final
