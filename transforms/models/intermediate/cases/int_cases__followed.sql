-- Cases that the CPS received, as they stand now: a split case is two, merged cases are one.
--
-- Force and Area are those of the first receipt. A case is decided when the first of its suspects is: what came back
-- and what was asked for is counted over the whole life of the case.

with

suspects as (

    select * from {{ ref('int_suspects__decided') }}

),

receipts as (

    select * from {{ ref('int_receipts__placed') }}

),

items as (

    select * from {{ ref('int_information_items__placed') }}

),

links as (

    select * from {{ ref('int_links__placed') }}

),

of_suspects as (

    select
        case_urn_token,
        case_urn_suffix,
        arg_min(area_code, first_received_date) as area_code,
        arg_min(force_code, first_received_date) as force_code,
        bool_or(is_rape_flagged) as is_rape_flagged,
        count(*) as suspect_count,
        min(first_received_date) as first_received_date,
        min(first_advice_received_date) as first_advice_received_date,
        min(first_request_received_date) as first_request_received_date,
        min(first_completion_date) as first_completion_date,
    from suspects
    group by case_urn_token, case_urn_suffix

),

of_receipts as (

    select
        case_urn_token,
        case_urn_suffix,
        count(distinct received_date) filter (where receipt_type = 'resubmission') as resubmission_count,
        arg_min(prosecutor_allocated_date, received_date) filter (
            where receipt_type = 'early_advice'
        ) as advice_prosecutor_allocated_date,
    from receipts
    group by case_urn_token, case_urn_suffix

),

of_items as (

    select
        case_urn_token,
        case_urn_suffix,
        count(distinct urn_token || '/' || urn_suffix || '/' || plan_number) as plan_count,
    from items
    group by case_urn_token, case_urn_suffix

),

of_links as (

    select
        case_urn_token,
        case_urn_suffix,
        count(distinct crime_reference_token) as linked_crime_count,
        -- the strongest method says how sure it is that the case is linked at all
        min_by(method, case method when 'exact' then 1 when 'repaired' then 2 else 3 end) as link_method,
    from links
    group by case_urn_token, case_urn_suffix

),

final as (

    select
        of_suspects.*,
        of_receipts.resubmission_count,
        of_receipts.advice_prosecutor_allocated_date,
        coalesce(of_items.plan_count, 0) as plan_count,
        coalesce(of_links.linked_crime_count, 0) as linked_crime_count,
        of_links.link_method,
    from of_suspects
    left join of_receipts
        on of_suspects.case_urn_token = of_receipts.case_urn_token
        and of_suspects.case_urn_suffix = of_receipts.case_urn_suffix
    left join of_items
        on of_suspects.case_urn_token = of_items.case_urn_token
        and of_suspects.case_urn_suffix = of_items.case_urn_suffix
    left join of_links
        on of_suspects.case_urn_token = of_links.case_urn_token
        and of_suspects.case_urn_suffix = of_links.case_urn_suffix

)

select * from final
