-- Every receipt of a suspect with the case that it belongs to now, the force and the Area that it counts for.
--
-- A case is told by the URN (with its suffix) under which it goes on. The Area is the one that received the file: CPS
-- Direct, which decides at night, is not an Area. 02 is a second code of the Metropolitan Police; 00 stands for systems
-- that forces share and tells no force.

with

receipts as (

    select * from {{ ref('int_cps_receipts__current') }}

),

continuations as (

    select * from {{ ref('int_suspects__continued') }}

),

forces as (

    select * from {{ ref('forces') }}

),

placed as (

    select
        *,
        case when force_code = '02' then '01' else force_code end as sending_force_code,
    from receipts

),

final as (

    select
        placed.urn_token,
        placed.urn_suffix,
        placed.suspect_number,
        coalesce(continuations.case_urn_token, placed.urn_token) as case_urn_token,
        coalesce(continuations.case_urn_suffix, placed.urn_suffix) as case_urn_suffix,
        coalesce(continuations.case_suspect_number, placed.suspect_number) as case_suspect_number,
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
    left join continuations
        on placed.urn_token = continuations.urn_token
        and placed.urn_suffix = continuations.urn_suffix
        and placed.suspect_number = continuations.suspect_number
    left join forces on placed.sending_force_code = forces.force_code

)

select * from final
