{{ current_rows('stg_cps__prosecution_outcomes', ['urn_token', 'suspect_number']) }}
