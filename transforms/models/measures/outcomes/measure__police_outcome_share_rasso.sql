-- Crimes closed in the month by group of outcomes, each as a share of all closed in it, in crimes.

with

crimes as (

    select * from {{ ref('int_crimes__followed') }}

),

closed as (

    select
        area_code,
        force_code,
        cast(date_trunc('month', outcome_date) as date) as measured_date,
        outcome_group,
        count(*) as closed_count,
    from crimes
    where outcome_date is not null
    group by all

),

{{ shares_by_outcome_group() }}

select * from final
