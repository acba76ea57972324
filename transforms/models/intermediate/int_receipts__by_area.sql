-- How much of what is due was received, per kind, area and shown period: due are all member places in all of the
-- source's periods. Nothing is due where a kind has no member place (London North and London South, the two London
-- forces in the CPS tables): there the measure is not applicable.

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

final as (

    select
        shown_periods.kind,
        areas.area_level,
        areas.area_code,
        areas.area_name,
        shown_periods.period_grain,
        shown_periods.period_start,
        shown_periods.period_end,
        count(members.place_code) as due_count,
        count(received.place_code) as received_count,
    from shown_periods
    cross join areas
    left join members
        on shown_periods.kind = members.kind
        and areas.area_level = members.area_level
        and areas.area_code = members.area_code
    left join received
        on members.kind = received.kind
        and members.place_code = received.place_code
        and shown_periods.source_period_start = received.period_start
    group by all

)

select * from final
