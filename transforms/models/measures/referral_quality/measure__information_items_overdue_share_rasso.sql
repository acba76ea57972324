-- Items that were open at the end of each month, and how many of them were past the day they were due.

with

items as (

    select * from {{ ref('int_information_items__placed') }}

),

month_ends as (

    select distinct period_end as month_end from {{ ref('int_periods__received') }}
    where kind = 'cps_information_requests'

),

open_items as (

    select
        items.area_code,
        items.force_code,
        items.due_date,
        month_ends.month_end,
    from items
    inner join month_ends
        on items.requested_date <= month_ends.month_end
        and (items.closed_date is null or items.closed_date > month_ends.month_end)

),

final as (

    select
        area_code,
        force_code,
        month_end as measured_date,
        '' as breakdown,
        cast(due_date < month_end as integer) as numerator,
        1 as denominator,
    from open_items

)

select * from final
