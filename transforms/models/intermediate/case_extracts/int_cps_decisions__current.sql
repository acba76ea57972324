{{ current_rows('stg_cps__decisions', ['urn_token', 'suspect_number', 'decision_date']) }}
