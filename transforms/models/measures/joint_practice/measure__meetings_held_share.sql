-- Months in which each force and its CPS Area were to meet, and whether they did.

with

meetings as (

    select * from {{ ref('int_joint_meetings__current') }}

),

received as (

    select * from {{ ref('int_places__received') }}

),

members as (

    select * from {{ ref('int_places__members') }}

),

forces as (

    select * from {{ ref('forces') }}

),

due as (

    select
        received.place_code as cps_area_code,
        members.area_code as force_code,
        received.period_start,
    from received
    inner join members
        on received.kind = members.kind
        and received.place_code = members.place_code
        and members.area_level = 'force'
    inner join forces on members.area_code = forces.force_code
    where received.kind = 'joint_meetings'
        and forces.cps_area_code is not null

),

held as (

    select distinct
        cps_area_code,
        force_code,
        cast(date_trunc('month', meeting_date) as date) as period_start,
    from meetings

),

final as (

    select
        due.cps_area_code as area_code,
        due.force_code,
        due.period_start as measured_date,
        '' as breakdown,
        cast(held.force_code is not null as integer) as numerator,
        1 as denominator,
    from due
    left join held
        on due.cps_area_code = held.cps_area_code
        and due.force_code = held.force_code
        and due.period_start = held.period_start

)

select * from final
