-- Defendants whose prosecution ended in the month, and how many days after the charge.

with

defendants as (

    select * from {{ ref('int_defendants__prosecuted') }}

),

final as (

    select
        area_code,
        force_code,
        finalised_date as measured_date,
        finalised_date - charged_date as days,
    from defendants
    where is_rape_flagged
        and finalised_date is not null
        and charged_date is not null

)

select * from final
