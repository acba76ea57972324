-- Defendants: suspects whose prosecution began, with what is known of them from receipt and charge. One whose
-- receipt is not in the data (the case is older than the first delivery) has force and flags of the prosecution
-- itself.

with

prosecutions as (

    select * from {{ ref('int_cps_prosecution_outcomes__current') }}

),

suspects as (

    select * from {{ ref('int_suspects__decided') }}

),

forces as (

    select * from {{ ref('forces') }}

),

rape_offence_codes as (

    select * from {{ ref('rape_offence_codes') }}

),

of_cases as (

    {{ with_case_as_continued('prosecutions') }}

),

final as (

    select
        of_cases.case_urn_token,
        of_cases.case_urn_suffix,
        of_cases.case_suspect_number as suspect_number,
        of_cases.cps_area_code as area_code,
        coalesce(suspects.force_code, forces.force_code) as force_code,
        coalesce(suspects.is_rape_flagged, false) or list_contains(of_cases.monitoring_flags, 'RAPE')
            as is_rape_flagged,
        suspects.charged_date,
        of_cases.crown_court_receipt_date,
        of_cases.finalised_date,
        of_cases.outcome,
        of_cases.outcome in ('convicted_plea', 'convicted_trial', 'acquitted', 'dropped') as is_completed,
        of_cases.outcome in ('convicted_plea', 'convicted_trial') as is_convicted,
        rape_offence_codes.cjs_offence_code is not null as is_convicted_of_rape,
        of_cases.victim_reason,
    from of_cases
    left join suspects
        on of_cases.case_urn_token = suspects.case_urn_token
        and of_cases.case_urn_suffix = suspects.case_urn_suffix
        and of_cases.case_suspect_number = suspects.suspect_number
    left join forces on {{ force_of_urn('of_cases.urn_force_code') }} = forces.force_code
    left join rape_offence_codes on of_cases.convicted_offence_code = rape_offence_codes.cjs_offence_code

)

select * from final
