{#-
    CTEs from ``closed`` (area_code, force_code, measured_date, outcome_group, closed_count) to ``final``: each group of
    outcomes as a share of all that was closed. A group that a force has no crime in is a row with zero, so that shares of
    an Area are of all its closed crimes.
-#}
{% macro shares_by_outcome_group() -%}
outcome_groups as (

    select distinct outcome_group from {{ ref('outcome_types') }}
    where not is_of_which
        and outcome_type <> '0'

),

closed_by_place as (

    select
        area_code,
        force_code,
        measured_date,
        sum(closed_count) as closed_count,
    from closed
    group by all

),

final as (

    select
        closed_by_place.area_code,
        closed_by_place.force_code,
        closed_by_place.measured_date,
        'outcome_group=' || outcome_groups.outcome_group as breakdown,
        coalesce(closed.closed_count, 0) as numerator,
        closed_by_place.closed_count as denominator,
    from closed_by_place
    cross join outcome_groups
    left join closed
        on closed_by_place.force_code = closed.force_code
        and closed_by_place.measured_date = closed.measured_date
        and outcome_groups.outcome_group = closed.outcome_group

)
{%- endmacro %}
