{#-
    The current rows of a kind: per key the row of the accepted file that speaks last (int_files__accepted), and of one
    file its last row. An extract holds what changed in its period, so rows that no later delivery has stay. A record
    whose latest row withdraws it has no current row, whatever earlier rows say. Keys are those of the contract, whose
    parts no accepted row lacks.

    To find the last row of each key by a number, and then these rows, takes half the time of a window over whole rows.
    Not materialized, or every column of every row would be read and kept between the two.
-#}
{% macro current_rows(staging_model, keys) -%}
with

received as (

    select * from {{ ref(staging_model) }}

),

files as (

    select * from {{ ref('int_files__accepted') }}

),

accepted as not materialized (

    select
        received.*,
        -- no two rows are said at once: the turn of the file, and within it, by 2^32, the number of the row
        files.turn * 4294967296 + received.row_number as said_at,
    from received
    inner join files
        on received.delivery_id = files.delivery_id
        and received.file_id = files.file_id

),

last_said as (

    select max(said_at) as said_at
    from accepted
    group by {{ keys | join(', ') }}

),

final as (

    select accepted.* exclude (said_at)
    from accepted
    semi join last_said on accepted.said_at = last_said.said_at
    where not coalesce(accepted.is_withdrawn, false)

)

select * from final
{%- endmacro %}
