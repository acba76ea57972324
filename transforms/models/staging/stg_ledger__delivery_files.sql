with

source as (

    select * from {{ source('ledger', 'delivery_file') }}

),

final as (

    select
        hand_over_id,
        delivery_id,
        file_id,
        file_name,
        kind,
        -- A period is whole months, whichever of its days the sender names.
        cast(date_trunc('month', period_start) as date) as period_start,
        last_day(period_end) as period_end,
        rows_in,
        rows_loaded,
        rows_quarantined,
        rows_duplicate,
    from source

)

select * from final
