with

source as (

    select * from {{ source('extracts', 'police_crimes') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        crime_reference_token,
        force_code,
        police_unit,
        offence_code,
        committed_from,
        committed_to,
        reported_date,
        recorded_date,
        victim_age_band,
        is_non_recent,
        {{ codes('characteristics_recorded') }} as characteristics_recorded,
        outcome_type,
        outcome_date,
        not_referred_reason,
        is_withdrawn,
    from source

)

select * from final
