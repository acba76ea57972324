-- Reviews of the month in which the file did not meet the guidance, and in what.

with

reviews as (

    select * from {{ ref('int_reviews__assessed') }}

),

failures as (

    select * from {{ ref('int_guidance_failures__placed') }}

),

families as (

    select distinct
        urn_token,
        urn_suffix,
        review_date,
        area_code,
        force_code,
        failure_family,
    from failures
    where is_standing

),

whole as (

    select
        area_code,
        force_code,
        review_date as measured_date,
        '' as breakdown,
        cast(is_not_compliant as integer) as numerator,
        1 as denominator,
    from reviews
    where is_assessed

),

parts as (

    select
        area_code,
        force_code,
        review_date as measured_date,
        'failure_family=' || failure_family as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from families

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
