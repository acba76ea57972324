-- Every measure for every area and shown period: the one place where finest counts are rolled up.
--
-- What was not received is a row too, never a gap and never zero. A count that was received and has no row in the
-- source is zero. An area or period that was received in part is partial; its figure is what was received.

with

measures as (

    select * from {{ ref('mart_measures') }}

),

measured as (

    select * from {{ ref('int_measures__unioned') }}

),

receipts as (

    select * from {{ ref('int_receipts__by_area') }}

),

shown_periods as (

    select * from {{ ref('int_periods__shown') }}

),

members as (

    select * from {{ ref('int_places__members') }}

),

breakdowns as (

    select distinct
        measures.measure_id,
        coalesce(measured.breakdown, '') as breakdown,
    from measures
    left join measured on measures.measure_id = measured.measure_id

),

due as (

    select
        measures.measure_id,
        breakdowns.breakdown,
        measures.shape,
        measures.unit,
        measures.minimum_denominator,
        measures.recorded_since,
        receipts.area_level,
        receipts.area_code,
        receipts.area_name,
        receipts.period_grain,
        receipts.period_start,
        receipts.period_end,
        receipts.due_count,
        receipts.received_count,
        receipts.received_count / nullif(receipts.due_count, 0) as received_share,
    from measures
    inner join breakdowns on measures.measure_id = breakdowns.measure_id
    inner join receipts on measures.source = receipts.kind

),

counted as (

    select
        measured.measure_id,
        measured.breakdown,
        members.area_level,
        members.area_code,
        shown_periods.period_grain,
        shown_periods.period_start,
        sum(measured.numerator) as numerator,
        sum(measured.denominator) as denominator,
    from measured
    inner join measures on measured.measure_id = measures.measure_id
    inner join members
        on measures.source = members.kind
        and measured.place_code = members.place_code
    inner join shown_periods
        on measures.source = shown_periods.kind
        and measured.measured_date = shown_periods.source_period_start
    group by all

),

with_counts as (

    select
        due.*,
        due.due_count > 0
        and (due.recorded_since is null or due.period_start >= due.recorded_since) as is_applicable,
        is_applicable and due.received_count > 0 as is_received,
        case when is_received then coalesce(counted.numerator, 0) end as numerator,
        case when is_received and due.shape = 'ratio' then coalesce(counted.denominator, 0) end as denominator,
    from due
    left join counted
        on due.measure_id = counted.measure_id
        and due.breakdown = counted.breakdown
        and due.area_level = counted.area_level
        and due.area_code = counted.area_code
        and due.period_grain = counted.period_grain
        and due.period_start = counted.period_start

),

with_status as (

    select
        *,
        case
            when not is_applicable then 'not_applicable'
            when not is_received then 'no_data_received'
            when shape = 'ratio' and denominator < greatest(minimum_denominator, 1) then 'below_minimum'
            when received_share < 1 then 'partial'
            else 'complete'
        end as value_status,
        value_status in ('complete', 'partial') as is_shown,
        is_shown and shape = 'ratio' as is_shown_ratio,
    from with_counts

),

final as (

    select
        measure_id,
        area_level,
        area_code,
        area_name,
        breakdown,
        period_grain,
        period_start,
        period_end,
        unit,
        numerator,
        denominator,
        case
            when is_shown_ratio then 100.0 * numerator / nullif(denominator, 0)
            when is_shown then numerator
        end as value,
        case when is_shown_ratio then {{ wilson_lower('numerator', 'denominator') }} end as lower,
        case when is_shown_ratio then {{ wilson_upper('numerator', 'denominator') }} end as upper,
        value_status,
        case when is_applicable then received_share else 0.0 end as received_share,
        cast(null as double) as baseline_value,
        cast(null as double) as change_pct,
        cast(null as double) as change_points,
    from with_status

)

select * from final
