-- Items that a joint panel sampled and that at least one of its readers returned. What both services read is
-- reviewed; the panel agrees where every reader does. An item belongs to the month in which it was read last.

with

findings as (

    select * from {{ ref('int_panel_findings__current') }}

),

final as (

    select
        cps_area_code as area_code,
        sample_item_id,
        sample_kind,
        max(reviewed_date) as reviewed_date,
        count(distinct reviewer_role) = 2 as is_read_by_both,
        bool_and(agreed = 'yes') as is_agreed,
        bool_or(agreed = 'no') as is_disagreed,
        bool_or(is_decision_changed) as is_decision_changed,
        bool_and(is_relevant and is_proportionate) as is_relevant_and_proportionate,
        list_distinct(flatten(list(themes))) as themes,
    from findings
    group by cps_area_code, sample_item_id, sample_kind

)

select * from final
