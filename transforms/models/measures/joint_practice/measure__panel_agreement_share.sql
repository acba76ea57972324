-- Sampled decisions read in the month, and how many every reader agreed with, by sample.

with

items as (

    select * from {{ ref('int_sampled_items__read') }}

),

whole as (

    select
        area_code,
        cast(null as varchar) as force_code,
        reviewed_date as measured_date,
        '' as breakdown,
        cast(is_agreed as integer) as numerator,
        1 as denominator,
    from items
    where sample_kind <> 'information_request'

),

parts as (

    select
        area_code,
        cast(null as varchar) as force_code,
        reviewed_date as measured_date,
        'sample_kind=' || sample_kind as breakdown,
        cast(is_agreed as integer) as numerator,
        1 as denominator,
    from items
    where sample_kind <> 'information_request'

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
