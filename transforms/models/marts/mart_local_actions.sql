-- Actions of local plans, each with the measure that it should move: the rolling year that had ended when the action
-- was agreed, and the latest one. An action for all forces is held against the CPS Area, one for a force against that
-- force. A movement says that the measure moved, and not that the action moved it.

with

actions as (

    select * from {{ ref('int_local_action_plan__current') }}

),

years as (

    select * from {{ ref('mart_measure_values') }}
    where period_grain = 'rolling_year'
        and breakdown = ''
        and value is not null

),

placed as (

    select
        *,
        case when force_code is null then 'area' else 'force' end as area_level,
        coalesce(force_code, cps_area_code) as area_code,
    from actions

),

latest as (

    select
        measure_id,
        area_level,
        area_code,
        max(period_end) as period_end,
        arg_max(value, period_end) as value,
    from years
    group by all

),

final as (

    select
        placed.cps_area_code,
        placed.action_id,
        placed.force_code,
        placed.title,
        placed.owner_role,
        placed.measure_id,
        placed.opened_date,
        placed.due_date,
        placed.status,
        placed.completed_date,
        placed.completed_date <= placed.due_date as is_on_time,
        former.period_end as period_end_when_agreed,
        former.value as value_when_agreed,
        latest.period_end as latest_period_end,
        latest.value as latest_value,
    from placed
    asof left join years as former
        on placed.measure_id = former.measure_id
        and placed.area_level = former.area_level
        and placed.area_code = former.area_code
        and placed.opened_date >= former.period_end
    left join latest
        on placed.measure_id = latest.measure_id
        and placed.area_level = latest.area_level
        and placed.area_code = latest.area_code

)

select * from final
