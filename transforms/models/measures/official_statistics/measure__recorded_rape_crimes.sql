-- Rapes recorded by the police in the quarter, in crimes.
-- Crimes cancelled later are taken off in the quarter that reports them: a count can be negative.

with

recorded_crime as (

    select * from {{ ref('int_home_office_recorded_crime__current') }}

),

rapes as (

    select * from recorded_crime
    where is_rape

),

final as (

    select
        area_code,
        force_code,
        period_start as measured_date,
        '' as breakdown,
        sum(recorded_count) as numerator,
        cast(null as bigint) as denominator,
    from rapes
    group by all

)

select * from final
