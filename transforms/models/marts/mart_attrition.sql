-- Cohorts of recorded crimes, and how far they came: one row for each area and period, one column for each measure.

{{ one_row_per_area_and_period([
    'referral_share_12_months_rape',
    'referral_share_12_months_rasso',
    'reported_to_court_share_24_months_rape',
    'reported_to_court_share_24_months_rasso',
    'attrition_24_months_rape',
]) }}
