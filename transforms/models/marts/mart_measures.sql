-- The catalogue as a table, so that pages, downloads and figures name a measure in the same words.

with

catalogue as (

    select * from {{ source('reference', 'measure_catalogue') }}

),

extract_kinds as (

    select * from {{ ref('extract_kinds') }}

),

final as (

    select
        catalogue.measure_id,
        catalogue.title,
        catalogue.shape,
        catalogue.unit,
        catalogue.numerator,
        catalogue.denominator,
        catalogue.period_placed_by,
        catalogue.direction,
        catalogue.recorded_since,
        catalogue.source,
        catalogue.caveat,
        catalogue.since_version,
        catalogue.minimum_denominator,
        catalogue.is_headline,
        catalogue.theme,
        catalogue.sort_order,
        catalogue.mart,
        catalogue.also_from,
        catalogue.horizon_months,
        catalogue.breakdown,
        catalogue.model,
        catalogue.quantile,
        -- What is not known to be a published statistic is case-level: its figures are not public.
        coalesce(extract_kinds.is_case_level, true) as is_case_level,
    from catalogue
    left join extract_kinds on catalogue.source = extract_kinds.kind

)

select * from final
