-- National sums of each delivery of a published statistic, also of those that no longer speak for a period.

with

rape_offence_codes as (

    select * from {{ ref('offence_codes') }}
    where is_rape

),

forces as (

    select * from {{ ref('forces') }}

),

recorded_crime as (

    select
        'home_office_recorded_crime' as kind,
        'recorded_rape_crimes' as measure_id,
        recorded_crime.delivery_id,
        recorded_crime.period_start,
        cast(sum(recorded_crime.recorded_count) as double) as counted,
    from {{ ref('stg_home_office__recorded_crime') }} as recorded_crime
    inner join rape_offence_codes on recorded_crime.offence_code = rape_offence_codes.offence_code
    inner join forces on recorded_crime.place_code = forces.force_code
    group by all

),

charges as (

    select
        outcomes.delivery_id,
        outcomes.period_start,
        sum(outcomes.closed_basis_count) as closed_basis_count,
        sum(outcomes.recorded_basis_count) as recorded_basis_count,
    from {{ ref('stg_home_office__outcomes') }} as outcomes
    inner join rape_offence_codes on outcomes.offence_code = rape_offence_codes.offence_code
    inner join forces on outcomes.place_code = forces.force_code
    where outcomes.outcome_type = '1'
    group by all

),

convictions as (

    select
        'cps_principal_offence_outcomes' as kind,
        'sexual_offence_convictions_defendants' as measure_id,
        delivery_id,
        period_start,
        sum(convictions_count) as counted,
    from {{ ref('stg_cps__principal_offence_outcomes') }}
    where not is_national_row
    group by all

),

final as (

    select * from recorded_crime
    union all
    select
        'home_office_outcomes' as kind,
        'rape_charges_crimes_closed_basis' as measure_id,
        delivery_id,
        period_start,
        closed_basis_count as counted,
    from charges
    union all
    select
        'home_office_outcomes' as kind,
        'rape_charges_crimes_recorded_basis' as measure_id,
        delivery_id,
        period_start,
        recorded_basis_count as counted,
    from charges
    union all
    select * from convictions

)

select * from final
