"""Good and hostile rows of what the CPS does after a review: requests, decisions, prosecutions; all of them made up."""

from __future__ import annotations

from case_rows import (
    CaseRows,
    at_fault_as_a_whole,
    cell,
    cells,
    far_fewer_rows_than_usual,
    many_bad_rows,
    many_rows_of_other_period,
    one_row_too_many_declared,
    row_twice,
    trips_also,
)

# Rows 1 to 5: answered; due in the future; a second plan; asked for before the period and answered in it; withdrawn.
REQUESTS = CaseRows(
    kind="cps_information_requests",
    supplier="cps-west-midlands",
    period="2020-11",
    text="""
urn,plan_number,item_number,category,requested_date,due_date,received_date,cancelled_date,priority,has_senior_sign_off,\
is_withdrawn
20AA1234520,1,1,digital_material,2020-11-10,2020-11-24,2020-11-20,,essential,,
20AA1234520,1,2,third_party_material,2020-11-10,2021-03-31,NA,,standard,,
20AA1234520,2,1,victim_statement,2020-11-24,2020-12-08,,,essential,true,
20/BC/34567/20/1,1,1,medical_evidence,2020-10-20,2020-11-03,2020-11-05,,essential,1900-01-01,
00aa5678920,1,1,other,2020-11-17,2020-12-01,,2020-11-19,standard,false,
""",
    hostile={
        "IR-001": cell("urn", ""),
        "IR-002": cell("plan_number", ""),
        "IR-003": cell("plan_number", "first"),
        "IR-004": cell("plan_number", "0"),
        "IR-005": cell("item_number", ""),
        "IR-006": cell("item_number", "1.5"),
        "IR-007": cell("item_number", "0"),
        "IR-008": cell("category", ""),
        "IR-009": cell("category", "the brother's phone"),
        "IR-010": cell("requested_date", ""),
        "IR-011": cell("requested_date", "10/11/2020"),
        "IR-012": cell("due_date", "1900-01-01"),
        "IR-013": cell("due_date", "in two weeks"),
        "IR-014": cell("received_date", "in part"),
        "IR-015": cell("cancelled_date", "yes", row=5),
        "IR-016": cell("priority", ""),
        "IR-017": cell("priority", "urgent"),
        "IR-018": cell("has_senior_sign_off", "A. Prosecutor", row=3),
        "IR-034": cell("is_withdrawn", "in part"),
        "IR-019": row_twice(1, of_rows=5, texts={"received_date": "2020-11-21"}),
        # Another URN is another case, which no receipt speaks of.
        "IR-020": trips_also("IR-028", cell("urn", "the second file")),
        "IR-021": trips_also("IR-028", cell("urn", "20AA1Z34520")),
        "IR-022": trips_also("IR-028", cell("urn", "01AA1234520")),
        "IR-023": cell("due_date", "2020-11-09"),
        "IR-024": cell("received_date", "2020-11-09"),
        "IR-025": cell("cancelled_date", "2020-11-16", row=5),
        "IR-026": cell("cancelled_date", "2021-01-16", row=5),
        "IR-027": cell("has_senior_sign_off", "", row=3),
        "IR-028": cell("urn", "20AA9999920"),
        "IR-029": at_fault_as_a_whole(cell("requested_date", "2020-12-01", row=3)),
        "IR-030": many_rows_of_other_period("2020-12", "item_number", lambda n: str(10 + n)),
        "IR-031": many_bad_rows("IR-008", "category", "", "item_number", lambda n: str(10 + n)),
        "IR-032": one_row_too_many_declared(),
        "IR-033": far_fewer_rows_than_usual(),
    },
    refers_to=("cps_receipts",),
)

# Rows 1 to 5: charged; no further action; closed and reopened; decided before the period and charged in it; the case
# that was reopened, decided and not charged yet.
DECISIONS = CaseRows(
    kind="cps_decisions",
    supplier="cps-west-midlands",
    period="2020-11",
    text="""
urn,suspect_number,decision_date,decision,charged_date,charged_offence_code,reopened_date,monitoring_flags,is_withdrawn
20AA1234520,1,2020-11-27,charge,2020-11-28,SX03001A,,RAPE|DOMV,
20/BC/34567/20/1,1,2020-11-13,no_further_action_evidential,NA,NA,NA,rape,
20/BC/34567/20/2,2,2020-11-13,administratively_finalised,,,2020-11-25,RAPE,
00aa5678920,1,2020-10-30,charge,2020-11-02,sx03001,1900-01-01,NA,
20/BC/34567/20/2,2,2020-11-26,charge,,COML025A,,RAPE,
""",
    hostile={
        "CD-001": cell("urn", ""),
        "CD-002": cell("suspect_number", ""),
        "CD-003": cell("suspect_number", "1.5"),
        # A suspect of another number is another suspect, of whom no receipt speaks.
        "CD-004": trips_also("CD-022", cell("suspect_number", "100")),
        "CD-005": cell("decision_date", "1900-01-01"),
        "CD-006": cell("decision_date", "27 November"),
        "CD-007": cell("decision", ""),
        "CD-008": cell("decision", "to be charged"),
        "CD-009": cell("charged_date", "tomorrow"),
        "CD-010": cell("charged_offence_code", "rape"),
        "CD-011": cell("reopened_date", "yes", row=3),
        "CD-029": cell("monitoring_flags", "RAPE|DV"),
        "CD-028": cell("is_withdrawn", "in part"),
        "CD-012": row_twice(1, of_rows=5, texts={"charged_offence_code": "SX03025"}),
        "CD-013": trips_also("CD-022", cell("urn", "the second file")),
        "CD-014": trips_also("CD-022", cell("urn", "20AA1Z34520")),
        "CD-015": trips_also("CD-022", cell("urn", "01AA1234520")),
        "CD-016": cell("charged_offence_code", ""),
        "CD-017": cell("decision", "no_further_action_public_interest"),
        "CD-018": cell("decision", "out_of_court_disposal", row=3),
        "CD-019": cell("reopened_date", "2020-11-12", row=3),
        "CD-020": cell("charged_date", "2020-11-26"),
        "CD-021": cell("charged_date", "2021-01-16"),
        "CD-022": cell("urn", "20AA9999920"),
        "CD-030": cell("decision_date", "2020-11-06"),
        "CD-023": at_fault_as_a_whole(cells({"decision_date": "2020-12-01", "charged_date": ""})),
        # Suspects that no receipt names.
        "CD-024": trips_also("CD-022", many_rows_of_other_period("2020-12", "suspect_number", lambda n: str(10 + n))),
        "CD-025": many_bad_rows("CD-007", "decision", "", "decision_date", lambda n: f"2020-11-{12 + n}"),
        "CD-026": one_row_too_many_declared(),
        "CD-027": far_fewer_rows_than_usual(),
    },
    refers_to=("cps_receipts",),
)

