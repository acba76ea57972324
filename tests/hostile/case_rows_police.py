"""Good and hostile rows of what forces send, and of early discussions, which speak of crimes: made up, all of them."""

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
    row_twice,
    trips_also,
)

# Rows 1 to 6: open; closed; without a last day; without any day of the offence; recorded before the period and closed
# in it; open.
CRIMES = CaseRows(
    kind="police_crimes",
    supplier="west-midlands-police",
    period="2020-11",
    text="""
crime_reference,police_unit,offence_code,committed_from,committed_to,reported_date,recorded_date,victim_age_band,\
is_non_recent,characteristics_recorded,outcome_type,outcome_date,not_referred_reason,is_withdrawn
20AA/100001/20,20AA,19C,2020-10-30,2020-10-31,2020-11-02,2020-11-03,25_to_34,false,age|sex|ethnicity,0,,,
20AA/100002/20,20AA,19D,2018-05-01,2018-08-31,2020-11-05,2020-11-05,13_to_15,true,age|sex,16,2020-11-28,victim_does_not_support,
20BC/100003/20,20bc,20a,2020-11-08,NA,2020-11-09,2020-11-10,18_to_24,false,,15,2020-11-25,evidential_test_not_met,
20BC/100004/20,20BC,19E,1900-01-01,,2020-11-12,2020-11-12,0_to_12,true,age,0,,,
20AA/100005/20,00AA,88A,2019-12-01,2019-12-01,2020-03-04,2020-03-05,16_to_17,false,sex,1,2020-11-20,,
20AA/100006/20,20AA,19F,2020-11-14,2020-11-15,2020-11-15,2020-11-16,35_to_44,false,age|sex|gender_identity,0,,,
""",
    hostile={
        "PC-001": cell("crime_reference", ""),
        "PC-002": cell("police_unit", ""),
        "PC-003": cell("police_unit", "20A"),
        "PC-004": cell("offence_code", "NA"),
        "PC-005": cell("offence_code", "8N"),
        "PC-006": cell("committed_from", "last summer"),
        "PC-007": cell("committed_to", "2020-10-32"),
        "PC-008": cell("reported_date", "1900-01-01"),
        "PC-009": cell("reported_date", "yesterday"),
        "PC-010": cell("recorded_date", ""),
        "PC-011": cell("recorded_date", "03/11/2020"),
        "PC-012": cell("victim_age_band", ""),
        "PC-013": cell("victim_age_band", "27"),
        "PC-014": cell("is_non_recent", ""),
        "PC-015": cell("is_non_recent", "perhaps"),
        "PC-016": cell("characteristics_recorded", "age|sex|white_british"),
        "PC-017": cell("outcome_type", "", row=2),
        "PC-018": cell("outcome_type", "23", row=2),
        "PC-019": cell("outcome_date", "soon", row=2),
        "PC-020": cell("not_referred_reason", "she moved away", row=2),
        "PC-037": cell("is_withdrawn", "in part"),
        # The same reference in another spelling is the same crime.
        "PC-021": row_twice(1, of_rows=6, texts={"crime_reference": "20aa-100001 20"}),
        "PC-022": cell("police_unit", "21AA"),
        "PC-023": cell("committed_from", "2020-11-01"),
        "PC-024": cells({"committed_from": "2020-11-10", "committed_to": ""}, row=3),
        "PC-025": cell("reported_date", "2020-11-04"),
        "PC-026": cell("outcome_date", "2020-11-04", row=2),
        "PC-027": cell("outcome_date", "2021-01-16", row=2),
        "PC-028": cell("outcome_type", "18"),
        "PC-029": cell("outcome_type", "17", row=2),
        "PC-030": cell("outcome_type", "1a", row=5),
        "PC-031": cell("is_non_recent", "true"),
        "PC-032": at_fault_as_a_whole(cell("recorded_date", "2020-12-01")),
        "PC-033": many_rows_of_other_period("2020-12", "crime_reference", lambda n: f"20AA/3{n:05d}/20"),
        "PC-034": many_bad_rows("PC-012", "victim_age_band", "", "crime_reference", lambda n: f"20AA/2{n:05d}/20"),
        "PC-035": one_row_too_many_declared(),
        "PC-036": far_fewer_rows_than_usual(),
    },
)

