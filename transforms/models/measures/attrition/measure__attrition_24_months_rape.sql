-- Rapes recorded in the month, and how many reached each later stage within 24 months, in a linked case: a cohort.

with

crimes as (

    select * from {{ ref('int_crimes__followed') }}

),

rapes as (

    select * from crimes
    where is_rape

),

final as (

    select
        area_code,
        force_code,
        recorded_date as measured_date,
        '' as breakdown,
        cast(coalesce(first_conviction_date <= recorded_date + interval 24 month, false) as integer) as numerator,
        1 as denominator,
    from rapes
    union all
    select
        area_code,
        force_code,
        recorded_date as measured_date,
        'stage=1_referred' as breakdown,
        cast(coalesce(first_submitted_date <= recorded_date + interval 24 month, false) as integer) as numerator,
        cast(null as integer) as denominator,
    from rapes
    union all
    select
        area_code,
        force_code,
        recorded_date as measured_date,
        'stage=2_decided' as breakdown,
        cast(coalesce(first_completion_date <= recorded_date + interval 24 month, false) as integer) as numerator,
        cast(null as integer) as denominator,
    from rapes
    union all
    select
        area_code,
        force_code,
        recorded_date as measured_date,
        'stage=3_charged' as breakdown,
        cast(coalesce(first_charged_date <= recorded_date + interval 24 month, false) as integer) as numerator,
        cast(null as integer) as denominator,
    from rapes
    union all
    select
        area_code,
        force_code,
        recorded_date as measured_date,
        'stage=4_reached_court' as breakdown,
        cast(coalesce(first_court_receipt_date <= recorded_date + interval 24 month, false) as integer) as numerator,
        cast(null as integer) as denominator,
    from rapes
    union all
    select
        area_code,
        force_code,
        recorded_date as measured_date,
        'stage=5_convicted' as breakdown,
        cast(coalesce(first_conviction_date <= recorded_date + interval 24 month, false) as integer) as numerator,
        cast(null as integer) as denominator,
    from rapes

)

select * from final
