{#-
    Tables, made anew in one commit: the new table replaces the old one in the transaction in which it is made, so that a
    reader sees the one or the other. The adapter's own materialization makes a second table, renames twice and drops the
    old one in a commit of its own: about a second of a build of fifty small tables.

    Left out because a lake has none of them: indexes, foreign keys, grants.
-#}
{% materialization table, adapter='duckdb', supported_languages=['sql'] %}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
        {% if existing_relation is not none -%}
        drop {{ existing_relation.type }} if exists {{ existing_relation }};
        {% endif -%}
        {{ create_table_as(False, target_relation, compiled_code) }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
