{#-
    Rows of a CTE (with urn_token, urn_suffix, suspect_number) with the case in which the suspect stands now: a case goes
    on under another URN when it was split or merged.
-#}
{% macro with_case_as_continued(relation) -%}
    select
        {{ relation }}.*,
        coalesce(continuations.case_urn_token, {{ relation }}.urn_token) as case_urn_token,
        coalesce(continuations.case_urn_suffix, {{ relation }}.urn_suffix) as case_urn_suffix,
        coalesce(continuations.case_suspect_number, {{ relation }}.suspect_number) as case_suspect_number,
    from {{ relation }}
    left join {{ ref('int_suspects__continued') }} as continuations
        on {{ relation }}.urn_token = continuations.urn_token
        and {{ relation }}.urn_suffix = continuations.urn_suffix
        and {{ relation }}.suspect_number = continuations.suspect_number
{%- endmacro %}

{#- The force that a code in a URN means. 02 is a second code of the Metropolitan Police; 00 stands for systems that forces
    share and tells no force. -#}
{% macro force_of_urn(column) -%}
    case {{ column }} when '02' then '01' else {{ column }} end
{%- endmacro %}
