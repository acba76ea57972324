-- Crimes recorded in the month whose record has age, sex, ethnicity and disability of the victim filled in; the parts
-- tell how often each protected characteristic is.

with

crimes as (

    select * from {{ ref('int_crimes__followed') }}

),

characteristics as (

    select
        *,
        unnest(characteristics_recorded) as characteristic,
    from crimes

),

whole as (

    select
        area_code,
        force_code,
        recorded_date as measured_date,
        '' as breakdown,
        cast(
            list_has_all(characteristics_recorded, ['age', 'sex', 'ethnicity', 'disability'])
            as integer
        ) as numerator,
        1 as denominator,
    from crimes

),

parts as (

    select
        area_code,
        force_code,
        recorded_date as measured_date,
        'characteristic=' || characteristic as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from characteristics

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
