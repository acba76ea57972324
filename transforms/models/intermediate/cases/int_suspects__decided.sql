-- Suspects that the CPS received, with the first charge, the first legal decision and the first completion that
-- followed.

with

suspects as (

    select * from {{ ref('int_suspects__received') }}

),

decisions as (

    select * from {{ ref('int_decisions__standing') }}

),

decided as (

    select
        case_urn_token,
        case_urn_suffix,
        suspect_number,
        min(decision_date) filter (where is_completion) as first_completion_date,
        min(decision_date) filter (where is_legal_decision) as first_legal_decision_date,
        min(charged_date) filter (where is_charge) as charged_date,
    from decisions
    group by all

),

final as (

    select
        suspects.*,
        decided.first_completion_date,
        decided.first_legal_decision_date,
        decided.charged_date,
    from suspects
    left join decided
        on suspects.case_urn_token = decided.case_urn_token
        and suspects.case_urn_suffix = decided.case_urn_suffix
        and suspects.suspect_number = decided.suspect_number

)

select * from final
