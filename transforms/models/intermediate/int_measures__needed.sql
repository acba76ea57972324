-- What each measure needs to have been received: its own kind in the period itself, and the kinds that it is
-- followed into, for a cohort until its horizon. Of what is there at the end of a period, the last month is needed.
-- Measures that need the same share a row of the supply, which is counted once for all of them.

with

measures as (

    select * from {{ ref('mart_measures') }}

),

own as (

    select
        measure_id,
        source as base_kind,
        source as kind,
        0 as horizon_months,
        shape = 'stock' as is_at_end,
    from measures

),

followed as (

    select
        measure_id,
        source as base_kind,
        unnest(string_split(also_from, '|')) as kind,
        coalesce(horizon_months, 0) as horizon_months,
        shape = 'stock' as is_at_end,
    from measures
    where also_from <> ''

),

final as (

    select * from own
    union all
    select * from followed

)

select * from final
