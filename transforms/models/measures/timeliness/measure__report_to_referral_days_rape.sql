-- Crimes first submitted to the CPS in the month, and how many days after their report. Only crimes whose case was
-- found at the CPS.

with

crimes as (

    select * from {{ ref('int_crimes__followed') }}

),

final as (

    select
        area_code,
        force_code,
        first_linked_submission_date as measured_date,
        first_linked_submission_date - reported_date as days,
    from crimes
    where is_rape
        and first_linked_submission_date is not null

)

select * from final
