-- The nation, the CPS Areas with the extra area LONDON, and the forces.

with

cps_areas as (

    select * from {{ ref('cps_areas') }}

),

forces as (

    select * from {{ ref('forces') }}

),

forces_by_area as (

    select
        cps_area_code as area_code,
        string_agg(force_code, '|' order by force_code) as member_force_codes,
    from forces
    where cps_area_code is not null
    group by cps_area_code

),

nation as (

    select
        'national' as area_level,
        'EW' as area_code,
        'England and Wales' as area_name,
        cast(null as varchar) as parent_area_code,
        string_agg(force_code, '|' order by force_code) as member_force_codes,
        cast(null as varchar) as joint_area_code,
        'All forces; crimes of the British Transport Police are counted here and in no Area.' as note,
    from forces

),

areas as (

    select
        'area' as area_level,
        cps_areas.area_code,
        cps_areas.area_name,
        'EW' as parent_area_code,
        coalesce(forces_by_area.member_force_codes, '') as member_force_codes,
        cps_areas.joint_area_code,
        cps_areas.note,
    from cps_areas
    left join forces_by_area on cps_areas.area_code = forces_by_area.area_code

),

single_forces as (

    select
        'force' as area_level,
        force_code as area_code,
        force_name as area_name,
        coalesce(cps_area_code, 'EW') as parent_area_code,
        force_code as member_force_codes,
        cast(null as varchar) as joint_area_code,
        case when cps_area_code is null then 'Belongs to no CPS Area: counted nationally only.' end as note,
    from forces

),

final as (

    select * from nation
    union all
    select * from areas
    union all
    select * from single_forces

)

select * from final