# Rows 1 to 4: at court; convicted by the Crown Court, of a crime at common law; dropped before it came there; charged
# by the police and ended by the defendant's death.
PROSECUTIONS = CaseRows(
    kind="cps_prosecution_outcomes",
    supplier="cps-west-midlands",
    period="2020-11",
    text="""
urn,suspect_number,first_hearing_date,crown_court_receipt_date,finalised_date,outcome,victim_reason,\
convicted_offence_code,monitoring_flags,is_withdrawn
20AA1234520,1,2020-11-30,,,,,,RAPE|DOMV,
00aa5678920,1,2020-11-03,2020-11-10,2020-11-27,convicted_plea,,coml025,,
20/BC/34567/20/2,2,2020-11-27,NA,2020-11-30,dropped,victim_retraction,NA,rape,
20/BC/34567/20/1,1,2020-11-16,,2020-11-20,other_ended,,,rape,
""",
    hostile={
        "CO-001": cell("urn", ""),
        "CO-002": cell("suspect_number", ""),
        "CO-003": cell("suspect_number", "1.5"),
        # A suspect of another number is another suspect, on whom nothing was decided.
        "CO-004": trips_also("CO-023", cell("suspect_number", "100")),
        "CO-005": cell("first_hearing_date", ""),
        "CO-006": cell("first_hearing_date", "Monday"),
        "CO-007": cell("crown_court_receipt_date", "sent", row=2),
        "CO-008": cell("finalised_date", "no", row=2),
        "CO-009": cell("outcome", "guilty", row=2),
        "CO-010": cell("victim_reason", "she moved away", row=3),
        "CO-011": cell("convicted_offence_code", "SX3001", row=2),
        "CO-030": cell("monitoring_flags", "RAPE|DV"),
        "CO-029": cell("is_withdrawn", "in part"),
        "CO-012": row_twice(2, of_rows=4, texts={"outcome": "convicted_trial"}),
        # Another URN is another case, of which neither a receipt nor a decision speaks.
        "CO-013": trips_also("CO-022", trips_also("CO-023", cell("urn", "the second file"))),
        "CO-014": trips_also("CO-022", trips_also("CO-023", cell("urn", "20AA1Z34520"))),
        "CO-015": trips_also("CO-022", trips_also("CO-023", cell("urn", "01AA1234520"))),
        "CO-016": cell("crown_court_receipt_date", "2020-11-02", row=2),
        "CO-017": cell("finalised_date", "2020-11-26", row=3),
        "CO-018": cell("finalised_date", "2021-01-16", row=3),
        "CO-019": cell("finalised_date", "", row=3),
        "CO-020": cell("victim_reason", "victim_non_attendance", row=2),
        "CO-021": cell("convicted_offence_code", "", row=2),
        "CO-022": trips_also("CO-023", cell("urn", "20AA9999920")),
        "CO-023": cell("suspect_number", "2"),
        "CO-031": cells({"first_hearing_date": "2020-11-02", "finalised_date": "2020-11-10"}, row=3),
        "CO-024": at_fault_as_a_whole(cell("first_hearing_date", "2020-12-01")),
        # Suspects that no decision names.
        "CO-025": trips_also("CO-023", many_rows_of_other_period("2020-12", "suspect_number", lambda n: str(10 + n))),
        "CO-026": many_bad_rows("CO-001", "urn", "", "first_hearing_date", lambda n: f"2020-11-{n:02d}"),
        "CO-027": one_row_too_many_declared(),
        "CO-028": far_fewer_rows_than_usual(),
    },
    refers_to=("cps_receipts", "cps_decisions"),
)

DECIDED = (REQUESTS, DECISIONS, PROSECUTIONS)
