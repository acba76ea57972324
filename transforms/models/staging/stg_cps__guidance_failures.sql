with

source as (

    select * from {{ source('extracts', 'cps_guidance_failures') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        urn_token,
        cps_area_code,
        review_date,
        failure_reason,
        is_disputed,
        is_dispute_upheld,
        is_withdrawn,
        urn_form,
        urn_force_code,
        urn_suffix,
    from source

)

select * from final
