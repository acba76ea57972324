-- An empty mart cannot pass for a quiet month: for each kind that an accepted delivery covers a period of, every
-- measure counted from it has rows, and for each such period something was counted or read.

with

received_periods as (

    select * from {{ ref('int_periods__received') }}

),

measures as (

    select * from {{ ref('mart_measures') }}

),

national as (

    select * from {{ ref('mart_measure_values') }}
    where area_level = 'national'
        and value_status in ('complete', 'partial', 'below_minimum', 'not_followed_yet', 'not_applicable')

),

final as (

    select
        measures.measure_id,
        received_periods.period_start,
    from received_periods
    inner join measures on received_periods.kind = measures.source
    left join national
        on measures.measure_id = national.measure_id
        and received_periods.period_grain = national.period_grain
        and received_periods.period_start = national.period_start
    where national.measure_id is null

)

select * from final
