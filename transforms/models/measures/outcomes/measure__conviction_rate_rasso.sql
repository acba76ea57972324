-- Defendants whose prosecution ended in the month, and how many were convicted of any offence.

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
        cast(is_convicted as integer) as numerator,
        1 as denominator,
    from defendants
    where finalised_date is not null
        and is_completed

)

select * from final
