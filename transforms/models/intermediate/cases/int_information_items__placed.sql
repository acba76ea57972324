-- Items of action plans with the case that they belong to now, its force and flag. An item is open until it was
-- answered or withdrawn.

with

items as (

    select * from {{ ref('int_cps_information_requests__current') }}

),

files as (

    select * from {{ ref('int_files__described') }}

),

final as (

    select
        items.urn_token,
        items.urn_suffix,
        coalesce(files.case_urn_token, items.urn_token) as case_urn_token,
        coalesce(files.case_urn_suffix, items.urn_suffix) as case_urn_suffix,
        items.plan_number,
        items.item_number,
        items.cps_area_code as area_code,
        files.force_code,
        coalesce(files.is_rape_flagged, false) as is_rape_flagged,
        items.category,
        items.requested_date,
        items.due_date,
        items.received_date,
        items.cancelled_date,
        least(items.received_date, items.cancelled_date) as closed_date,
    from items
    left join files
        on items.urn_token = files.urn_token
        and items.urn_suffix = files.urn_suffix

)

select * from final
