-- Every receipt of a suspect with the case that it belongs to now, the force and the Area that it counts for.
--
-- A case is told by the URN (with its suffix) under which it goes on. The Area is the one that received the file: CPS
-- Direct, which decides at night, is not an Area.

with

receipts as (

    select * from {{ ref('int_cps_receipts__current') }}

),

forces as (

    select * from {{ ref('forces') }}

),

placed as (

    {{ with_case_as_continued('receipts') }}

),

final as (

    select
        placed.urn_token,
        placed.urn_suffix,
        placed.suspect_number,
        placed.case_urn_token,
        placed.case_urn_suffix,
        placed.case_suspect_number,
        placed.cps_area_code as area_code,
        forces.force_code,
        placed.receipt_type,
        placed.received_date,
        placed.target_days,
        list_contains(placed.monitoring_flags, 'RAPE') as is_rape_flagged,
        list_contains(placed.monitoring_flags, 'CPRO') as is_child_abuse_flagged,
        placed.triage_outcome,
        placed.triage_reasons,
        placed.prosecutor_allocated_date,
    from placed
    left join forces on {{ force_of_urn('placed.force_code') }} = forces.force_code

)

select * from final
