-- Crimes recorded in the month, and how many had a case that reached the Crown Court within 24 months: a cohort.

with

crimes as (

    select * from {{ ref('int_crimes__followed') }}

),

final as (

    select
        area_code,
        force_code,
        recorded_date as measured_date,
        '' as breakdown,
        cast(coalesce(first_court_receipt_date <= recorded_date + interval 24 month, false) as integer) as numerator,
        1 as denominator,
    from crimes

)

select * from final
