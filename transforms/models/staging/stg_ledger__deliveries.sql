with

source as (

    select * from {{ source('ledger', 'delivery') }}

),

final as (

    select
        hand_over_id,
        delivery_id,
        supplier,
        sent_at,
        received_at,
        finished_at,
        state,
        reason,
        is_synthetic,
    from source

)

select * from final
