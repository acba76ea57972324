-- Times that contradict themselves: a later step dated before an earlier one, mostly across two services' records. They
-- are counted here and left out of the medians; no row is dropped without a trace.

with

durations as (

    select * from {{ ref('int_durations__unioned') }}

),

final as (

    select
        model as measure_id,
        area_code,
        force_code,
        period_start,
        count(*) as duration_count,
        count(*) filter (where days < 0) as contradictory_count,
    from durations
    group by all

)

select * from final
