-- Which places a current delivery speaks of, per kind and period, whatever the offence. A place without a row was not
-- received (left out by the sender, or its row is in quarantine); that is not the same as zero crimes.

with

current_periods as (

    select * from {{ ref('int_periods__current') }}

),

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

unioned as (

    select * from outcomes
    union all
    select * from recorded_crime
    union all
    select * from case_outcomes

),

final as (

    select distinct
        unioned.kind,
        unioned.place_code,
        unioned.period_start,
    from unioned
    inner join current_periods
        on unioned.kind = current_periods.kind
        and unioned.delivery_id = current_periods.delivery_id
        and unioned.period_start = current_periods.period_start

)

select * from final
