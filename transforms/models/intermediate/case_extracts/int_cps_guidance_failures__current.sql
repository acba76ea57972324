{{ current_rows('stg_cps__guidance_failures', ['urn_token', 'urn_suffix', 'review_date', 'failure_reason']) }}
