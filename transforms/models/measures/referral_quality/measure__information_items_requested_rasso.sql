-- Items that the CPS asked for in the month, by the kind of material.

with

items as (

    select * from {{ ref('int_information_items__placed') }}

),

whole as (

    select
        area_code,
        force_code,
        requested_date as measured_date,
        '' as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from items

),

parts as (

    select
        area_code,
        force_code,
        requested_date as measured_date,
        'category=' || category as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from items

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
