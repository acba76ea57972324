-- Complex cases that were submitted, and whether one of their crimes was discussed early.
--
-- The extracts do not say which cases are complex. Taken as complex are cases with several suspects or several linked
-- crimes, and every case that was discussed early.

with

cases as (

    select * from {{ ref('int_cases__followed') }}

),

links as (

    select * from {{ ref('int_links__placed') }}

),

discussions as (

    select * from {{ ref('int_early_discussions__current') }}

),

crimes as (

    select
        crime_reference_token,
        min(held_date) as first_held_date,
        min(prosecutor_allocated_date) as prosecutor_allocated_date,
    from discussions
    group by crime_reference_token

),

discussed as (

    select
        links.case_urn_token,
        links.case_urn_suffix,
        min(crimes.first_held_date) as first_held_date,
        min(crimes.prosecutor_allocated_date) as prosecutor_allocated_date,
    from links
    inner join crimes on links.crime_reference_token = crimes.crime_reference_token
    group by all

),

final as (

    select
        cases.case_urn_token,
        cases.case_urn_suffix,
        cases.area_code,
        cases.force_code,
        cases.first_received_date,
        coalesce(discussed.first_held_date <= cases.first_received_date, false) as is_discussed_early,
        is_discussed_early
        and coalesce(discussed.prosecutor_allocated_date <= cases.first_received_date, false) as is_allocated_early,
        cases.suspect_count > 1 or cases.linked_crime_count > 1 or is_discussed_early as is_complex,
    from cases
    left join discussed
        on cases.case_urn_token = discussed.case_urn_token
        and cases.case_urn_suffix = discussed.case_urn_suffix

)

select * from final
