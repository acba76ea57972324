-- Rapes closed in the quarter by group of outcomes, each as a share of all rapes closed in it, in crimes.

with

outcomes as (

    select * from {{ ref('int_home_office_outcomes__current') }}

),

closed as (

    select
        area_code,
        force_code,
        period_start as measured_date,
        outcome_group,
        sum(closed_basis_count) as closed_count,
    from outcomes
    where is_rape
        and outcome_type <> '0'
    group by all

),

{{ shares_by_outcome_group() }}

select * from final
