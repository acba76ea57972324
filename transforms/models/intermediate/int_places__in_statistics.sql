-- Which places each delivery of a published statistic has rows of, per kind and period, whatever the offence.

with

outcomes as (

    select distinct
        'home_office_outcomes' as kind,
        delivery_id,
        place_code,
        period_start,
    from {{ ref('stg_home_office__outcomes') }}

),

recorded_crime as (

    select distinct
        'home_office_recorded_crime' as kind,
        delivery_id,
        place_code,
        period_start,
    from {{ ref('stg_home_office__recorded_crime') }}

),

case_outcomes as (

    select distinct
        'cps_principal_offence_outcomes' as kind,
        delivery_id,
        place_code,
        period_start,
    from {{ ref('stg_cps__principal_offence_outcomes') }}

),

final as (

    select * from outcomes
    union all
    select * from recorded_crime
    union all
    select * from case_outcomes

)

select * from final
