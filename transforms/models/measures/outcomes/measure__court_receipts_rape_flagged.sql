-- Defendants whose case the Crown Court received in the month.

with

defendants as (

    select * from {{ ref('int_defendants__prosecuted') }}

),

final as (

    select
        area_code,
        force_code,
        crown_court_receipt_date as measured_date,
        '' as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from defendants
    where is_rape_flagged
        and crown_court_receipt_date is not null

)

select * from final
