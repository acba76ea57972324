{#- A number for a period, from its grain and its first day: first month, then how many months. The year from January 2018
    is 20180112. Millions of rows are brought together by it, and not by a text and a day. -#}
{% macro period_id(period_grain, period_start) -%}
    cast(
        10000 * year({{ period_start }}) + 100 * month({{ period_start }})
        + case {{ period_grain }} when 'month' then 1 when 'quarter' then 3 else 12 end as integer
    )
{%- endmacro %}
