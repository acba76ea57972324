{{ current_rows('stg_cps__decisions', ['urn_token', 'urn_suffix', 'suspect_number', 'decision_date']) }}
