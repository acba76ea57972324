-- Actions of local plans that were due in the month, and how many were done by then.

with

actions as (

    select * from {{ ref('int_local_action_plan__current') }}

),

final as (

    select
        cps_area_code as area_code,
        cast(null as varchar) as force_code,
        due_date as measured_date,
        '' as breakdown,
        cast(coalesce(completed_date <= due_date, false) as integer) as numerator,
        1 as denominator,
    from actions
    where status <> 'cancelled'

)

select * from final
