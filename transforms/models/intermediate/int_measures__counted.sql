-- Every measure that is counted, one below the other, added up by place and by period of its source.

with

unioned as (

    {% for measure_id in counted_measure_ids() %}
        select
            '{{ measure_id }}' as measure_id,
            breakdown,
            area_code,
            force_code,
            measured_date,
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
        area_code,
        force_code,
        cast(date_trunc('month', measured_date) as date) as period_start,
        cast(sum(numerator) as double) as numerator,
        cast(sum(denominator) as double) as denominator,
    from unioned
    group by all

)

select * from final
