-- Suspects that the CPS received, one row each however often their file came, in the case in which they stand now.
--
-- A flag that was set on one receipt stays: the CPS keeps the rape flag when a lesser offence is charged. Force and
-- Area are those of the first receipt.

with

receipts as (

    select * from {{ ref('int_receipts__placed') }}

),

final as (

    select
        case_urn_token,
        case_urn_suffix,
        case_suspect_number as suspect_number,
        arg_min(area_code, received_date) as area_code,
        arg_min(force_code, received_date) as force_code,
        bool_or(is_rape_flagged) as is_rape_flagged,
        bool_or(is_child_abuse_flagged) as is_child_abuse_flagged,
        min(received_date) as first_received_date,
        min(received_date) filter (where receipt_type = 'early_advice') as first_advice_received_date,
        min(received_date) filter (where receipt_type = 'charging_decision') as first_request_received_date,
    from receipts
    group by case_urn_token, case_urn_suffix, case_suspect_number

)

select * from final
