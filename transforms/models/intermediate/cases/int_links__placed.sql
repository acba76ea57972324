-- Crimes and the suspects that they were referred for, found by the linkage: one row for each pair, with the first
-- submission of it. A link leads to the case in which the suspect stands now.

with

links as (

    select * from {{ source('linkage', 'crime_case_link') }}

),

receipts as (

    select * from {{ ref('int_receipts__placed') }}

),

places as (

    select distinct
        urn_token,
        suspect_number,
        case_urn_token,
        case_urn_suffix,
        case_suspect_number,
    from receipts

),

final as (

    select
        links.crime_reference_token,
        places.case_urn_token,
        places.case_urn_suffix,
        places.case_suspect_number as suspect_number,
        min(links.submitted_date) as first_submitted_date,
        min_by(links.method, case links.method when 'exact' then 1 when 'repaired' then 2 else 3 end) as method,
    from links
    inner join places
        on links.urn_token = places.urn_token
        and links.suspect_number = places.suspect_number
    group by all

)

select * from final
