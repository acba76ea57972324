-- Which delivery speaks for a period. An aggregate extract holds whole periods: per supplier, kind and period the
-- accepted file that speaks last (int_files__accepted) is current, and all earlier rows of the period are superseded
-- with it, also those that the later file no longer has. The one before it is named beside it: what a later release
-- revised is shown.

with

files as (

    select * from {{ ref('int_files__accepted') }}
    -- a file whose bytes were loaded before brings no rows of its own and takes nothing over
    where rows_in > rows_duplicate

),

extract_kinds as (

    select * from {{ ref('extract_kinds') }}
    where not is_case_level

),

aggregates as (

    select
        files.supplier,
        files.kind,
        files.delivery_id,
        files.sent_at,
        files.turn,
        files.period_start as file_start,
        files.period_end as file_end,
        extract_kinds.period_grain,
        case extract_kinds.period_grain when 'month' then interval 1 month else interval 3 month end as step,
    from files
    inner join extract_kinds on files.kind = extract_kinds.kind

),

touched_periods as (

    select
        * exclude (step),
        cast(
            unnest(generate_series(date_trunc(period_grain, file_start), cast(file_end as timestamp), step)) as date
        ) as period_start,
        last_day(period_start + step - interval 1 day) as period_end,
    from aggregates

),

covered_periods as (

    select * from touched_periods
    where period_start >= file_start
        and period_end <= file_end

),

ordered as (

    select
        *,
        row_number() over (
            partition by supplier, kind, period_start
            order by turn desc
        ) as nth_last,
    from covered_periods

),

final as (

    select
        latest.supplier,
        latest.kind,
        latest.period_grain,
        latest.period_start,
        latest.period_end,
        latest.delivery_id,
        latest.sent_at,
        earlier.delivery_id as earlier_delivery_id,
        earlier.sent_at as earlier_sent_at,
    from ordered as latest
    left join ordered as earlier
        on latest.supplier = earlier.supplier
        and latest.kind = earlier.kind
        and latest.period_start = earlier.period_start
        and earlier.nth_last = 2
    where latest.nth_last = 1

)

select * from final
