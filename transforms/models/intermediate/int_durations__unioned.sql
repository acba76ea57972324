-- Every measure of time, one below the other: a row for each thing that took so many days.

with

unioned as (

    {% for measure_id in duration_measure_ids() %}
        select
            '{{ measure_id }}' as model,
            area_code,
            force_code,
            measured_date,
            days,
        from {{ ref('measure__' ~ measure_id) }}
        {% if not loop.last %} union all {% endif %}
    {% endfor %}

),

final as (

    select
        model,
        area_code,
        force_code,
        cast(date_trunc('month', measured_date) as date) as period_start,
        cast(days as integer) as days,
    from unioned

)

select * from final
