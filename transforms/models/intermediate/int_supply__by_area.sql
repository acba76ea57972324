-- How much of what is due was received, for everything that a measure needs, per area and shown period: due are all
-- member places in all of the source's periods. Nothing is due where a kind has no place of its own (London North
-- and London South, the two London forces in the CPS tables): there the measure is not applicable.

with

areas as (

    select * from {{ ref('mart_areas') }}

),

members as (

    select * from {{ ref('int_places__members') }}

),

shown_periods as (

    select * from {{ ref('int_periods__shown') }}

),

received as (

    select * from {{ ref('int_places__received') }}

),

extract_kinds as (

    select * from {{ ref('extract_kinds') }}

),

last_received as (

    select
        kind,
        max(period_end) as last_end,
    from {{ ref('int_periods__received') }}
    group by kind

),

needs as (

    select distinct
        base_kind,
        kind,
        horizon_months,
        is_at_end,
    from {{ ref('int_measures__needed') }}

),

periods as (

    select distinct
        kind as base_kind,
        period_grain,
        period_start,
        period_end,
    from shown_periods

),

due_periods as (

    select
        needs.*,
        periods.period_grain,
        periods.period_start,
        periods.period_end,
        -- The horizon ends as many months after the period as were asked for.
        last_day(cast(periods.period_end + to_months(needs.horizon_months) as date)) as followed_until,
        cast(
            unnest(
                generate_series(
                    case
                        when needs.is_at_end then date_trunc('month', periods.period_end)
                        else cast(periods.period_start as timestamp)
                    end,
                    cast(periods.period_end + to_months(needs.horizon_months) as timestamp),
                    case extract_kinds.period_grain when 'month' then interval 1 month else interval 3 month end
                )
            ) as date
        ) as source_period_start,
    from needs
    inner join periods on needs.base_kind = periods.base_kind
    inner join extract_kinds on needs.kind = extract_kinds.kind

),

final as (

    select
        due_periods.base_kind,
        due_periods.kind,
        due_periods.horizon_months,
        due_periods.is_at_end,
        areas.area_level,
        areas.area_code,
        areas.area_name,
        due_periods.period_grain,
        due_periods.period_start,
        due_periods.period_end,
        coalesce(due_periods.followed_until <= any_value(last_received.last_end), due_periods.horizon_months = 0)
            as is_followed,
        count(members.place_code) as due_count,
        count(received.place_code) as received_count,
    from due_periods
    cross join areas
    left join members
        on due_periods.kind = members.kind
        and areas.area_level = members.area_level
        and areas.area_code = members.area_code
        and (members.is_own or due_periods.kind <> due_periods.base_kind)
    left join received
        on members.kind = received.kind
        and members.place_code = received.place_code
        and due_periods.source_period_start = received.period_start
    left join last_received on due_periods.kind = last_received.kind
    group by
        due_periods.base_kind,
        due_periods.kind,
        due_periods.horizon_months,
        due_periods.is_at_end,
        due_periods.followed_until,
        areas.area_level,
        areas.area_code,
        areas.area_name,
        due_periods.period_grain,
        due_periods.period_start,
        due_periods.period_end

)

select * from final
