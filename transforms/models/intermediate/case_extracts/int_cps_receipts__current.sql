{{ current_rows('stg_cps__receipts', ['urn_token', 'urn_suffix', 'suspect_number', 'received_date', 'receipt_type']) }}
