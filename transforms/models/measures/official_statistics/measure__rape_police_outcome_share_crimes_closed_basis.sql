-- Rapes closed in the quarter by group of outcomes, each as a share of all rapes closed in it, in crimes.
-- A group that a force has no crime in is a row with zero, so that shares of an Area are of all its closed crimes.

with

outcomes as (

    select * from {{ ref('int_home_office_outcomes__current') }}

),

outcome_types as (

    select * from {{ ref('outcome_types') }}

),

outcome_groups as (

    select distinct outcome_group from outcome_types
    where not is_of_which
        and outcome_type <> '0'

),

closed as (

    select * from outcomes
    where is_rape
        and outcome_type <> '0'

),

closed_by_place as (

    select
        area_code,
        force_code,
        period_start,
        sum(closed_basis_count) as closed_count,
    from closed
    group by all

),

closed_by_group as (

    select
        force_code,
        period_start,
        outcome_group,
        sum(closed_basis_count) as group_count,
    from closed
    group by all

),

final as (

    select
        closed_by_place.area_code,
        closed_by_place.force_code,
        closed_by_place.period_start as measured_date,
        'outcome_group=' || outcome_groups.outcome_group as breakdown,
        coalesce(closed_by_group.group_count, 0) as numerator,
        closed_by_place.closed_count as denominator,
    from closed_by_place
    cross join outcome_groups
    left join closed_by_group
        on closed_by_place.force_code = closed_by_group.force_code
        and closed_by_place.period_start = closed_by_group.period_start
        and outcome_groups.outcome_group = closed_by_group.outcome_group

)

select * from final
