"""The columns of each kind, in the order in which they are written; a test holds them against the contracts."""

from __future__ import annotations

COLUMNS: dict[str, tuple[str, ...]] = {
    "police_crimes": (
        "crime_reference", "police_unit", "offence_code", "committed_from", "committed_to", "reported_date",
        "recorded_date", "victim_age_band", "is_non_recent", "characteristics_recorded", "outcome_type",
        "outcome_date", "not_referred_reason", "is_withdrawn",
    ),
    "police_referrals": (
        "urn", "crime_reference", "suspect_number", "submission_type", "submitted_date",
        "early_advice_not_sought_reason", "is_withdrawn",
    ),
    "early_discussions": (
        "crime_reference", "force_code", "complexity_reasons", "held_date", "expected_submission_date",
        "prosecutor_allocated_date", "is_withdrawn",
    ),
    "cps_receipts": (
        "urn", "suspect_number", "police_unit", "received_date", "receipt_type", "is_in_custody", "target_days",
        "monitoring_flags", "triage_outcome", "triage_date", "triage_reasons", "respond_by_date",
        "prosecutor_allocated_date", "decided_by_cps_direct", "lead_urn", "lead_suspect_number",
        "is_withdrawn",
    ),
    "cps_reviews": ("urn", "suspect_number", "review_type", "review_date", "guidance_assessment", "is_withdrawn"),
    "cps_guidance_failures": (
        "urn", "review_date", "failure_reason", "is_disputed", "is_dispute_upheld", "is_withdrawn",
    ),
    "cps_information_requests": (
        "urn", "plan_number", "item_number", "category", "requested_date", "due_date", "received_date",
        "cancelled_date", "priority", "has_senior_sign_off", "is_withdrawn",
    ),
    "cps_decisions": (
        "urn", "suspect_number", "decision_date", "decision", "charged_date", "charged_offence_code", "reopened_date",
        "monitoring_flags", "is_withdrawn",
    ),
    "cps_prosecution_outcomes": (
        "urn", "suspect_number", "first_hearing_date", "crown_court_receipt_date", "finalised_date", "outcome",
        "victim_reason", "convicted_offence_code", "monitoring_flags", "is_withdrawn",
    ),
    "panel_findings": (
        "sample_item_id", "sample_kind", "reviewer_role", "agreed", "themes", "is_relevant", "is_proportionate",
        "is_decision_changed", "reviewed_date", "is_withdrawn",
    ),
    "joint_meetings": (
        "force_code", "meeting_date", "roles_present", "items_discussed_count", "decisions_taken_count", "is_withdrawn",
    ),
    "local_action_plan": (
        "action_id", "force_code", "title", "owner_role", "measure_id", "opened_date", "due_date", "status",
        "completed_date", "is_withdrawn",
    ),
}  # fmt: skip
