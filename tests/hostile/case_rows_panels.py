"""Good and hostile rows of what joint panels send: made up, all of them."""

from __future__ import annotations

from case_rows import (
    CaseRows,
    at_fault_as_a_whole,
    cell,
    cells,
    far_fewer_rows_than_usual,
    in_period,
    many_bad_rows,
    many_rows_of_other_period,
    one_row_too_many_declared,
    other_period,
    row_twice,
)

# Rows 1 to 6: one item read by both services, without agreement; a decision; two requests for information; one of which
# the reader is unsure.
FINDINGS = CaseRows(
    kind="panel_findings",
    supplier="joint-panel-west-midlands",
    period="2020-11",
    text="""
sample_item_id,sample_kind,reviewer_role,agreed,themes,is_relevant,is_proportionate,is_decision_changed,reviewed_date,\
is_withdrawn
2020-11-N001,not_referred,police,yes,,,,true,2020-11-10,
2020-11-N001,not_referred,cps,no,issue_lines_of_enquiry|issue_rationale_not_recorded,,,true,2020-11-11,
2020-10-C014,no_further_action,cps,unsure,good_rationale,,,false,2020-11-11,
2020-11-I002,information_request,police,no,issue_digital_proportionality,true,false,false,2020-11-12,
2020-11-I003,information_request,cps,yes,good_suspect_focus,true,true,false,2020-11-12,
2020-11-I004,information_request,police,unsure,,,,false,2020-11-12,
""",
    hostile={
        "PF-001": cell("sample_item_id", ""),
        "PF-002": cell("sample_item_id", "20AA1234520"),
        "PF-003": cell("sample_kind", ""),
        "PF-004": cell("sample_kind", "acquittal"),
        "PF-005": cell("reviewer_role", "NA"),
        "PF-006": cell("reviewer_role", "DI Smith"),
        "PF-007": cell("agreed", ""),
        "PF-008": cell("agreed", "mostly"),
        "PF-009": cell("themes", "issue_delay|the victim moved away"),
        "PF-010": cell("is_relevant", "partly", row=4),
        "PF-011": cell("is_proportionate", "partly", row=4),
        "PF-012": cell("is_decision_changed", ""),
        "PF-013": cell("is_decision_changed", "pending"),
        "PF-014": cell("reviewed_date", ""),
        "PF-015": cell("reviewed_date", "10th"),
        "PF-027": cell("is_withdrawn", "in part"),
        "PF-016": row_twice(1, of_rows=6, texts={"agreed": "no"}),
        "PF-017": cell("sample_kind", "no_further_action"),
        "PF-018": cell("is_relevant", "", row=4),
        "PF-019": cell("is_proportionate", "true"),
        "PF-020": cell("reviewed_date", "2020-10-31"),
        "PF-021": in_period("2020-11..2021-02", cell("reviewed_date", "2021-01-16")),
        "PF-022": at_fault_as_a_whole(cell("reviewed_date", "2020-12-01")),
        "PF-023": many_rows_of_other_period("2020-12", "sample_item_id", lambda n: f"2020-11-N9{n:02d}"),
        "PF-024": many_bad_rows("PF-007", "agreed", "", "sample_item_id", lambda n: f"2020-11-N9{n:02d}"),
        "PF-025": one_row_too_many_declared(),
        "PF-026": far_fewer_rows_than_usual(),
    },
)

