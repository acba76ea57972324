-- National figures of the release that is counted beside those of the release before it, for every period that both
-- speak for: rapes recorded, rapes charged on both bases, sexual offence convictions.

with

measure_values as (

    select * from {{ ref('mart_measure_values') }}
    where area_level = 'national'
        and breakdown = ''
        and value_status in ('complete', 'partial')

),

-- Where a supplier's release has none before it, it stands for itself.
releases as (

    select
        kind,
        period_start,
        coalesce(earlier_delivery_id, delivery_id) as delivery_id,
        max(earlier_sent_at) over (partition by kind, period_start) as earlier_sent_at,
    from {{ ref('int_periods__current') }}
    qualify bool_or(earlier_delivery_id is not null) over (partition by kind, period_start)

),

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
        sum(recorded_crime.recorded_count) as counted,
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

unioned as (

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

),

earlier as (

    select
        unioned.measure_id,
        unioned.period_start,
        any_value(releases.earlier_sent_at) as earlier_sent_at,
        cast(sum(unioned.counted) as double) as other_value,
    from unioned
    inner join releases
        on unioned.kind = releases.kind
        and unioned.delivery_id = releases.delivery_id
        and unioned.period_start = releases.period_start
    group by all

),

final as (

    select
        'earlier_releases__' || earlier.measure_id || '__' || strftime(earlier.period_start, '%Y-%m')
            as reconciliation_id,
        earlier.measure_id,
        measure_values.period_grain,
        measure_values.period_start,
        measure_values.period_end,
        measure_values.value as our_value,
        earlier.other_value,
        true as is_comparable,
        'The release that is counted' as our_source,
        'The release before it' || coalesce(', sent on ' || strftime(earlier.earlier_sent_at, '%-d %B %Y'), '')
            as other_source,
        case
            when {{ is_small_revision('measure_values.value', 'earlier.other_value') }}
                then 'The later release revises the earlier one.'
        end as explanation,
    from earlier
    inner join measure_values
        on earlier.measure_id = measure_values.measure_id
        and earlier.period_start = measure_values.period_start
        and measure_values.period_grain in ('month', 'quarter')

)

select * from final
