-- Crimes recorded in the month that were submitted to the CPS within 12 months of it: a cohort.

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
        cast(coalesce(first_submitted_date <= recorded_date + interval 12 month, false) as integer) as numerator,
        1 as denominator,
    from crimes
    where is_rape

)

select * from final
