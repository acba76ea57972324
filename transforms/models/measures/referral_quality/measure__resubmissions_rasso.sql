-- Files that the CPS received once more, counted apart from referrals: they are no new suspects.

with

submissions as (

    select * from {{ ref('int_submissions__received') }}

),

final as (

    select
        area_code,
        force_code,
        received_date as measured_date,
        '' as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from submissions
    where receipt_type = 'resubmission'

)

select * from final
