-- Recorded crimes with their outcome, and the day on which each first reached every later stage in a linked case.
--
-- Outcomes 1A, 2A and 3A (charged or cautioned for another offence) count as 1, 2 and 3. A crime may have several
-- suspects: the first of them to reach a stage brings the crime there. Crimes whose reference could not be linked
-- have no later stage; the linked share stands beside the figures.

with

crimes as (

    select * from {{ ref('int_police_crimes__current') }}

),

referrals as (

    select * from {{ ref('int_referrals__of_crimes') }}

),

links as (

    select * from {{ ref('int_links__placed') }}

),

suspects as (

    select * from {{ ref('int_suspects__decided') }}

),

defendants as (

    select * from {{ ref('int_defendants__prosecuted') }}

),

forces as (

    select * from {{ ref('forces') }}

),

offence_codes as (

    select * from {{ ref('offence_codes') }}

),

outcome_types as (

    select * from {{ ref('outcome_types') }}

),

stages as (

    select
        links.crime_reference_token,
        min(links.first_submitted_date) as first_linked_submission_date,
        min(suspects.first_completion_date) as first_completion_date,
        min(suspects.charged_date) as first_charged_date,
        min(defendants.crown_court_receipt_date) as first_court_receipt_date,
        min(defendants.finalised_date) filter (where defendants.is_convicted) as first_conviction_date,
        min_by(links.method, case links.method when 'exact' then 1 when 'repaired' then 2 else 3 end) as link_method,
    from links
    left join suspects
        on links.case_urn_token = suspects.case_urn_token
        and links.case_urn_suffix = suspects.case_urn_suffix
        and links.suspect_number = suspects.suspect_number
    left join defendants
        on links.case_urn_token = defendants.case_urn_token
        and links.case_urn_suffix = defendants.case_urn_suffix
        and links.suspect_number = defendants.suspect_number
    group by links.crime_reference_token

),

final as (

    select
        crimes.force_code,
        forces.cps_area_code as area_code,
        coalesce(offence_codes.is_rape, false) as is_rape,
        case
            when crimes.victim_age_band in ('0_to_12', '13_to_15') then 'under_16'
            when crimes.victim_age_band = 'not_known' then 'not_known'
            else '16_and_over'
        end as victim_age,
        -- one text for all of them: crimes of the same text are counted together, and lists would be slow to keep
        nullif(array_to_string(crimes.characteristics_recorded, '|'), '') as characteristics_recorded,
        crimes.reported_date,
        crimes.recorded_date,
        nullif(outcome_types.outcome_type, '0') as outcome_type,
        case when outcome_types.outcome_type <> '0' then outcome_types.outcome_group end as outcome_group,
        crimes.outcome_date,
        outcome_types.is_victim_support_ended,
        referrals.first_submitted_date,
        stages.first_linked_submission_date,
        stages.first_completion_date,
        stages.first_charged_date,
        stages.first_court_receipt_date,
        stages.first_conviction_date,
        stages.link_method,
    from crimes
    inner join forces on crimes.force_code = forces.force_code
    left join offence_codes on crimes.offence_code = offence_codes.offence_code
    left join outcome_types on rtrim(crimes.outcome_type, 'A') = outcome_types.outcome_type
    left join referrals on crimes.crime_reference_token = referrals.crime_reference_token
    left join stages on crimes.crime_reference_token = stages.crime_reference_token

)

select * from final
