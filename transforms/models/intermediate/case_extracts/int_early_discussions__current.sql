{{ current_rows('stg_cps__early_discussions', ['crime_reference_token', 'force_code', 'held_date']) }}
