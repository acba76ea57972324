-- The areas (with LONDON, and for police figures the British Transport Police, which belongs to none) add up to the
-- national figure, in numerator and denominator. Times are ranked and add up to nothing.

with

measures as (

    select
        measure_id,
        source,
    from {{ ref('mart_measures') }}
    where shape <> 'duration'

),

extract_kinds as (

    select * from {{ ref('extract_kinds') }}

),

measure_values as (

    select
        figures.*,
        extract_kinds.place_column,
    from {{ ref('mart_measure_values') }} as figures
    inner join measures on figures.measure_id = measures.measure_id
    inner join extract_kinds on measures.source = extract_kinds.kind

),

parts as (

    select * from measure_values
    where area_level = 'area'
        or (area_level = 'force' and area_code = '93' and place_column <> 'cps_area_code')

),

added_up as (

    select
        measure_id,
        breakdown,
        period_grain,
        period_start,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
    from parts
    group by all

),

final as (

    select
        measure_values.measure_id,
        measure_values.breakdown,
        measure_values.period_grain,
        measure_values.period_start,
    from measure_values
    left join added_up
        on measure_values.measure_id = added_up.measure_id
        and measure_values.breakdown = added_up.breakdown
        and measure_values.period_grain = added_up.period_grain
        and measure_values.period_start = added_up.period_start
    where measure_values.area_level = 'national'
        -- A record may lie in a month for which its supplier has not sent anything: then the nation knows of more.
        and measure_values.received_share = 1
        and (
            measure_values.numerator is distinct from added_up.numerator
            or measure_values.denominator is distinct from added_up.denominator
        )

)

select * from final
