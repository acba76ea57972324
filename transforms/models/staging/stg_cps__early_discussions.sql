with

source as (

    select * from {{ source('extracts', 'early_discussions') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        crime_reference_token,
        force_code,
        cps_area_code,
        {{ codes('complexity_reasons') }} as complexity_reasons,
        held_date,
        expected_submission_date,
        prosecutor_allocated_date,
        is_withdrawn,
    from source

)

select * from final
