-- What is known of the case under a URN, for records that name a URN and no suspect: reviews of a file, failures,
-- action plans. Both the URN of a receipt and the one under which its case goes on are described.

with

receipts as (

    select * from {{ ref('int_receipts__placed') }}

),

unioned as (

    select
        urn_token,
        urn_suffix,
        case_urn_token,
        case_urn_suffix,
        force_code,
        is_rape_flagged,
        received_date,
    from receipts
    union all
    select
        case_urn_token as urn_token,
        case_urn_suffix as urn_suffix,
        case_urn_token,
        case_urn_suffix,
        force_code,
        is_rape_flagged,
        received_date,
    from receipts

),

final as (

    select
        urn_token,
        urn_suffix,
        -- A case in which somebody stays is still that case; one that everybody left is the one they went to.
        coalesce(
            any_value(urn_token) filter (where case_urn_token = urn_token and case_urn_suffix = urn_suffix),
            arg_max(case_urn_token, received_date)
        ) as case_urn_token,
        coalesce(
            any_value(urn_suffix) filter (where case_urn_token = urn_token and case_urn_suffix = urn_suffix),
            arg_max(case_urn_suffix, received_date)
        ) as case_urn_suffix,
        arg_min(force_code, received_date) as force_code,
        bool_or(is_rape_flagged) as is_rape_flagged,
    from unioned
    group by urn_token, urn_suffix

)

select * from final
