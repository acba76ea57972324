-- What files failed in, with force and flag of the case. A failure whose dispute was upheld no longer stands.

with

failures as (

    select * from {{ ref('int_cps_guidance_failures__current') }}

),

files as (

    select * from {{ ref('int_files__described') }}

),

final as (

    select
        failures.urn_token,
        failures.urn_suffix,
        failures.review_date,
        failures.cps_area_code as area_code,
        files.force_code,
        coalesce(files.is_rape_flagged, false) as is_rape_flagged,
        split_part(failures.failure_reason, '__', 1) as failure_family,
        coalesce(failures.is_disputed, false) as is_disputed,
        coalesce(failures.is_dispute_upheld, false) as is_dispute_upheld,
        not coalesce(failures.is_dispute_upheld, false) as is_standing,
    from failures
    left join files
        on failures.urn_token = files.urn_token
        and failures.urn_suffix = files.urn_suffix

)

select * from final
