-- National figures that others have published, beside ours. A figure of another unit or population is shown as not
-- comparable, also for years that we hold nothing of, as soon as the measure has any value.

with

published_figures as (

    select * from {{ ref('published_figures') }}
    where measure_id is not null

),

extract_kinds as (

    select * from {{ ref('extract_kinds') }}

),

measures as (

    select * from {{ ref('mart_measures') }}

),

measure_values as (

    select * from {{ ref('mart_measure_values') }}
    where area_level = 'national'
        and breakdown = ''

),

counted_measures as (

    select distinct measure_id from measure_values
    where value is not null

),

final as (

    select
        published_figures.figure_id as reconciliation_id,
        published_figures.measure_id,
        published_figures.period_grain,
        published_figures.period_start,
        published_figures.period_end,
        measure_values.value as our_value,
        published_figures.figure as other_value,
        published_figures.is_comparable,
        extract_kinds.kind_title || ' tables, ' || measures.unit as our_source,
        published_figures.quantity || ', ' || published_figures.unit || ': ' || published_figures.source
            as other_source,
        published_figures.note as explanation,
    from published_figures
    inner join counted_measures on published_figures.measure_id = counted_measures.measure_id
    inner join measures on published_figures.measure_id = measures.measure_id
    inner join extract_kinds on measures.source = extract_kinds.kind
    left join measure_values
        on published_figures.measure_id = measure_values.measure_id
        and published_figures.period_grain = measure_values.period_grain
        and published_figures.period_start = measure_values.period_start
        and published_figures.period_end = measure_values.period_end
        and measure_values.value_status = 'complete'
    where measure_values.value is not null
        or not published_figures.is_comparable

)

select * from final
