-- Sampled items read in the month, and how many both services read, by sample.

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
        cast(is_read_by_both as integer) as numerator,
        1 as denominator,
    from items

),

parts as (

    select
        area_code,
        cast(null as varchar) as force_code,
        reviewed_date as measured_date,
        'sample_kind=' || sample_kind as breakdown,
        cast(is_read_by_both as integer) as numerator,
        1 as denominator,
    from items

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
