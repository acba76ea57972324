{#-
    Whether two national figures differ by no more than releases of the same statistics do. In the releases at hand
    (outcomes 2017/18 of April 2019, recorded crime to December 2025; compared in November 2026) the quarters lie 1.3 to
    2.2 per cent apart; beyond 3 per cent revision alone is no explanation.
-#}
{% macro is_small_revision(ours, other) -%}
    abs({{ ours }} - {{ other }}) <= 0.03 * {{ ours }}
{%- endmacro %}
