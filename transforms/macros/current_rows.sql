{#-
    The current rows of a kind: per key the row of the accepted delivery with the greatest (sent_at, delivery_id),
    whatever the order of arrival; a file that was sent again speaks when it was sent last. An extract holds what changed in its period, so rows that no later delivery has stay.
    Where one delivery has a key in several files, the file of the latest period speaks. A record whose latest row
    withdraws it has no current row, whatever earlier rows say. Keys are those of the contract, whose parts no accepted
    row lacks.
-#}
{% macro current_rows(staging_model, keys) -%}
with

received as (

    select * from {{ ref(staging_model) }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}
    where state = 'accepted'

),

delivery_files as (

    select * from {{ ref('stg_ledger__delivery_files') }}

),

latest as (

    select received.*
    from received
    inner join deliveries on received.delivery_id = deliveries.delivery_id
    left join delivery_files
        on deliveries.hand_over_id = delivery_files.hand_over_id
        and received.file_id = delivery_files.file_id
    qualify
        row_number() over (
            partition by {% for key in keys %}received.{{ key }}{{ ", " if not loop.last }}{% endfor %}
            order by
                greatest(deliveries.sent_at, delivery_files.sent_again_at) desc nulls last,
                if(
                    delivery_files.sent_again_at > deliveries.sent_at,
                    delivery_files.sent_again_in,
                    received.delivery_id
                ) desc,
                delivery_files.period_end desc nulls last,
                received.file_id desc,
                received.row_number desc
        ) = 1

),

final as (

    select * from latest
    where not coalesce(is_withdrawn, false)

)

select * from final
{%- endmacro %}
