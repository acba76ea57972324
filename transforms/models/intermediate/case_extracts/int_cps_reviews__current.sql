{{ current_rows('stg_cps__reviews', ['urn_token', 'suspect_number', 'review_type', 'review_date']) }}
