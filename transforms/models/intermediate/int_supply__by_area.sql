-- How much of what is due was received, for everything that a measure needs, per area and shown period: due are all
-- member places in all of the source's periods. Nothing is due where a kind has no place of its own (London North
-- and London South, the two London forces in the CPS tables): there the measure is not applicable.
--
-- What was received is added up along time once per area; a period has what lies between its two ends.

with

areas as (

    select * from {{ ref('int_areas__numbered') }}

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
        period_id,
        period_grain,
        period_start,
        period_end,
    from shown_periods

),

needed_periods as (

    select
        needs.*,
        periods.period_id,
        periods.period_grain,
        periods.period_start,
        periods.period_end,
        extract_kinds.period_grain as source_grain,
        if(needs.is_at_end, cast(date_trunc('month', periods.period_end) as date), periods.period_start) as first_due,
        -- The horizon ends as many months after the period as were asked for.
        last_day(cast(periods.period_end + to_months(needs.horizon_months) as date)) as last_due,
    from needs
    inner join periods on needs.base_kind = periods.base_kind
    inner join extract_kinds on needs.kind = extract_kinds.kind

),

due_periods as (

    select
        needed_periods.*,
        datediff('month', needed_periods.first_due, needed_periods.last_due)
        // case needed_periods.source_grain when 'month' then 1 else 3 end + 1 as period_count,
        coalesce(needed_periods.last_due <= last_received.last_end, needed_periods.horizon_months = 0) as is_followed,
    from needed_periods
    left join last_received on needed_periods.kind = last_received.kind

),

members_by_area as (

    select
        kind,
        area_level,
        area_code,
        count(*) as member_count,
        count(*) filter (where is_own) as own_member_count,
    from members
    group by all

),

received_by_area as (

    select
        members.kind,
        members.area_level,
        members.area_code,
        received.period_start,
        count(*) as received_count,
        count(*) filter (where members.is_own) as own_received_count,
    from members
    inner join received
        on members.kind = received.kind
        and members.place_code = received.place_code
    group by all

),

received_until as (

    select
        * exclude (received_count, own_received_count),
        sum(received_count) over (partition by kind, area_level, area_code order by period_start) as received_count,
        sum(own_received_count) over (partition by kind, area_level, area_code order by period_start)
            as own_received_count,
    from received_by_area

),

due as (

    select
        due_periods.*,
        areas.area_id,
        areas.area_level,
        areas.area_code,
        areas.area_name,
        -- Of places that are not a kind's own, what is due is what another kind is followed into.
        due_periods.kind = due_periods.base_kind as is_own_only,
        cast(due_periods.first_due - interval 1 day as date) as day_before,
        coalesce(if(is_own_only, members_by_area.own_member_count, members_by_area.member_count), 0) as member_count,
    from due_periods
    cross join areas
    left join members_by_area
        on due_periods.kind = members_by_area.kind
        and areas.area_level = members_by_area.area_level
        and areas.area_code = members_by_area.area_code

),

final as (

    select
        due.base_kind,
        due.kind,
        due.horizon_months,
        due.is_at_end,
        due.area_id,
        due.area_level,
        due.area_code,
        due.area_name,
        due.period_id,
        due.period_grain,
        due.period_start,
        due.period_end,
        due.is_followed,
        cast(due.member_count * due.period_count as bigint) as due_count,
        cast(
            coalesce(if(due.is_own_only, until_end.own_received_count, until_end.received_count), 0)
            - coalesce(if(due.is_own_only, until_start.own_received_count, until_start.received_count), 0) as bigint
        ) as received_count,
    from due
    asof left join received_until as until_end
        on due.kind = until_end.kind
        and due.area_level = until_end.area_level
        and due.area_code = until_end.area_code
        and due.last_due >= until_end.period_start
    asof left join received_until as until_start
        on due.kind = until_start.kind
        and due.area_level = until_start.area_level
        and due.area_code = until_start.area_code
        and due.day_before >= until_start.period_start

)

select * from final