# Rows 1 to 5: early advice; its charging decision; two suspects of one crime, split into two cases; a resubmission.
REFERRALS = CaseRows(
    kind="police_referrals",
    supplier="west-midlands-police",
    period="2020-11",
    text="""
urn,crime_reference,suspect_number,submission_type,submitted_date,early_advice_not_sought_reason,is_withdrawn
20AA1234520,20AA/100001/20,1,early_advice,2020-11-06,,
20AA1234520,20AA/100001/20,1,charging_decision,2020-11-20,,
20/BC/34567/20/1,20BC/100003/20,1,charging_decision,2020-11-12,simple_case,
20/BC/34567/20/2,20BC/100003/20,2,charging_decision,2020-11-12,simple_case,
00aa5678920,20AA/100005/20,1,resubmission,2020-11-16,NA,
""",
    hostile={
        "PR-001": cell("urn", ""),
        "PR-002": cell("crime_reference", "NA"),
        "PR-003": cell("suspect_number", ""),
        "PR-004": cell("suspect_number", "1.5"),
        "PR-005": cell("suspect_number", "100"),
        "PR-006": cell("submission_type", ""),
        "PR-007": cell("submission_type", "first"),
        "PR-008": cell("submitted_date", "1900-01-01"),
        "PR-009": cell("submitted_date", "06.11.2020"),
        "PR-010": cell("early_advice_not_sought_reason", "no time", row=2),
        "PR-023": cell("is_withdrawn", "in part"),
        "PR-011": row_twice(3, of_rows=5, texts={"early_advice_not_sought_reason": "other"}),
        "PR-012": cell("urn", "the second file"),
        "PR-013": cell("urn", "20AA1Z34520"),
        "PR-014": cell("urn", "21AA1234520"),
        "PR-015": in_period("2020-11..2021-02", cell("submitted_date", "2021-01-16")),
        "PR-016": cell("early_advice_not_sought_reason", "other"),
        "PR-017": cell("crime_reference", "20AA/999999/20"),
        "PR-018": at_fault_as_a_whole(cell("submitted_date", "2020-12-01")),
        "PR-019": many_rows_of_other_period("2020-12", "suspect_number", lambda n: str(10 + n)),
        "PR-020": many_bad_rows("PR-006", "submission_type", "", "suspect_number", lambda n: str(10 + n)),
        "PR-021": one_row_too_many_declared(),
        "PR-022": far_fewer_rows_than_usual(),
    },
    refers_to=("police_crimes",),
)

# Rows 1 to 4: expected in the future; without a prosecutor; discussed before the period, allocated in it; once more.
DISCUSSIONS = CaseRows(
    kind="early_discussions",
    supplier="cps-west-midlands",
    period="2020-11",
    text="""
crime_reference,force_code,complexity_reasons,held_date,expected_submission_date,prosecutor_allocated_date,is_withdrawn
20AA/100001/20,20,digital_volume|third_party_material,2020-11-17,2021-03-31,2020-11-17,
20BC/100004/20,20,multiple_victims|non_recent|vulnerable_victim,2020-11-19,2020-11-30,NA,
20AA/100005/20,20,high_profile,2020-10-02,,2020-11-05,
20AA/100001/20,20,other,2020-11-26,2021-03-31,2020-11-17,
""",
    hostile={
        "ED-001": cell("crime_reference", ""),
        "ED-002": cell("force_code", ""),
        # A crime is known by its reference within its force: under another force it is another crime.
        "ED-003": trips_also("ED-014", cell("force_code", "WM")),
        "ED-004": cell("complexity_reasons", ""),
        "ED-005": cell("complexity_reasons", "digital_volume|famous suspect"),
        "ED-006": cell("held_date", ""),
        "ED-007": cell("held_date", "Tuesday"),
        "ED-008": cell("expected_submission_date", "in spring"),
        "ED-009": cell("prosecutor_allocated_date", "yes"),
        "ED-020": cell("is_withdrawn", "in part"),
        "ED-010": row_twice(1, of_rows=4, texts={"complexity_reasons": "other"}),
        "ED-011": trips_also("ED-014", cell("force_code", "01")),
        "ED-012": cell("expected_submission_date", "2020-11-16"),
        "ED-013": cell("prosecutor_allocated_date", "2021-01-16"),
        "ED-014": cell("crime_reference", "20AA/999999/20"),
        "ED-015": at_fault_as_a_whole(cell("held_date", "2020-12-01")),
        # Crimes that no force sent.
        "ED-016": trips_also(
            "ED-014", many_rows_of_other_period("2020-12", "crime_reference", lambda n: f"20AA/3{n:05d}/20")
        ),
        "ED-017": many_bad_rows("ED-004", "complexity_reasons", "", "held_date", lambda n: f"2020-11-{n:02d}"),
        "ED-018": one_row_too_many_declared(),
        "ED-019": far_fewer_rows_than_usual(),
    },
    refers_to=("police_crimes",),
)

POLICE = (CRIMES, REFERRALS, DISCUSSIONS)
