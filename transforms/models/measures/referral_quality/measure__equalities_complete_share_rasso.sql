-- Crimes recorded in the month whose record has age, sex, ethnicity and disability of the victim filled in; the parts
-- tell how often each protected characteristic is.

with

crimes as (

    select * from {{ ref('int_crimes__followed') }}

),

recorded as (

    select
        area_code,
        force_code,
        cast(date_trunc('month', recorded_date) as date) as measured_date,
        characteristics_recorded,
        count(*) as crime_count,
    from crimes
    group by all

),

recorded_by_list as (

    select
        *,
        {{ codes('characteristics_recorded') }} as filled_in,
    from recorded

),

whole as (

    select
        area_code,
        force_code,
        measured_date,
        '' as breakdown,
        coalesce(
            sum(crime_count) filter (
                where list_has_all(filled_in, ['age', 'sex', 'ethnicity', 'disability'])
            ), 0
        ) as numerator,
        sum(crime_count) as denominator,
    from recorded_by_list
    group by all

),

each_characteristic as (

    select
        *,
        unnest(filled_in) as characteristic,
    from recorded_by_list

),

parts as (

    select
        area_code,
        force_code,
        measured_date,
        'characteristic=' || characteristic as breakdown,
        sum(crime_count) as numerator,
        cast(null as bigint) as denominator,
    from each_characteristic
    group by all

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
