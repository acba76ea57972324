with

source as (

    select * from {{ source('extracts', 'cps_decisions') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        urn_token,
        suspect_number,
        cps_area_code,
        decision_date,
        decision,
        charged_date,
        charged_offence_code,
        reopened_date,
        {{ codes('monitoring_flags') }} as monitoring_flags,
        is_withdrawn,
        urn_form,
        urn_force_code,
        urn_suffix,
    from source

)

select * from final
