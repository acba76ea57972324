-- How much of both services could be linked: one row for each area and period, one column for each measure.

{{ one_row_per_area_and_period([
    'cases_linked_share_rasso',
    'referred_crimes_linked_share_rasso',
]) }}
