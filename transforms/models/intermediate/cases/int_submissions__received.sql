-- Files that the CPS received: one row for a file however many suspects it names.
--
-- The first request for a charging decision under a URN is the first submission; what comes back after a rejection
-- is a resubmission and has a type of its own. Triage looks at the file, so the outcome is the same for all its
-- suspects; where it differs, a rejection counts.

with

receipts as (

    select * from {{ ref('int_receipts__placed') }}

),

reviews as (

    select
        urn_token,
        urn_suffix,
        review_date,
    from {{ ref('int_cps_reviews__current') }}
    where review_type in ('initial_review', 'pre_charge_decision')

),

files as (

    select
        urn_token,
        urn_suffix,
        receipt_type,
        received_date,
        any_value(case_urn_token) as case_urn_token,
        any_value(case_urn_suffix) as case_urn_suffix,
        any_value(area_code) as area_code,
        any_value(force_code) as force_code,
        bool_or(is_rape_flagged) as is_rape_flagged,
        min(target_days) as target_days,
        bool_or(triage_outcome = 'accepted') and not bool_or(triage_outcome like 'rejected%') as is_triage_accepted,
        bool_or(triage_outcome like 'rejected%') as is_triage_rejected,
        list_distinct(flatten(list(triage_reasons))) as triage_reasons,
        min(prosecutor_allocated_date) as prosecutor_allocated_date,
    from receipts
    group by urn_token, urn_suffix, receipt_type, received_date

),

final as (

    select
        files.*,
        files.receipt_type = 'charging_decision'
        and row_number() over (
            partition by files.urn_token, files.urn_suffix, files.receipt_type
            order by files.received_date
        ) = 1 as is_first_request,
        reviews.review_date as reviewed_date,
    from files
    asof left join reviews
        on files.urn_token = reviews.urn_token
        and files.urn_suffix = reviews.urn_suffix
        and files.received_date <= reviews.review_date

)

select * from final
