-- Items answered in the month, and how many by the day they were due.

with

items as (

    select * from {{ ref('int_information_items__placed') }}

),

final as (

    select
        area_code,
        force_code,
        received_date as measured_date,
        '' as breakdown,
        cast(received_date <= due_date as integer) as numerator,
        1 as denominator,
    from items
    where received_date is not null

)

select * from final
