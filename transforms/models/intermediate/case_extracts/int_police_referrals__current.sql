{{ current_rows('stg_police__referrals', [
    'urn_token',
    'urn_suffix',
    'crime_reference_token',
    'suspect_number',
    'submission_type',
    'submitted_date',
]) }}
