with

source as (

    select * from {{ source('extracts', 'local_action_plan') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        cps_area_code,
        action_id,
        force_code,
        title,
        owner_role,
        measure_id,
        opened_date,
        due_date,
        status,
        completed_date,
        is_withdrawn,
    from source

)

select * from final
