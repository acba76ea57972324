-- Every measure for every area and shown period, with what was received of what is due and the change since the
-- baseline.
--
-- What was not received is a row too, never a gap and never zero. A count that was received and has no row in the
-- source is zero. An area or period that was received in part is partial; its figure is what was received. A cohort
-- is shown once it was followed as long as it is to be. Figures are compared with a baseline only where both are
-- complete. Parts of what is counted from cases stand for quarters and years only: of one month they are too few to
-- say anything.

with

measures as (

    select * from {{ ref('mart_measures') }}

),

rolled as (

    select * from {{ ref('int_measures__rolled') }}

),

needed as (

    select * from {{ ref('int_measures__needed') }}

),

supply as (

    select * from {{ ref('int_supply__by_area') }}

),

rolled_parts as (

    select
        measure_id,
        breakdown,
        part_id,
        -- A part without a denominator of its own (a reason, a group) is a part of the whole measure, also where it is
        -- not to be found.
        bool_and(breakdown <> '' and denominator is null) as is_part_of_whole,
    from rolled
    group by all

),

breakdowns as (

    select
        measures.measure_id,
        coalesce(rolled_parts.breakdown, '') as breakdown,
        -- below zero where nothing was ever counted
        coalesce(rolled_parts.part_id, cast(-row_number() over (order by measures.measure_id) as integer)) as part_id,
        coalesce(rolled_parts.is_part_of_whole, false) as is_part_of_whole,
        max(rolled_parts.part_id) filter (where rolled_parts.breakdown = '') over (partition by measures.measure_id)
            as whole_part_id,
    from measures
    left join rolled_parts on measures.measure_id = rolled_parts.measure_id

),

wholes as (

    select * from rolled
    where breakdown = ''

),

needs_of_measures as (

    select
        measure_id,
        list(struct_pack(base_kind, kind, horizon_months, is_at_end) order by kind, horizon_months) as needs,
    from needed
    group by measure_id

),

-- Many measures need the same: their supply is added up once, for the first of them.
first_with_same_needs as (

    select
        measure_id,
        needs,
        min(measure_id) over (partition by needs) as first_measure_id,
    from needs_of_measures

),

needs as (

    select
        first_measure_id,
        unnest(needs) as need,
    from first_with_same_needs
    where measure_id = first_measure_id

),

supply_of_needs as (

    select
        needs.first_measure_id,
        supply.area_id,
        supply.area_level,
        supply.area_code,
        supply.area_name,
        supply.period_id,
        supply.period_grain,
        supply.period_start,
        supply.period_end,
        bool_and(supply.is_followed) as is_followed,
        sum(supply.due_count) filter (where supply.kind = supply.base_kind) as own_due_count,
        sum(supply.received_count) filter (where supply.kind = supply.base_kind) as own_received_count,
        sum(supply.received_count) / nullif(sum(supply.due_count), 0) as received_share,
    from needs
    inner join supply
        on needs.need.base_kind = supply.base_kind
        and needs.need.kind = supply.kind
        and needs.need.horizon_months = supply.horizon_months
        and needs.need.is_at_end = supply.is_at_end
    group by all

),

due as (

    select
        measures.measure_id,
        measures.shape,
        measures.unit,
        measures.minimum_denominator,
        breakdowns.breakdown,
        breakdowns.part_id,
        breakdowns.is_part_of_whole,
        if(breakdowns.is_part_of_whole, breakdowns.whole_part_id, null) as denominator_part_id,
        supply_of_needs.area_id,
        supply_of_needs.area_level,
        supply_of_needs.area_code,
        supply_of_needs.area_name,
        supply_of_needs.period_id,
        supply_of_needs.period_grain,
        supply_of_needs.period_start,
        supply_of_needs.period_end,
        supply_of_needs.is_followed,
        supply_of_needs.own_received_count,
        supply_of_needs.received_share,
        supply_of_needs.own_due_count > 0
        and (measures.recorded_since is null or supply_of_needs.period_start >= measures.recorded_since)
            as is_applicable,
    from measures
    inner join breakdowns on measures.measure_id = breakdowns.measure_id
    inner join first_with_same_needs on measures.measure_id = first_with_same_needs.measure_id
    inner join supply_of_needs on first_with_same_needs.first_measure_id = supply_of_needs.first_measure_id
    where breakdowns.breakdown = ''
        or not measures.is_case_level
        or breakdowns.whole_part_id is null
        or supply_of_needs.period_grain <> 'month'

),

with_counts as (

    select
        due.*,
        due.is_applicable and due.own_received_count > 0 as is_received,
        due.shape in ('ratio', 'average', 'stock') as has_denominator,
        rolled.days,
        case
            when is_received and due.is_followed and due.shape <> 'duration' then coalesce(rolled.numerator, 0)
        end as numerator,
        case
            when not is_received or not due.is_followed or due.shape = 'count' then null
            when due.is_part_of_whole then coalesce(wholes.denominator, 0)
            else coalesce(rolled.denominator, 0)
        end as denominator,
    from due
    left join rolled
        on due.part_id = rolled.part_id
        and due.area_id = rolled.area_id
        and due.period_id = rolled.period_id
    left join wholes
        on due.denominator_part_id = wholes.part_id
        and due.area_id = wholes.area_id
        and due.period_id = wholes.period_id

),

with_status as (

    select
        *,
        case
            when not is_applicable then 'not_applicable'
            when not is_received then 'no_data_received'
            when not is_followed then 'not_followed_yet'
            when shape <> 'count' and denominator < greatest(minimum_denominator, 1) then 'below_minimum'
            when received_share < 1 then 'partial'
            else 'complete'
        end as value_status,
        value_status in ('complete', 'partial') as is_shown,
        is_shown and shape in ('ratio', 'stock') as is_shown_share,
    from with_counts

),

with_values as (

    select
        *,
        case
            when is_shown_share then 100.0 * numerator / nullif(denominator, 0)
            when is_shown and shape = 'average' then numerator / nullif(denominator, 0)
            when is_shown and shape = 'duration' then days
            when is_shown then numerator
        end as value,
    from with_status

),

with_baseline as (

    select
        with_values.*,
        baseline.value as baseline_value,
        baseline.value is not null and with_values.value_status = 'complete' as is_compared,
    from with_values
    left join with_values as baseline
        on with_values.part_id = baseline.part_id
        and with_values.area_id = baseline.area_id
        and {{ period_id('with_values.period_grain', baseline_start('with_values')) }} = baseline.period_id
        and baseline.value_status = 'complete'

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
        value,
        case when is_shown_share then {{ wilson_lower('numerator', 'denominator') }} end as lower,
        case when is_shown_share then {{ wilson_upper('numerator', 'denominator') }} end as upper,
        value_status,
        case when is_applicable then received_share else 0.0 end as received_share,
        baseline_value,
        case
            when is_compared and shape in ('count', 'average', 'duration')
                then 100.0 * (value - baseline_value) / nullif(baseline_value, 0)
        end as change_pct,
        case when is_compared and shape in ('ratio', 'stock') then value - baseline_value end as change_points,
    from with_baseline

)

select * from final
