-- Every decision of the CPS on a suspect, with what is known of the suspect and whether the decision still stands.
--
-- Administrative finalisation is reversible: where the case came back, or another decision followed, it no longer
-- stands and leaves the period in which it was made. Legal decisions (charge, no further action, out of court) stay.
-- A decision whose receipt is not in the data (the case is older than the first delivery) has force and flags of its
-- own. Completions are the legal decisions and the administrative finalisations that stand; other decisions are
-- neither.

with

decisions as (

    select * from {{ ref('int_cps_decisions__current') }}

),

suspects as (

    select * from {{ ref('int_suspects__received') }}

),

forces as (

    select * from {{ ref('forces') }}

),

rape_offence_codes as (

    select * from {{ ref('rape_offence_codes') }}

),

of_cases as (

    {{ with_case_as_continued('decisions') }}

),

with_next as (

    select
        *,
        lead(decision_date) over (
            partition by case_urn_token, case_urn_suffix, case_suspect_number
            order by decision_date, urn_token, urn_suffix
        ) as next_decision_date,
    from of_cases

),

with_reopening as (

    select
        *,
        case
            when decision = 'administratively_finalised' then coalesce(reopened_date, next_decision_date)
        end as came_back_date,
    from with_next

),

final as (

    select
        with_reopening.case_urn_token,
        with_reopening.case_urn_suffix,
        with_reopening.case_suspect_number as suspect_number,
        with_reopening.cps_area_code as area_code,
        coalesce(suspects.force_code, forces.force_code) as force_code,
        coalesce(suspects.is_rape_flagged, false) or list_contains(with_reopening.monitoring_flags, 'RAPE')
            as is_rape_flagged,
        coalesce(suspects.is_child_abuse_flagged, false) or list_contains(with_reopening.monitoring_flags, 'CPRO')
            as is_child_abuse_flagged,
        suspects.first_received_date,
        suspects.first_request_received_date,
        with_reopening.decision,
        with_reopening.decision_date,
        with_reopening.charged_date,
        rape_offence_codes.cjs_offence_code is not null as is_rape_charged,
        with_reopening.came_back_date,
        with_reopening.came_back_date is null as is_standing,
        with_reopening.decision = 'charge' as is_charge,
        with_reopening.decision in (
            'charge', 'no_further_action_evidential', 'no_further_action_public_interest', 'out_of_court_disposal'
        ) as is_legal_decision,
        is_standing and with_reopening.decision <> 'other' as is_completion,
    from with_reopening
    left join suspects
        on with_reopening.case_urn_token = suspects.case_urn_token
        and with_reopening.case_urn_suffix = suspects.case_urn_suffix
        and with_reopening.case_suspect_number = suspects.suspect_number
    left join forces on {{ force_of_urn('with_reopening.urn_force_code') }} = forces.force_code
    left join rape_offence_codes on with_reopening.charged_offence_code = rape_offence_codes.cjs_offence_code

)

select * from final
