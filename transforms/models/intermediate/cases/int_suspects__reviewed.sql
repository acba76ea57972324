-- Suspects with the number of reviews of their file up to their first completion.

with

suspects as (

    select * from {{ ref('int_suspects__decided') }}

),

reviews as (

    select * from {{ ref('int_cps_reviews__current') }}

),

of_cases as (

    {{ with_case_as_continued('reviews') }}

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
        and suspects.suspect_number = of_cases.case_suspect_number
        and suspects.first_completion_date >= of_cases.review_date
    group by all

)

select * from final
