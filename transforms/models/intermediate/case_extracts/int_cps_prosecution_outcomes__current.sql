{{ current_rows('stg_cps__prosecution_outcomes', ['urn_token', 'urn_suffix', 'suspect_number']) }}
