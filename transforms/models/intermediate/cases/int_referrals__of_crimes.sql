-- Recorded crimes that the police submitted to the CPS, with the first submission, whether or not the case was found
-- at the CPS. The linkage says which crime a submission means, also where its reference was mistyped.

with

links as (

    select
        crime_reference_token,
        submitted_date,
    from {{ source('linkage', 'crime_case_link') }}
    where crime_method is not null

),

unlinked as (

    select
        crime_reference_token,
        submitted_date,
    from {{ source('linkage', 'unlinked_referral') }}
    where crime_method is not null

),

unioned as (

    select * from links
    union all
    select * from unlinked

),

final as (

    select
        crime_reference_token,
        min(submitted_date) as first_submitted_date,
    from unioned
    group by crime_reference_token

)

select * from final
