-- The catalogue as a table, so that pages, downloads and figures name a measure in the same words.

with

catalogue as (

    select * from {{ source('reference', 'measure_catalogue') }}

),

final as (

    select
        measure_id,
        title,
        shape,
        unit,
        numerator,
        denominator,
        period_placed_by,
        direction,
        recorded_since,
        source,
        caveat,
        since_version,
        minimum_denominator,
        is_headline,
        theme,
        sort_order,
    from catalogue

)

select * from final
