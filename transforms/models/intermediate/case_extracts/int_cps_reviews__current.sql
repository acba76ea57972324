{{ current_rows('stg_cps__reviews', ['urn_token', 'urn_suffix', 'suspect_number', 'review_type', 'review_date']) }}
