-- The periods of a kind that something was received for. Of an aggregate extract, the periods that a delivery speaks
-- for; of a case extract, the months that accepted files name: a file without a row says that nothing happened.

with

current_periods as (

    select * from {{ ref('int_periods__current') }}

),

places_received as (

    select * from {{ ref('int_places__received') }}

),

extract_kinds as (

    select * from {{ ref('extract_kinds') }}
    where is_case_level

),

case_months as (

    select distinct
        places_received.kind,
        extract_kinds.period_grain,
        places_received.period_start,
        last_day(places_received.period_start) as period_end,
    from places_received
    inner join extract_kinds on places_received.kind = extract_kinds.kind

),

final as (

    select distinct
        kind,
        period_grain,
        period_start,
        period_end,
    from current_periods
    union all
    select * from case_months

)

select * from final
