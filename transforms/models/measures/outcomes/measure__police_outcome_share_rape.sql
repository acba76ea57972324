-- Crimes closed in the month by group of outcomes, each as a share of all closed in it, in crimes.

with

crimes as (

    select * from {{ ref('int_crimes__followed') }}

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

    select
        area_code,
        force_code,
        cast(date_trunc('month', outcome_date) as date) as closed_month,
        outcome_group,
        count(*) as closed_count,
    from crimes
    where is_rape
        and outcome_date is not null
    group by all

),

closed_by_place as (

    select
        area_code,
        force_code,
        closed_month,
        sum(closed_count) as closed_count,
    from closed
    group by all

),

final as (

    select
        closed_by_place.area_code,
        closed_by_place.force_code,
        closed_by_place.closed_month as measured_date,
        'outcome_group=' || outcome_groups.outcome_group as breakdown,
        coalesce(closed.closed_count, 0) as numerator,
        closed_by_place.closed_count as denominator,
    from closed_by_place
    cross join outcome_groups
    left join closed
        on closed_by_place.force_code = closed.force_code
        and closed_by_place.closed_month = closed.closed_month
        and outcome_groups.outcome_group = closed.outcome_group

)

select * from final
