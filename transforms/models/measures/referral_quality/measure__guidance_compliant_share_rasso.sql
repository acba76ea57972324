-- Reviews of the month in which the prosecutor assessed the file, and how many files met the guidance.

with

reviews as (

    select * from {{ ref('int_reviews__assessed') }}

),

final as (

    select
        area_code,
        force_code,
        review_date as measured_date,
        '' as breakdown,
        cast(is_compliant as integer) as numerator,
        1 as denominator,
    from reviews
    where is_assessed

)

select * from final
