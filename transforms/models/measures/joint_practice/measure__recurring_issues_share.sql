-- Sampled items read in the month, and the issues and good practice that readers saw in them.

with

items as (

    select * from {{ ref('int_sampled_items__read') }}

),

themes as (

    select
        *,
        unnest(themes) as theme,
    from items

),

whole as (

    select
        area_code,
        cast(null as varchar) as force_code,
        reviewed_date as measured_date,
        '' as breakdown,
        cast(len(list_filter(themes, lambda theme: theme like 'issue_%')) > 0 as integer) as numerator,
        1 as denominator,
    from items

),

parts as (

    select
        area_code,
        cast(null as varchar) as force_code,
        reviewed_date as measured_date,
        'theme=' || theme as breakdown,
        1 as numerator,
        cast(null as integer) as denominator,
    from themes

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
