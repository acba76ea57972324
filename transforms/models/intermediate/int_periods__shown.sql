-- The periods that are shown for a kind, each with the months or quarters of the source that are due in it.
--
-- The source's own periods from the first to the last one received, gaps included. For monthly sources every quarter
-- that one of these months falls in. A rolling year ends with each of the source's periods and is shown when all of it
-- lies between the first and the last: one that reaches back further would say when the series begins and nothing
-- else. Only a source that holds less than a year in all shows a single rolling year, the one that ends with its last
-- period; it is partial, and says so.

with

received_periods as (

    select * from {{ ref('int_periods__received') }}

),

spans as (

    select
        kind,
        period_grain as source_grain,
        case period_grain when 'month' then interval 1 month else interval 3 month end as step,
        min(period_start) as first_start,
        max(period_start) as last_start,
        max(period_end) as last_end,
    from received_periods
    group by all

),

own_periods as (

    select
        kind,
        step,
        source_grain as period_grain,
        cast(unnest(generate_series(cast(first_start as timestamp), cast(last_start as timestamp), step)) as date)
            as period_start,
        last_day(period_start + step - interval 1 day) as period_end,
    from spans

),

quarters as (

    select
        kind,
        step,
        'quarter' as period_grain,
        cast(
            unnest(generate_series(date_trunc('quarter', first_start), cast(last_start as timestamp), interval 3 month))
            as date
        ) as period_start,
        last_day(period_start + interval 2 month) as period_end,
    from spans
    where source_grain = 'month'

),

rolling_years as (

    select
        own_periods.kind,
        own_periods.step,
        'rolling_year' as period_grain,
        cast(own_periods.period_end + interval 1 day - interval 1 year as date) as period_start,
        own_periods.period_end,
    from own_periods
    inner join spans on own_periods.kind = spans.kind
    where own_periods.period_end + interval 1 day - interval 1 year >= spans.first_start
        or (
            own_periods.period_end = spans.last_end
            and spans.last_end + interval 1 day - interval 1 year < spans.first_start
        )

),

unioned as (

    select * from own_periods
    union all
    select * from quarters
    union all
    select * from rolling_years

),

final as (

    select
        kind,
        {{ period_id('period_grain', 'period_start') }} as period_id,
        period_grain,
        period_start,
        period_end,
        cast(unnest(generate_series(cast(period_start as timestamp), cast(period_end as timestamp), step)) as date)
            as source_period_start,
    from unioned

)

select * from final
