with

source as (

    select * from {{ source('extracts', 'cps_information_requests') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        urn_token,
        cps_area_code,
        plan_number,
        item_number,
        category,
        requested_date,
        due_date,
        received_date,
        cancelled_date,
        priority,
        has_senior_sign_off,
        is_withdrawn,
        urn_form,
        urn_force_code,
        urn_suffix,
    from source

)

select * from final
