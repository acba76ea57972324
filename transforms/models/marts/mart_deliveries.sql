-- What was handed over and what became of it, one row per file; a hand-over without a readable file has one row.
-- What is not known to be a published statistic is case-level: its row counts are counts of cases.
-- An accepted file is superseded when a later delivery has taken over every period that it covers.

with

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

delivery_files as (

    select * from {{ ref('stg_ledger__delivery_files') }}

),

extract_kinds as (

    select * from {{ ref('extract_kinds') }}
    where not is_case_level

),

current_periods as (

    select * from {{ ref('int_periods__current') }}

),

final as (

    select
        deliveries.hand_over_id,
        deliveries.delivery_id,
        deliveries.supplier,
        delivery_files.kind,
        delivery_files.file_name,
        delivery_files.period_start,
        delivery_files.period_end,
        deliveries.sent_at,
        deliveries.received_at,
        case
            when deliveries.state = 'accepted'
                and delivery_files.rows_in > 0
                and delivery_files.rows_in = delivery_files.rows_duplicate
                then 'duplicate'
            when deliveries.state = 'accepted'
                and any_value(extract_kinds.kind) is not null
                and count(current_periods.delivery_id) = 0
                then 'superseded'
            else deliveries.state
        end as state,
        deliveries.reason,
        delivery_files.rows_in,
        delivery_files.rows_loaded,
        delivery_files.rows_quarantined,
        delivery_files.rows_duplicate,
        deliveries.is_synthetic,
        any_value(extract_kinds.kind) is null as is_case_level,
    from deliveries
    left join delivery_files on deliveries.hand_over_id = delivery_files.hand_over_id
    left join extract_kinds on delivery_files.kind = extract_kinds.kind
    left join current_periods
        on delivery_files.delivery_id = current_periods.delivery_id
        and delivery_files.kind = current_periods.kind
        and current_periods.period_start between delivery_files.period_start and delivery_files.period_end
    group by
        deliveries.hand_over_id,
        deliveries.delivery_id,
        deliveries.supplier,
        delivery_files.kind,
        delivery_files.file_id,
        delivery_files.file_name,
        delivery_files.period_start,
        delivery_files.period_end,
        deliveries.sent_at,
        deliveries.received_at,
        deliveries.state,
        deliveries.reason,
        delivery_files.rows_in,
        delivery_files.rows_loaded,
        delivery_files.rows_quarantined,
        delivery_files.rows_duplicate,
        deliveries.is_synthetic

)

select * from final
