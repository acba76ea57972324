-- Reviews of files by prosecutors: one row for each review of a file, however many suspects it names. A file that was
-- reviewed on two days was reviewed twice.
--
-- A file that fails the guidance does so until every failure was disputed and the dispute upheld: then it falls away.

with

reviews as (

    select * from {{ ref('int_cps_reviews__current') }}

),

failures as (

    select * from {{ ref('int_guidance_failures__placed') }}

),

files as (

    select * from {{ ref('int_files__described') }}

),

of_files as (

    select
        urn_token,
        urn_suffix,
        review_type,
        review_date,
        any_value(cps_area_code) as area_code,
        bool_or(guidance_assessment = 'compliant') as is_any_compliant,
        bool_or(guidance_assessment = 'not_compliant') as is_any_not_compliant,
    from reviews
    group by urn_token, urn_suffix, review_type, review_date

),

failed as (

    select
        urn_token,
        urn_suffix,
        review_date,
        count(*) as failure_count,
        count(*) filter (where is_standing) as standing_failure_count,
    from failures
    group by all

),

final as (

    select
        of_files.urn_token,
        of_files.urn_suffix,
        of_files.review_type,
        of_files.review_date,
        of_files.area_code,
        files.force_code,
        coalesce(files.is_rape_flagged, false) as is_rape_flagged,
        of_files.is_any_compliant or of_files.is_any_not_compliant as is_assessed,
        of_files.is_any_not_compliant
        and not (failed.failure_count > 0 and failed.standing_failure_count = 0) is true as is_not_compliant,
        is_assessed and not is_not_compliant as is_compliant,
    from of_files
    left join files
        on of_files.urn_token = files.urn_token
        and of_files.urn_suffix = files.urn_suffix
    left join failed
        on of_files.urn_token = failed.urn_token
        and of_files.urn_suffix = failed.urn_suffix
        and of_files.review_date = failed.review_date

)

select * from final
