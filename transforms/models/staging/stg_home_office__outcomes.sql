with

source as (

    select * from {{ source('extracts', 'home_office_outcomes') }}

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
        outcome_type,
        recorded_basis_count,
        closed_basis_count,
    from source

)

select * from final
