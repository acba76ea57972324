-- Sexual offences recorded by the police in the quarter, rape included, in crimes.
-- Crimes cancelled later are taken off in the quarter that reports them: a count can be negative.

with

recorded_crime as (

    select * from {{ ref('int_home_office_recorded_crime__current') }}

),

final as (

    select
        area_code,
        force_code,
        period_start as measured_date,
        '' as breakdown,
        sum(recorded_count) as numerator,
        cast(null as bigint) as denominator,
    from recorded_crime
    group by all

)

select * from final
