with

source as (

    select * from {{ source('extracts', 'cps_principal_offence_outcomes') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        place_code,
        period_start,
        period_end,
        place_code = 'EW' as is_national_row,
        sexual_offences_convictions_count as convictions_count,
        sexual_offences_unsuccessful_count as unsuccessful_count,
        sexual_offences_convictions_pct as published_conviction_pct,
    from source

)

select * from final
