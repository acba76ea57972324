{{ current_rows('stg_cps__receipts', ['urn_token', 'suspect_number', 'received_date', 'receipt_type']) }}
