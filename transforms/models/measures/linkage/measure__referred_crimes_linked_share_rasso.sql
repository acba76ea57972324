-- Crimes first submitted to the CPS in the month, and how many could be linked to a case, by the strongest method.

with

crimes as (

    select * from {{ ref('int_crimes__followed') }}

),

whole as (

    select
        area_code,
        force_code,
        first_submitted_date as measured_date,
        '' as breakdown,
        cast(link_method is not null as integer) as numerator,
        1 as denominator,
    from crimes
    where first_submitted_date is not null

),

parts as (

    select
        area_code,
        force_code,
        first_submitted_date as measured_date,
        'method=' || link_method as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from crimes
    where first_submitted_date is not null
        and link_method is not null

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
