-- Which delivery speaks for a period. An aggregate extract holds whole periods: per supplier, kind and period the
-- accepted delivery with the greatest (sent_at, delivery_id) is current, whatever the order of arrival, and all
-- earlier rows of the period are superseded with it, also those that the later delivery no longer has. The one before
-- it is named beside it: what a later release revised is shown.

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

accepted_files as (

    select
        deliveries.supplier,
        delivery_files.kind,
        extract_kinds.period_grain,
        case extract_kinds.period_grain when 'month' then interval 1 month else interval 3 month end as step,
        deliveries.delivery_id,
        greatest(deliveries.sent_at, delivery_files.sent_again_at) as sent_at,
        delivery_files.period_start as file_start,
        delivery_files.period_end as file_end,
    from delivery_files
    inner join deliveries on delivery_files.hand_over_id = deliveries.hand_over_id
    inner join extract_kinds on delivery_files.kind = extract_kinds.kind
    -- a file whose bytes were loaded before brings no rows of its own and takes nothing over
    where deliveries.state = 'accepted'
        and delivery_files.rows_in > delivery_files.rows_duplicate

),

touched_periods as (

    select
        * exclude (step),
        cast(
            unnest(generate_series(date_trunc(period_grain, file_start), cast(file_end as timestamp), step)) as date
        ) as period_start,
        last_day(period_start + step - interval 1 day) as period_end,
    from accepted_files

),

covered_periods as (

    select * from touched_periods
    where period_start >= file_start
        and period_end <= file_end

),

ordered as (

    select
        *,
        row_number() over (
            partition by supplier, kind, period_start
            order by sent_at desc nulls last, delivery_id desc
        ) as place,
    from covered_periods

),

final as (

    select
        latest.supplier,
        latest.kind,
        latest.period_grain,
        latest.period_start,
        latest.period_end,
        latest.delivery_id,
        latest.sent_at,
        earlier.delivery_id as earlier_delivery_id,
        earlier.sent_at as earlier_sent_at,
    from ordered as latest
    left join ordered as earlier
        on latest.supplier = earlier.supplier
        and latest.kind = earlier.kind
        and latest.period_start = earlier.period_start
        and earlier.place = 2
    where latest.place = 1

)

select * from final
