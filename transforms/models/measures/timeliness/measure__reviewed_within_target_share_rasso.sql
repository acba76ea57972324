-- Files received for a charging decision in the month, and how many were reviewed within their own target of 5 or 28
-- days.

with

submissions as (

    select * from {{ ref('int_submissions__received') }}

),

whole as (

    select
        area_code,
        force_code,
        received_date as measured_date,
        '' as breakdown,
        cast(coalesce(reviewed_date <= received_date + cast(target_days as integer), false) as integer) as numerator,
        1 as denominator,
    from submissions
    where receipt_type <> 'early_advice'
        and not coalesce(is_triage_rejected, false)

),

parts as (

    select
        area_code,
        force_code,
        received_date as measured_date,
        'target_days=' || target_days as breakdown,
        cast(coalesce(reviewed_date <= received_date + cast(target_days as integer), false) as integer) as numerator,
        1 as denominator,
    from submissions
    where receipt_type <> 'early_advice'
        and not coalesce(is_triage_rejected, false)

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
