{#-
    Measures beside one another: a row for each area and shown period, a column for each measure. For readers who want a
    table to filter; what a figure is worth (complete, partial, too few) stands in mart_measure_values.
-#}
{% macro one_row_per_area_and_period(measure_ids) -%}
with

measure_values as (

    select * from {{ ref('mart_measure_values') }}
    where breakdown = ''

),

final as (

    select
        area_level,
        area_code,
        area_name,
        period_grain,
        period_start,
        period_end,
        {% for measure_id in measure_ids %}
        max(value) filter (where measure_id = '{{ measure_id }}') as {{ measure_id }},
        {% endfor %}
    from measure_values
    where measure_id in ('{{ measure_ids | join("', '") }}')
    group by all

)

select * from final
{%- endmacro %}
