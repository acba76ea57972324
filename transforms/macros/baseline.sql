{#-
    First day of the period that a period is compared with, as SQL.

    The variable baseline is a month (2018-12: the rolling year that ends with it, and the months and quarters within it) or
    ``year_before``: the same period of the year before. Periods before the baseline are compared with nothing.
-#}
{% macro baseline_start(relation) -%}
    {%- set baseline = var('baseline', '2018-12') -%}
    {%- if baseline == 'year_before' -%}
        cast({{ relation }}.period_start - interval 1 year as date)
    {%- else -%}
        {%- set end = "last_day(date '" ~ baseline ~ "-01')" -%}
        case
            when {{ relation }}.period_end <= {{ end }} then null
            when {{ relation }}.period_grain = 'rolling_year' then cast({{ end }} + interval 1 day - interval 1 year as date)
            -- the same month or quarter within the twelve months of the baseline
            else cast(
                {{ relation }}.period_start
                - to_years(cast(ceil(datediff('month', {{ end }}, {{ relation }}.period_end) / 12.0) as integer)) as date
            )
        end
    {%- endif -%}
{%- endmacro %}
