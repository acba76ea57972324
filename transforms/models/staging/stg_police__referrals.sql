with

source as (

    select * from {{ source('extracts', 'police_referrals') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        urn_token,
        crime_reference_token,
        force_code,
        suspect_number,
        submission_type,
        submitted_date,
        early_advice_not_sought_reason,
        is_withdrawn,
        urn_form,
        urn_force_code,
        urn_suffix,
    from source

)

select * from final
