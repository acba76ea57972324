with

source as (

    select * from {{ source('extracts', 'cps_reviews') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        urn_token,
        suspect_number,
        cps_area_code,
        review_type,
        review_date,
        guidance_assessment,
        is_withdrawn,
        urn_form,
        urn_force_code,
        urn_suffix,
    from source

)

select * from final
