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

places_in_statistics as (

    select * from {{ ref('int_places__in_statistics') }}

),

aggregates as (

    select distinct
        places_in_statistics.kind,
        places_in_statistics.place_code,
        places_in_statistics.period_start,
    from places_in_statistics
    inner join current_periods
        on places_in_statistics.kind = current_periods.kind
        and places_in_statistics.delivery_id = current_periods.delivery_id
        and places_in_statistics.period_start = current_periods.period_start

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
