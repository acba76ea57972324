-- Files that asked for a charging decision for the first time in the month: how many triage accepted.

with

submissions as (

    select * from {{ ref('int_submissions__received') }}

),

final as (

    select
        area_code,
        force_code,
        received_date as measured_date,
        '' as breakdown,
        cast(is_triage_accepted as integer) as numerator,
        1 as denominator,
    from submissions
    where is_first_request
        and (is_triage_accepted or is_triage_rejected)

)

select * from final
