{{ current_rows('stg_cps__information_requests', ['urn_token', 'plan_number', 'item_number']) }}
