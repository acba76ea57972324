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

statistics as (

    select * from {{ ref('int_statistics__by_delivery') }}

),

earlier as (

    select
        statistics.measure_id,
        statistics.period_start,
        any_value(releases.earlier_sent_at) as earlier_sent_at,
        cast(sum(statistics.counted) as double) as other_value,
    from statistics
    inner join releases
        on statistics.kind = releases.kind
        and statistics.delivery_id = releases.delivery_id
        and statistics.period_start = releases.period_start
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
