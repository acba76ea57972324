-- The places of a kind's rows that make up each force, area and the nation: what is added up, and what is due.
--
-- National is all of them, for the police the British Transport Police too, which belongs to no area. CPS Areas send
-- case extracts for themselves; a force's cases lie with its Area, those of London's forces with two, those of the
-- British Transport Police with all. The places that are not a kind's own (London's forces for London North) are due
-- only where another service's records are followed into this kind.

with

extract_kinds as (

    select * from {{ ref('extract_kinds') }}

),

forces as (

    select * from {{ ref('forces') }}

),

cps_areas as (

    select * from {{ ref('cps_areas') }}
    where not is_extra

),

-- Which forces' cases each CPS Area decides.
areas_of_forces as (

    select
        forces.force_code,
        forces.cps_area_code,
        cps_areas.area_code,
    from forces
    inner join cps_areas
        on forces.cps_area_code = cps_areas.area_code
        or forces.cps_area_code is null
        or forces.cps_area_code = cps_areas.joint_area_code

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
        true as is_own,
    from places
    where place_code = force_code

),

of_areas as (

    select distinct
        kind,
        'area' as area_level,
        cps_area_code as area_code,
        place_code,
        true as is_own,
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
        true as is_own,
    from places
    where place_code is not null

),

-- London North and London South send for the same two forces.
of_halves_of_london as (

    select
        extract_kinds.kind,
        'area' as area_level,
        areas_of_forces.area_code,
        areas_of_forces.force_code as place_code,
        false as is_own,
    from extract_kinds
    inner join areas_of_forces on areas_of_forces.cps_area_code = 'LONDON'
    where extract_kinds.place_column = 'force_code'
        and extract_kinds.is_case_level

),

from_areas as (

    select
        extract_kinds.kind,
        'area' as area_level,
        cps_areas.area_code,
        cps_areas.area_code as place_code,
        true as is_own,
    from extract_kinds
    cross join cps_areas
    where extract_kinds.place_column = 'cps_area_code'

),

from_areas_for_forces as (

    select
        extract_kinds.kind,
        'force' as area_level,
        areas_of_forces.force_code as area_code,
        areas_of_forces.area_code as place_code,
        extract_kinds.has_force_figures as is_own,
    from extract_kinds
    cross join areas_of_forces
    where extract_kinds.place_column = 'cps_area_code'

),

from_areas_for_the_nation as (

    select
        kind,
        'national' as area_level,
        'EW' as area_code,
        place_code,
        is_own,
    from from_areas

),

from_areas_for_london as (

    select distinct
        extract_kinds.kind,
        'area' as area_level,
        'LONDON' as area_code,
        areas_of_forces.area_code as place_code,
        false as is_own,
    from extract_kinds
    inner join areas_of_forces on areas_of_forces.cps_area_code = 'LONDON'
    where extract_kinds.place_column = 'cps_area_code'

),

final as (

    select * from of_forces
    union all
    select * from of_areas
    union all
    select * from of_the_nation
    union all
    select * from of_halves_of_london
    union all
    select * from from_areas
    union all
    select * from from_areas_for_forces
    union all
    select * from from_areas_for_the_nation
    union all
    select * from from_areas_for_london

)

select * from final
