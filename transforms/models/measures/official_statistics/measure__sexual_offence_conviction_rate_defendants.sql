-- Defendants convicted as a share of defendants whose prosecution ended in the month, principal offence a sexual
-- offence.
-- The file's own national row is left out: national is the sum of the county areas.

with

case_outcomes as (

    select * from {{ ref('int_cps_principal_offence_outcomes__current') }}

),

county_areas as (

    select * from case_outcomes
    where not is_national_row

),

final as (

    select
        area_code,
        force_code,
        period_start as measured_date,
        '' as breakdown,
        sum(convictions_count) as numerator,
        sum(convictions_count + unsuccessful_count) as denominator,
    from county_areas
    group by all

)

select * from final
