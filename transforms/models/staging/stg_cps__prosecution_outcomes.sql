with

source as (

    select * from {{ source('extracts', 'cps_prosecution_outcomes') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        urn_token,
        suspect_number,
        cps_area_code,
        first_hearing_date,
        crown_court_receipt_date,
        finalised_date,
        outcome,
        victim_reason,
        convicted_offence_code,
        {{ codes('monitoring_flags') }} as monitoring_flags,
        is_withdrawn,
        urn_form,
        urn_force_code,
        urn_suffix,
    from source

)

select * from final
