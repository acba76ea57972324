-- The places of a kind's rows that make up each force, area and the nation: what is added up, and what is due.
-- National is all of them, for the Home Office the British Transport Police too, which belongs to no area.

with

extract_kinds as (

    select * from {{ ref('extract_kinds') }}

),

forces as (

    select * from {{ ref('forces') }}

),

places as (

    select
        extract_kinds.kind,
        forces.force_code,
        forces.cps_area_code,
        case extract_kinds.place_column
            when 'force_code' then forces.force_code
            when 'cps_place_code' then forces.cps_place_code
        end as place_code,
    from extract_kinds
    cross join forces

),

of_forces as (

    select
        kind,
        'force' as area_level,
        force_code as area_code,
        place_code,
    from places
    where place_code = force_code

),

of_areas as (

    select distinct
        kind,
        'area' as area_level,
        cps_area_code as area_code,
        place_code,
    from places
    where place_code is not null
        and cps_area_code is not null

),

of_the_nation as (

    select distinct
        kind,
        'national' as area_level,
        'EW' as area_code,
        place_code,
    from places
    where place_code is not null

),

final as (

    select * from of_forces
    union all
    select * from of_areas
    union all
    select * from of_the_nation

)

select * from final
