-- Rapes recorded in the month, and how many reached each later stage within 24 months, in a linked case: a cohort.

{% set stages = {
    '1_referred': 'first_submitted_date',
    '2_decided': 'first_completion_date',
    '3_charged': 'first_charged_date',
    '4_reached_court': 'first_court_receipt_date',
    '5_convicted': 'first_conviction_date',
} %}

with

crimes as (

    select * from {{ ref('int_crimes__followed') }}

),

rapes as (

    select
        area_code,
        force_code,
        cast(date_trunc('month', recorded_date) as date) as measured_date,
        count(*) as recorded_count,
        {% for stage, reached_date in stages.items() %}
            count(*) filter (where {{ reached_date }} <= recorded_date + interval 24 month) as count_{{ stage }},
        {% endfor %}
    from crimes
    where is_rape
    group by all

),

whole as (

    select
        area_code,
        force_code,
        measured_date,
        '' as breakdown,
        count_5_convicted as numerator,
        recorded_count as denominator,
    from rapes

),

parts as (

    {% for stage in stages %}
        select
            area_code,
            force_code,
            measured_date,
            'stage={{ stage }}' as breakdown,
            count_{{ stage }} as numerator,
            cast(null as bigint) as denominator,
        from rapes
        {% if not loop.last %} union all {% endif %}
    {% endfor %}

),

final as (

    select * from whole
    union all
    select * from parts

)

select * from final
