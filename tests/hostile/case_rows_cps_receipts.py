"""Good and hostile rows of what the CPS receives and reviews, and of what reviews find wrong: made up, all of them."""

from __future__ import annotations

from case_rows import (
    CaseRows,
    at_fault_as_a_whole,
    cell,
    far_fewer_rows_than_usual,
    in_period,
    many_bad_rows,
    many_rows_of_other_period,
    one_row_too_many_declared,
    row_twice,
    trips_also,
)

# Rows 1 to 6: early advice; its charging decision, not triaged yet; two suspects sent back, whose case was split; sent
# back before the period ended and received before it began; come again, and merged into another case.
RECEIPTS = CaseRows(
    kind="cps_receipts",
    supplier="cps-west-midlands",
    period="2020-11",
    text="""
urn,suspect_number,police_unit,received_date,receipt_type,is_in_custody,target_days,monitoring_flags,triage_outcome,\
triage_date,triage_reasons,respond_by_date,prosecutor_allocated_date,decided_by_cps_direct,lead_urn,\
lead_suspect_number,is_withdrawn
20AA1234520,1,20AA,2020-11-09,early_advice,false,28,RAPE|DOMV,accepted,2020-11-10,,,2020-11-11,false,,,
20AA1234520,1,20aa,2020-11-20,charging_decision,false,28,rape|domv,,NA,,,,false,,,
20/BC/34567/20,1,20BC,2020-11-12,charging_decision,false,28,RAPE,rejected_non_compliant,2020-11-13,\
no_mg3|hard_media_not_provided,2021-01-31,,false,20/BC/34567/20/1,,
20/BC/34567/20,2,20BC,2020-11-12,charging_decision,false,28,RAPE,rejected_non_compliant,2020-11-13,\
no_dv_checklist,2021-01-31,,false,20/BC/34567/20/2,,
00aa5678920,1,00AA,2020-10-29,charging_decision,true,5,,rejected_priority,2020-11-02,\
check_custody_status_and_resubmit,2020-11-16,1900-01-01,true,NA,NA,
00aa5678920,1,00AA,2020-11-16,resubmission,true,5,NA,accepted,2020-11-16,NA,NA,2020-11-16,true,20AA1234520,2,
""",
    hostile={
        "CR-001": cell("urn", ""),
        "CR-002": cell("suspect_number", ""),
        "CR-003": cell("suspect_number", "one"),
        "CR-004": cell("suspect_number", "0"),
        "CR-005": cell("police_unit", ""),
        "CR-006": cell("police_unit", "20-A"),
        "CR-007": cell("received_date", "1900-01-01"),
        "CR-008": cell("received_date", "9 November"),
        "CR-009": cell("receipt_type", ""),
        "CR-010": cell("receipt_type", "second file"),
        "CR-011": cell("is_in_custody", ""),
        "CR-012": cell("is_in_custody", "remanded"),
        "CR-013": cell("target_days", "NA"),
        "CR-014": cell("target_days", "4 weeks"),
        "CR-015": cell("target_days", "14"),
        "CR-016": cell("monitoring_flags", "RAPE|DV"),
        "CR-017": cell("triage_outcome", "rejected", row=3),
        "CR-018": cell("triage_date", "at once", row=3),
        "CR-019": cell("triage_reasons", "no_mg3|no phone of the brother", row=3),
        "CR-020": cell("respond_by_date", "in two weeks", row=3),
        "CR-021": cell("prosecutor_allocated_date", "A. Prosecutor"),
        "CR-022": cell("decided_by_cps_direct", ""),
        "CR-023": cell("decided_by_cps_direct", "at night"),
        "CR-045": cell("lead_suspect_number", "second", row=6),
        "CR-046": cell("lead_suspect_number", "0", row=6),
        "CR-044": cell("is_withdrawn", "in part"),
        # The same URN in another spelling is the same case.
        "CR-024": row_twice(1, of_rows=6, texts={"urn": "20/aa/12345/20", "monitoring_flags": "RAPE"}),
        "CR-025": cell("urn", "the second file"),
        "CR-026": cell("urn", "20AA1Z34520"),
        "CR-027": cell("urn", "01AA1234520"),
        "CR-028": cell("police_unit", "01AA"),
        "CR-029": cell("triage_date", "2020-11-08"),
        "CR-030": cell("respond_by_date", "2020-11-12", row=3),
        "CR-031": cell("prosecutor_allocated_date", "2020-11-08"),
        "CR-032": cell("prosecutor_allocated_date", "2021-01-16"),
        "CR-033": cell("triage_date", "", row=3),
        "CR-034": cell("triage_outcome", "accepted", row=3),
        "CR-035": cell("triage_reasons", "", row=3),
        "CR-036": cell("triage_outcome", "rejected_priority", row=3),
        "CR-037": cell("lead_urn", "the other file", row=3),
        "CR-038": cell("lead_urn", "20BC 34567 20", row=3),
        "CR-047": cell("lead_suspect_number", "2"),
        "CR-039": at_fault_as_a_whole(cell("received_date", "2020-12-01", row=2)),
        "CR-040": many_rows_of_other_period("2020-12", "suspect_number", lambda n: str(10 + n)),
        "CR-041": many_bad_rows("CR-011", "is_in_custody", "", "suspect_number", lambda n: str(10 + n)),
        "CR-042": one_row_too_many_declared(),
        "CR-043": far_fewer_rows_than_usual(),
    },
)

