{{ current_rows('stg_cps__information_requests', ['urn_token', 'urn_suffix', 'plan_number', 'item_number']) }}
