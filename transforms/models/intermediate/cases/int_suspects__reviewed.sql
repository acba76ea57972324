-- Suspects with the number of reviews of their file up to their first completion.

with

suspects as (

    select * from {{ ref('int_suspects__decided') }}

),

reviews as (

    select * from {{ ref('int_cps_reviews__current') }}

),

continuations as (

    select * from {{ ref('int_suspects__continued') }}

),

of_cases as (

    select
        coalesce(continuations.case_urn_token, reviews.urn_token) as case_urn_token,
        coalesce(continuations.case_urn_suffix, reviews.urn_suffix) as case_urn_suffix,
        coalesce(continuations.case_suspect_number, reviews.suspect_number) as suspect_number,
        reviews.review_type,
        reviews.review_date,
    from reviews
    left join continuations
        on reviews.urn_token = continuations.urn_token
        and reviews.urn_suffix = continuations.urn_suffix
        and reviews.suspect_number = continuations.suspect_number

),

final as (

    select
        suspects.case_urn_token,
        suspects.case_urn_suffix,
        suspects.suspect_number,
        suspects.area_code,
        suspects.force_code,
        suspects.is_rape_flagged,
        suspects.first_completion_date,
        count(of_cases.review_date) as review_count,
    from suspects
    left join of_cases
        on suspects.case_urn_token = of_cases.case_urn_token
        and suspects.case_urn_suffix = of_cases.case_urn_suffix
        and suspects.suspect_number = of_cases.suspect_number
        and suspects.first_completion_date >= of_cases.review_date
    group by all

)

select * from final
