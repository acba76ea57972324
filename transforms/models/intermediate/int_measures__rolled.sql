-- Counts and days of every measure for each force, area and the nation in every shown period: the one place where
-- they are rolled up. Periods that overlap are rolled up from months, and all measures at once.
--
-- Of what is there at the end of a period the last month counts. Days are ranked and not averaged: the value is the
-- shortest time within which the share of the quantile was done, in whole days (the inverse of the empirical
-- distribution, type 1 of Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996). Negative days contradict
-- themselves: they are no time that anything took, and are counted in mart_contradictions.

with

measures as (

    select * from {{ ref('mart_measures') }}

),

counted as (

    select * from {{ ref('int_measures__counted') }}

),

areas as (

    select * from {{ ref('int_areas__numbered') }}

),

durations as (

    select * from {{ ref('int_durations__unioned') }}
    where days >= 0

),

shown_periods as (

    select * from {{ ref('int_periods__shown') }}

),

counted_or_timed as (

    select
        measure_id,
        breakdown,
    from counted
    union
    select
        measure_id,
        '' as breakdown,
    from measures
    where shape = 'duration'

),

-- What is rolled up has a number: millions of rows are brought together by it, and not by two texts.
parts as (

    select
        measure_id,
        breakdown,
        cast(row_number() over (order by measure_id, breakdown) as integer) as part_id,
    from counted_or_timed

),

counted_by_part as (

    select
        parts.part_id,
        counted.area_code,
        counted.force_code,
        counted.period_start,
        counted.numerator,
        counted.denominator,
    from counted
    inner join parts
        on counted.measure_id = parts.measure_id
        and counted.breakdown = parts.breakdown

),

counted_by_level as (

    select
        part_id,
        'force' as area_level,
        force_code as area_code,
        period_start,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
    from counted_by_part
    where force_code is not null
    group by all
    union all
    select
        part_id,
        'area' as area_level,
        area_code,
        period_start,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
    from counted_by_part
    where area_code is not null
    group by all
    union all
    select
        part_id,
        'national' as area_level,
        'EW' as area_code,
        period_start,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
    from counted_by_part
    group by all

),

durations_by_level as (

    select
        model,
        'force' as area_level,
        force_code as area_code,
        period_start,
        days
    from durations
    where force_code is not null
    union all
    select
        model,
        'area' as area_level,
        area_code,
        period_start,
        days
    from durations
    where area_code is not null
    union all
    select
        model,
        'national' as area_level,
        'EW' as area_code,
        period_start,
        days
    from durations

),

counts as (

    select
        counted_by_level.part_id,
        areas.area_id,
        shown_periods.period_id,
        sum(counted_by_level.numerator) as numerator,
        sum(counted_by_level.denominator) as denominator,
    from counted_by_level
    inner join parts on counted_by_level.part_id = parts.part_id
    inner join measures on parts.measure_id = measures.measure_id
    inner join areas
        on counted_by_level.area_level = areas.area_level
        and counted_by_level.area_code = areas.area_code
    inner join shown_periods
        on measures.source = shown_periods.kind
        and counted_by_level.period_start = shown_periods.source_period_start
        and (measures.shape <> 'stock' or last_day(counted_by_level.period_start) = shown_periods.period_end)
    group by all

),

models as (

    select distinct
        model,
        source,
    from measures
    where shape = 'duration'

),

ranked_durations as (

    select
        models.model,
        areas.area_id,
        shown_periods.period_id,
        count(*) as duration_count,
        quantile_disc(durations_by_level.days, [0.25, 0.5, 0.75]) as quartiles,
    from durations_by_level
    inner join models on durations_by_level.model = models.model
    inner join areas
        on durations_by_level.area_level = areas.area_level
        and durations_by_level.area_code = areas.area_code
    inner join shown_periods
        on models.source = shown_periods.kind
        and durations_by_level.period_start = shown_periods.source_period_start
    group by all

),

quartiles as (

    select
        parts.part_id,
        ranked_durations.area_id,
        ranked_durations.period_id,
        cast(null as double) as numerator,
        cast(ranked_durations.duration_count as double) as denominator,
        cast(ranked_durations.quartiles[cast(4 * measures.quantile as integer)] as double) as days,
    from ranked_durations
    inner join measures on ranked_durations.model = measures.model
    inner join parts on measures.measure_id = parts.measure_id

),

unioned as (

    select
        *,
        cast(null as double) as days,
    from counts
    union all
    select * from quartiles

),

final as (

    select
        parts.measure_id,
        parts.breakdown,
        unioned.*,
    from unioned
    inner join parts on unioned.part_id = parts.part_id

)

select * from final
