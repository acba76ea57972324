{{ current_rows('stg_cps__guidance_failures', ['urn_token', 'review_date', 'failure_reason']) }}
