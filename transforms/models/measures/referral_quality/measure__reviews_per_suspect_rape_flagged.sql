-- Rape-flagged suspects first decided in the month, and how many reviews of their file there had been by then.

with

suspects as (

    select * from {{ ref('int_suspects__reviewed') }}

),

final as (

    select
        area_code,
        force_code,
        first_completion_date as measured_date,
        '' as breakdown,
        review_count as numerator,
        1 as denominator,
    from suspects
    where is_rape_flagged
        and first_completion_date is not null

)

select * from final
