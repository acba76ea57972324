-- What joint panels, meetings and local plans did: one row for each area and period, one column for each measure.

{{ one_row_per_area_and_period([
    'samples_reviewed_share',
    'panel_agreement_share',
    'information_requests_proportionate_share',
    'recurring_issues_share',
    'disagreements_changed_share',
    'complex_cases_discussed_early_share_rasso',
    'discussed_cases_allocated_early_share_rasso',
    'meetings_held_share',
    'actions_on_time_share',
]) }}
