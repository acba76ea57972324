-- Outcomes of sexual offences, current rows only. The 'of which' rows 1A, 2A and 3A are left out: their crimes stand
-- under 1, 2 and 3 already. Negative counts (cancelled crimes, corrected outcomes) stay: they belong to the sums.

with

outcomes as (

    select * from {{ ref('stg_home_office__outcomes') }}

),

current_periods as (

    select * from {{ ref('int_periods__current') }}
    where kind = 'home_office_outcomes'

),

offence_codes as (

    select * from {{ ref('offence_codes') }}
    where is_sexual_offence

),

outcome_types as (

    select * from {{ ref('outcome_types') }}

),

forces as (

    select * from {{ ref('forces') }}

),

final as (

    select
        outcomes.delivery_id,
        forces.force_code,
        forces.cps_area_code as area_code,
        outcomes.period_start,
        outcomes.period_end,
        outcomes.offence_code,
        offence_codes.is_rape,
        outcomes.outcome_type,
        outcome_types.outcome_group,
        outcome_types.is_victim_support_ended,
        sum(outcomes.recorded_basis_count) as recorded_basis_count,
        sum(outcomes.closed_basis_count) as closed_basis_count,
    from outcomes
    inner join current_periods
        on outcomes.delivery_id = current_periods.delivery_id
        and outcomes.period_start = current_periods.period_start
    inner join offence_codes on outcomes.offence_code = offence_codes.offence_code
    inner join forces on outcomes.place_code = forces.force_code
    left join outcome_types on outcomes.outcome_type = outcome_types.outcome_type
    where not coalesce(outcome_types.is_of_which, false)
    group by all

)

select * from final
