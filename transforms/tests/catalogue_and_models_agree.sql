{{ config(tags=['code']) }}

-- A measure that is counted and not in the catalogue fails, and so does the reverse.

with

catalogue as (

    select distinct model as measure_id from {{ ref('mart_measures') }}

),

models as (

    {% for measure_id in counted_measure_ids() + duration_measure_ids() %}
        select '{{ measure_id }}' as measure_id
        {% if not loop.last %} union all {% endif %}
    {% endfor %}

),

final as (

    select
        catalogue.measure_id as in_catalogue,
        models.measure_id as in_models,
    from catalogue
    full outer join models on catalogue.measure_id = models.measure_id
    where catalogue.measure_id is null
        or models.measure_id is null

)

select * from final
