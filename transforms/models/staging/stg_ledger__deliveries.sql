-- What a person decided about a held delivery is its outcome. Who decided and why is told to auditors and on no page.
-- Of a delivery that was received again, what was accepted last counts, and what came of it last is shown beside it.

with

source as (

    select * from {{ source('ledger', 'delivery') }}

),

decisions as (

    select * from {{ source('ledger', 'decision') }}

),

released as (

    select decisions.hand_over_id
    from decisions
    inner join source on decisions.release_id = source.hand_over_id

),

standing as (

    select hand_over_id
    from source
    qualify
        row_number() over (
            partition by coalesce(reprocess_of, hand_over_id)
            order by finished_at desc, hand_over_id asc
        ) = 1
        or state = 'accepted' and row_number() over (
            partition by coalesce(reprocess_of, hand_over_id), state
            order by finished_at desc, hand_over_id asc
        ) = 1

),

final as (

    select
        source.hand_over_id,
        source.delivery_id,
        source.supplier,
        source.sent_at,
        source.received_at,
        source.finished_at,
        if(decisions.verdict = 'reject', 'rejected', source.state) as state,
        case
            when decisions.verdict = 'reject' then 'held at first, and rejected by a person who looked at it'
            when source.reason_code = 'RELEASED' then 'held at first, and released by a person who looked at it'
            when source.reason_code = 'WAIVED' then 'a rule that would have held it is waived for some time'
            when source.reason_code = 'REPROCESSED' then 'received again from the archive'
            else source.reason
        end as reason,
        source.is_synthetic,
    from source
    left join decisions on source.hand_over_id = decisions.hand_over_id
    semi join standing on source.hand_over_id = standing.hand_over_id
    anti join released on source.hand_over_id = released.hand_over_id

)

select * from final
