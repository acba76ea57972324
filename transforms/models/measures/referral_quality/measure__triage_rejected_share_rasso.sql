-- Files that asked for a charging decision for the first time in the month: how many triage rejected, and why.

with

submissions as (

    select * from {{ ref('int_submissions__received') }}

),

reasons as (

    select
        *,
        unnest(triage_reasons) as triage_reason,
    from submissions
    where is_triage_rejected

),

whole as (

    select
        area_code,
        force_code,
        received_date as measured_date,
        '' as breakdown,
        cast(is_triage_rejected as integer) as numerator,
        1 as denominator,
    from submissions
    where is_first_request
        and (is_triage_accepted or is_triage_rejected)

),

parts as (

    select
        area_code,
        force_code,
        received_date as measured_date,
        'triage_reason=' || triage_reason as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from reasons
    where is_first_request
        and (is_triage_accepted or is_triage_rejected)

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