MEETINGS = CaseRows(
    kind="joint_meetings",
    supplier="joint-panel-west-midlands",
    period="2020-11",
    text="""
force_code,meeting_date,roles_present,items_discussed_count,decisions_taken_count,is_withdrawn
20,2020-11-19,police_rasso_lead|police_senior_officer|cps_rasso_head|victim_services,24,5,
21,2020-11-17,police_rasso_lead|cps_reviewing_lawyer,8,0,
23,2020-11-24,police_disclosure_lead|cps_disclosure_champion,0,0,
""",
    hostile={
        "JM-001": cell("force_code", ""),
        "JM-002": cell("force_code", "WM"),
        "JM-003": cell("meeting_date", ""),
        "JM-004": cell("meeting_date", "19th"),
        "JM-005": cell("roles_present", ""),
        "JM-006": cell("roles_present", "police_rasso_lead|cps_rasso_head|Jo Smith"),
        "JM-007": cell("items_discussed_count", "NA"),
        "JM-008": cell("items_discussed_count", "many"),
        "JM-009": cell("items_discussed_count", "-1"),
        "JM-010": cell("decisions_taken_count", ""),
        "JM-011": cell("decisions_taken_count", "0.5"),
        "JM-012": cell("decisions_taken_count", "-5"),
        "JM-022": cell("is_withdrawn", "in part"),
        "JM-013": row_twice(1, of_rows=3, texts={"items_discussed_count": "25"}),
        "JM-014": cell("force_code", "01"),
        "JM-015": cell("roles_present", "police_rasso_lead|police_senior_officer|victim_services"),
        "JM-016": in_period("2020-11..2021-02", cell("meeting_date", "2021-01-16")),
        "JM-017": at_fault_as_a_whole(cell("meeting_date", "2020-12-01")),
        "JM-018": other_period("2020-12"),
        "JM-019": many_bad_rows("JM-007", "items_discussed_count", "", "meeting_date", lambda n: f"2020-11-{n:02d}"),
        "JM-020": one_row_too_many_declared(),
        "JM-021": far_fewer_rows_than_usual(),
    },
)

# Rows 1 to 4: for one force and due in the future; for all, done; cancelled; agreed long ago, due in the period.
ACTIONS = CaseRows(
    kind="local_action_plan",
    supplier="joint-panel-west-midlands",
    period="2020-11",
    text="""
action_id,force_code,title,owner_role,measure_id,opened_date,due_date,status,completed_date,is_withdrawn
A2020-007,20,"Ask for early advice in every complex case, from the first week",police_rasso_lead,early_advice_share,\
2020-11-19,2021-03-31,open,,
A2020-008,,Give a reason for each rejected file,cps_rasso_head,triage_accepted_share,2020-11-02,\
2020-11-30,completed,2020-11-27,
A2020-009,21,Count digital requests for 90 days,cps_disclosure_champion,information_requests_per_case,2020-11-05,\
2020-12-31,cancelled,NA,
A2019-031,22,Review one in ten crimes closed in 2019,police_senior_officer,police_outcome_share,2019-09-01,\
2020-11-15,open,,
""",
    hostile={
        "AP-001": cell("action_id", ""),
        "AP-002": cell("action_id", "20AA1234520"),
        "AP-003": cell("force_code", "WM"),
        "AP-004": cell("title", ""),
        "AP-005": cell("title", "Ask again and " * 9),
        "AP-006": cell("title", "Look at 20 AA 12345 20 again"),
        "AP-007": cell("owner_role", ""),
        "AP-008": cell("owner_role", "Jo Smith"),
        "AP-009": cell("measure_id", ""),
        "AP-010": cell("measure_id", "Early advice"),
        "AP-011": cell("opened_date", ""),
        "AP-012": cell("opened_date", "last meeting"),
        "AP-013": cell("due_date", ""),
        "AP-014": cell("due_date", "next meeting"),
        "AP-015": cell("status", ""),
        "AP-016": cell("status", "nearly done"),
        "AP-017": cell("completed_date", "done", row=2),
        "AP-029": cell("is_withdrawn", "in part"),
        "AP-018": row_twice(1, of_rows=4, texts={"owner_role": "cps_rasso_head"}),
        "AP-019": cell("force_code", "01"),
        "AP-020": cell("due_date", "2020-11-18"),
        "AP-021": cell("completed_date", "2020-11-01", row=2),
        "AP-022": cell("completed_date", "2020-11-27"),
        "AP-023": cell("completed_date", "2021-01-16", row=2),
        "AP-024": at_fault_as_a_whole(cells({"opened_date": "2020-12-01", "due_date": "2021-03-31"})),
        "AP-030": many_rows_of_other_period("2021-01", "action_id", lambda n: f"A2020-9{n:02d}"),
        "AP-026": many_bad_rows("AP-004", "title", "", "action_id", lambda n: f"A2020-9{n:02d}"),
        "AP-027": one_row_too_many_declared(),
        "AP-028": far_fewer_rows_than_usual(),
    },
)

PANELS = (FINDINGS, MEETINGS, ACTIONS)
