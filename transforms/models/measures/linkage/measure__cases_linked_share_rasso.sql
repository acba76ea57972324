-- Cases first received in the month, and how many could be linked to a crime, by the strongest method.

with

cases as (

    select * from {{ ref('int_cases__followed') }}

),

whole as (

    select
        area_code,
        force_code,
        first_received_date as measured_date,
        '' as breakdown,
        cast(link_method is not null as integer) as numerator,
        1 as denominator,
    from cases

),

parts as (

    select
        area_code,
        force_code,
        first_received_date as measured_date,
        'method=' || link_method as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from cases
    where link_method is not null

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
