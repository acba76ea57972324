with

source as (

    select * from {{ source('extracts', 'cps_receipts') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        urn_token,
        suspect_number,
        cps_area_code,
        force_code,
        police_unit,
        received_date,
        receipt_type,
        is_in_custody,
        target_days,
        {{ codes('monitoring_flags') }} as monitoring_flags,
        triage_outcome,
        triage_date,
        {{ codes('triage_reasons') }} as triage_reasons,
        respond_by_date,
        prosecutor_allocated_date,
        decided_by_cps_direct as is_decided_by_cps_direct,
        lead_urn_token,
        lead_urn_suffix,
        lead_suspect_number,
        is_withdrawn,
        urn_form,
        urn_force_code,
        urn_suffix,
    from source

)

select * from final
