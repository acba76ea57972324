with

source as (

    select * from {{ source('extracts', 'home_office_recorded_crime') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        place_code,
        period_start,
        period_end,
        offence_code,
        recorded_count,
    from source

)

select * from final
