-- Rape-flagged cases to which a prosecutor was allocated after early advice was asked for, and how many days it took.

with

cases as (

    select * from {{ ref('int_cases__followed') }}

),

final as (

    select
        area_code,
        force_code,
        advice_prosecutor_allocated_date as measured_date,
        advice_prosecutor_allocated_date - first_advice_received_date as days,
    from cases
    where is_rape_flagged
        and advice_prosecutor_allocated_date is not null

)

select * from final
