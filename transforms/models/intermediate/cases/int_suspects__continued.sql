-- Suspects whose case went on under another URN, and under which: a case was split (the URN goes on with a suffix)
-- or merged into another one, where the suspect has the next free number. A case that was first merged and then
-- split takes two steps; more are not followed.

with

receipts as (

    select * from {{ ref('int_cps_receipts__current') }}
    where lead_urn_token is not null

),

steps as (

    select
        urn_token,
        urn_suffix,
        suspect_number,
        arg_max(lead_urn_token, received_date) as lead_urn_token,
        arg_max(coalesce(lead_urn_suffix, ''), received_date) as lead_urn_suffix,
        arg_max(coalesce(lead_suspect_number, suspect_number), received_date) as lead_suspect_number,
    from receipts
    group by all

),

final as (

    select
        steps.urn_token,
        steps.urn_suffix,
        steps.suspect_number,
        coalesce(further_steps.lead_urn_token, steps.lead_urn_token) as case_urn_token,
        coalesce(further_steps.lead_urn_suffix, steps.lead_urn_suffix) as case_urn_suffix,
        coalesce(further_steps.lead_suspect_number, steps.lead_suspect_number) as case_suspect_number,
    from steps
    left join steps as further_steps
        on steps.lead_urn_token = further_steps.urn_token
        and steps.lead_urn_suffix = further_steps.urn_suffix
        and steps.lead_suspect_number = further_steps.suspect_number

)

select * from final
