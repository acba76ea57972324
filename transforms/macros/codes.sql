{#- Several codes in one column as a list; an empty list where there is none, so that nothing is contained in it. -#}
{% macro codes(column) -%}
    coalesce(string_split({{ column }}, '|'), [])
{%- endmacro %}
