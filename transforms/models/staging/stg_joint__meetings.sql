with

source as (

    select * from {{ source('extracts', 'joint_meetings') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        cps_area_code,
        force_code,
        meeting_date,
        {{ codes('roles_present') }} as roles_present,
        items_discussed_count,
        decisions_taken_count,
        is_withdrawn,
    from source

)

select * from final
