with

source as (

    select * from {{ source('extracts', 'panel_findings') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        cps_area_code,
        sample_item_id,
        sample_kind,
        reviewer_role,
        agreed,
        {{ codes('themes') }} as themes,
        is_relevant,
        is_proportionate,
        is_decision_changed,
        reviewed_date,
        is_withdrawn,
    from source

)

select * from final
