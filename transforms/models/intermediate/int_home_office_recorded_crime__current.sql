-- Sexual offences recorded, current rows only. Bodies that are not forces fall away. Negative counts (cancelled
-- crimes) stay: they belong to the sums.

with

recorded_crime as (

    select * from {{ ref('stg_home_office__recorded_crime') }}

),

current_periods as (

    select * from {{ ref('int_periods__current') }}
    where kind = 'home_office_recorded_crime'

),

offence_codes as (

    select * from {{ ref('offence_codes') }}
    where is_sexual_offence

),

forces as (

    select * from {{ ref('forces') }}

),

final as (

    select
        recorded_crime.delivery_id,
        forces.force_code,
        forces.cps_area_code as area_code,
        recorded_crime.period_start,
        recorded_crime.period_end,
        recorded_crime.offence_code,
        offence_codes.is_rape,
        sum(recorded_crime.recorded_count) as recorded_count,
    from recorded_crime
    inner join current_periods
        on recorded_crime.delivery_id = current_periods.delivery_id
        and recorded_crime.period_start = current_periods.period_start
    inner join offence_codes on recorded_crime.offence_code = offence_codes.offence_code
    inner join forces on recorded_crime.place_code = forces.force_code
    group by all

)

select * from final