# Rows 1 to 5: early advice; a first look at the file; two suspects on one day; the decision that ends an older case.
REVIEWS = CaseRows(
    kind="cps_reviews",
    supplier="cps-west-midlands",
    period="2020-11",
    text="""
urn,suspect_number,review_type,review_date,guidance_assessment,is_withdrawn
20AA1234520,1,early_advice,2020-11-12,not_assessed,
20AA1234520,1,initial_review,2020-11-24,not_compliant,
20/BC/34567/20/1,1,initial_review,2020-11-18,not_compliant,
20/BC/34567/20/2,2,initial_review,2020-11-18,compliant,
00aa5678920,1,pre_charge_decision,2020-11-17,compliant,
""",
    hostile={
        "CV-001": cell("urn", ""),
        "CV-002": cell("suspect_number", ""),
        "CV-003": cell("suspect_number", "1.5"),
        # A suspect of another number is another suspect, of whom no receipt speaks.
        "CV-004": trips_also("CV-016", cell("suspect_number", "100")),
        "CV-005": cell("review_type", ""),
        "CV-006": cell("review_type", "second look"),
        "CV-007": cell("review_date", "1900-01-01"),
        "CV-008": cell("review_date", "12/11/2020"),
        "CV-009": cell("guidance_assessment", ""),
        "CV-010": cell("guidance_assessment", "nearly"),
        "CV-022": cell("is_withdrawn", "in part"),
        "CV-011": row_twice(1, of_rows=5, texts={"guidance_assessment": "compliant"}),
        # Another URN is another case, which no receipt speaks of.
        "CV-012": trips_also("CV-016", cell("urn", "the second file")),
        "CV-013": trips_also("CV-016", cell("urn", "20AA1Z34520")),
        "CV-014": trips_also("CV-016", cell("urn", "01AA1234520")),
        "CV-015": in_period("2020-11..2021-02", cell("review_date", "2021-01-16")),
        "CV-016": cell("suspect_number", "2"),
        "CV-017": at_fault_as_a_whole(cell("review_date", "2020-12-01")),
        # Suspects that no receipt names.
        "CV-018": trips_also("CV-016", many_rows_of_other_period("2020-12", "suspect_number", lambda n: str(10 + n))),
        "CV-019": many_bad_rows("CV-009", "guidance_assessment", "", "review_date", lambda n: f"2020-11-{12 + n:02d}"),
        "CV-020": one_row_too_many_declared(),
        "CV-021": far_fewer_rows_than_usual(),
    },
    refers_to=("cps_receipts",),
)

# Rows 1 to 4: not disputed; disputed and open; disputed and settled either way.
FAILURES = CaseRows(
    kind="cps_guidance_failures",
    supplier="cps-west-midlands",
    period="2020-11",
    text="""
urn,review_date,failure_reason,is_disputed,is_dispute_upheld,is_withdrawn
20AA1234520,2020-11-24,disclosure__schedules_not_provided,false,,
20AA1234520,2020-11-24,evidential__statements,true,NA,
20/BC/34567/20/1,2020-11-18,evidential__cctv_not_clipped,true,true,
20/BC/34567/20/1,2020-11-18,victim_and_witness__vps_not_offered_or_provided,true,false,
""",
    hostile={
        "GF-001": cell("urn", ""),
        "GF-002": cell("review_date", ""),
        "GF-003": cell("review_date", "24 November"),
        "GF-004": cell("failure_reason", ""),
        "GF-005": cell("failure_reason", "evidential__the_officer_forgot"),
        "GF-006": cell("is_disputed", ""),
        "GF-007": cell("is_disputed", "by the sergeant"),
        "GF-008": cell("is_dispute_upheld", "in part", row=3),
        "GF-021": cell("is_withdrawn", "in part"),
        "GF-009": row_twice(1, of_rows=4, texts={"is_disputed": "true"}),
        # Another URN or another day is another review, which no extract of reviews holds.
        "GF-010": trips_also("GF-015", cell("urn", "the second file")),
        "GF-011": trips_also("GF-015", cell("urn", "20AA1Z34520")),
        "GF-012": trips_also("GF-015", cell("urn", "01AA1234520")),
        "GF-013": trips_also("GF-015", in_period("2020-11..2021-02", cell("review_date", "2021-01-16"))),
        "GF-014": cell("is_dispute_upheld", "false"),
        "GF-015": cell("review_date", "2020-11-23"),
        "GF-016": trips_also("GF-015", at_fault_as_a_whole(cell("review_date", "2020-12-01"))),
        # Reviews that nobody sent.
        "GF-017": trips_also("GF-015", many_rows_of_other_period("2020-12", "urn", lambda n: f"20AA9{n:04d}20")),
        "GF-018": many_bad_rows("GF-001", "urn", "", "review_date", lambda n: f"2020-11-{n:02d}"),
        "GF-019": one_row_too_many_declared(),
        "GF-020": far_fewer_rows_than_usual(),
    },
    refers_to=("cps_reviews",),
)

RECEIVED = (RECEIPTS, REVIEWS, FAILURES)
