{#-
    The current rows of a kind: per key the row of the accepted file that speaks last (int_files__accepted), and of one
    file its last row. An extract holds what changed in its period, so rows that no later delivery has stay. A record
    whose latest row withdraws it has no current row, whatever earlier rows say. Keys are those of the contract, whose
    parts no accepted row lacks.
-#}
{% macro current_rows(staging_model, keys) -%}
with

received as (

    select * from {{ ref(staging_model) }}

),

files as (

    select * from {{ ref('int_files__accepted') }}

),

latest as (

    select received.*
    from received
    inner join files
        on received.delivery_id = files.delivery_id
        and received.file_id = files.file_id
    qualify
        row_number() over (
            partition by {% for key in keys %}received.{{ key }}{{ ", " if not loop.last }}{% endfor %}
            order by files.turn desc, received.row_number desc
        ) = 1

),

final as (

    select * from latest
    where not coalesce(is_withdrawn, false)

)

select * from final
{%- endmacro %}
