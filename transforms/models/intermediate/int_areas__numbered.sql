-- The nation, the CPS Areas and the forces, each with a number: millions of rows are brought together by it, and not by
-- two texts.

with

areas as (

    select * from {{ ref('mart_areas') }}

),

final as (

    select
        cast(row_number() over (order by area_level, area_code) as integer) as area_id,
        area_level,
        area_code,
        area_name,
    from areas

)

select * from final
