-- Sexual offences in the CPS case outcomes, current rows only: county areas, and the file's own national row marked
-- as such. A county area has the code of its force; the Metropolitan and City row belongs to LONDON and to no force.

with

case_outcomes as (

    select * from {{ ref('stg_cps__principal_offence_outcomes') }}

),

current_periods as (

    select * from {{ ref('int_periods__current') }}
    where kind = 'cps_principal_offence_outcomes'

),

forces as (

    select * from {{ ref('forces') }}

),

final as (

    select
        case_outcomes.delivery_id,
        forces.force_code,
        case when case_outcomes.place_code = 'LONDON' then 'LONDON' else forces.cps_area_code end as area_code,
        case_outcomes.period_start,
        case_outcomes.period_end,
        case_outcomes.is_national_row,
        case_outcomes.convictions_count,
        case_outcomes.unsuccessful_count,
        case_outcomes.published_conviction_pct,
    from case_outcomes
    inner join current_periods
        on case_outcomes.delivery_id = current_periods.delivery_id
        and case_outcomes.period_start = current_periods.period_start
    left join forces on case_outcomes.place_code = forces.cps_place_code and case_outcomes.place_code <> 'LONDON'

)

select * from final
