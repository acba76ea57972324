{#- The schema is the layer's name and nothing else: reference, staging, intermediate, measures, marts. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
