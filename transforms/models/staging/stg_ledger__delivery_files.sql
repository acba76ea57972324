-- Whoever sends the same file again says last what it holds, though its rows are loaded once: the order of what was
-- sent decides what counts, and not the order of arrival.

with

source as (

    select * from {{ source('ledger', 'delivery_file') }}

),

received as (

    select
        hand_over_id,
        supplier,
        sent_at,
    from {{ source('ledger', 'delivery') }}
    where state in ('accepted', 'duplicate')

),

final as (

    select
        source.hand_over_id,
        source.delivery_id,
        source.file_id,
        source.file_name,
        source.kind,
        -- A period is whole months, whichever of its days the sender names.
        cast(date_trunc('month', source.period_start) as date) as period_start,
        last_day(source.period_end) as period_end,
        source.rows_in,
        source.rows_loaded,
        source.rows_quarantined,
        source.rows_duplicate,
        max(if(source.rows_duplicate > 0, received.sent_at, null)) over same_file as sent_again_at,
        arg_max(
            if(source.rows_duplicate > 0, source.delivery_id, null),
            if(source.rows_duplicate > 0, concat(received.sent_at, source.delivery_id), null)
        ) over same_file as sent_again_in,
    from source
    left join received on source.hand_over_id = received.hand_over_id
    window
        same_file as (
            partition by received.supplier, source.kind, source.sha256, source.period_start, source.period_end
        )

)

select * from final
