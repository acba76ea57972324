-- Files whose rows count, and the order in which they speak. What was sent last says what is so, whatever the order of
-- arrival; a file that was sent again speaks when it was sent last. Of two sent at one time the delivery with the
-- greater id speaks last, of the files of one delivery that of the latest period.

with

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}
    where state = 'accepted'

),

delivery_files as (

    select * from {{ ref('stg_ledger__delivery_files') }}

),

final as (

    select
        deliveries.supplier,
        delivery_files.kind,
        delivery_files.delivery_id,
        delivery_files.file_id,
        delivery_files.period_start,
        delivery_files.period_end,
        delivery_files.rows_in,
        delivery_files.rows_duplicate,
        greatest(deliveries.sent_at, delivery_files.sent_again_at) as sent_at,
        row_number() over (
            order by
                greatest(deliveries.sent_at, delivery_files.sent_again_at) nulls first,
                if(
                    delivery_files.sent_again_at > deliveries.sent_at,
                    delivery_files.sent_again_in,
                    delivery_files.delivery_id
                ),
                delivery_files.period_end nulls first,
                delivery_files.file_id,
                delivery_files.delivery_id
        ) as turn,
    from deliveries
    inner join delivery_files on deliveries.hand_over_id = delivery_files.hand_over_id

)

select * from final
