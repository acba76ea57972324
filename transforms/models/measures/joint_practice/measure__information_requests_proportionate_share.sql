-- Sampled requests for information read in the month, and how many every reader found relevant and proportionate.

with

items as (

    select * from {{ ref('int_sampled_items__read') }}

),

final as (

    select
        area_code,
        cast(null as varchar) as force_code,
        reviewed_date as measured_date,
        '' as breakdown,
        cast(coalesce(is_relevant_and_proportionate, false) as integer) as numerator,
        1 as denominator,
    from items
    where sample_kind = 'information_request'

)

select * from final
