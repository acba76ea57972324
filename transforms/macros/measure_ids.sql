{#- The measures that there are models for; a test holds it against the catalogue, both ways. -#}
{% macro measure_ids() -%}
    {{ return([
        'rape_charge_share_crimes_closed_basis',
        'rape_charge_share_crimes_recorded_basis',
        'rape_charges_crimes_closed_basis',
        'rape_charges_crimes_recorded_basis',
        'rape_police_outcome_share_crimes_closed_basis',
        'rape_victim_support_ended_share_crimes_closed_basis',
        'recorded_rape_crimes',
        'recorded_sexual_offence_crimes',
        'sexual_offence_charges_crimes_closed_basis',
        'sexual_offence_charges_crimes_recorded_basis',
        'sexual_offence_conviction_rate_defendants',
        'sexual_offence_convictions_defendants',
        'sexual_offence_unsuccessful_outcomes_defendants',
    ]) }}
{%- endmacro %}
