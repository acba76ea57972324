-- Which places a current delivery speaks of, per kind and period, whatever the offence. In an aggregate extract a place
-- without a row was not received (left out by the sender, or its row is in quarantine); that is not the same as zero
-- crimes. A case extract speaks for its supplier in every month that its manifest names.

with

current_periods as (

    select * from {{ ref('int_periods__current') }}

),

files as (

    select * from {{ ref('int_files__accepted') }}

),

extract_kinds as (

    select * from {{ ref('extract_kinds') }}
    where is_case_level

),

suppliers as (

    select * from {{ source('reference', 'suppliers') }}

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

aggregates as (

    select distinct
        unioned.kind,
        unioned.place_code,
        unioned.period_start,
    from unioned
    inner join current_periods
        on unioned.kind = current_periods.kind
        and unioned.delivery_id = current_periods.delivery_id
        and unioned.period_start = current_periods.period_start

),

cases as (

    select distinct
        files.kind,
        suppliers.supplier_code as place_code,
        cast(
            unnest(
                generate_series(
                    cast(files.period_start as timestamp), cast(files.period_end as timestamp), interval 1 month
                )
            ) as date
        ) as period_start,
    from files
    inner join extract_kinds on files.kind = extract_kinds.kind
    inner join suppliers on files.supplier = suppliers.supplier

),

final as (

    select * from aggregates
    union all
    select * from cases

)

select * from final
