-- Every measure at its finest level, one below the other.

{% set measures_with_breakdown = ['rape_police_outcome_share_crimes_closed_basis'] %}

with

unioned as (

    {% for measure_id in measure_ids() %}
        select
            '{{ measure_id }}' as measure_id,
            area_code,
            force_code,
            measured_date,
            {% if measure_id in measures_with_breakdown %} breakdown, {% else %} '' as breakdown, {% endif %}
            numerator,
            denominator,
        from {{ ref('measure__' ~ measure_id) }}
        {% if not loop.last %} union all {% endif %}
    {% endfor %}

),

final as (

    select
        measure_id,
        breakdown,
        coalesce(force_code, area_code) as place_code,
        measured_date,
        cast(numerator as double) as numerator,
        cast(denominator as double) as denominator,
    from unioned

)

select * from final
