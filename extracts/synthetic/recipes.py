"""How to spoil a row so that it trips one rule of its contract and no other.

Belongs here: one recipe for each row-level rule that can be tripped alone. Does not belong here: where defects go
(``defects``).

Rules of missing values, of values that cannot be read and of ranges are known from the contract itself; rules that are
SQL have a recipe under their id. A recipe gives the changed row, or None where this row cannot carry that defect.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from extracts.contract import Contract, Rule

Row = dict[str, str]

DUPLICATE = "duplicateValues"
_FUTURE = "2099-12-31"
_NO_FORCE = "98"
_STANDARD_URN = re.compile(r"[0-9]{2}[A-Z0-9]{2}[0-9]{7}")
_NEVER_FILLED = ("is_withdrawn",)  # in no row that is written
_UNREADABLE = {"date": "2019-02-30", "bigint": "two", "boolean": "perhaps", "varchar": "not_a_code"}


def recipe_for(contract: Contract, rule: Rule) -> Callable[[Row], Row | None] | None:
    """The recipe of a row-level rule; None where nothing can trip that rule alone."""
    if rule.severity != "row":
        return None
    if rule.rule_id in _BY_RULE:
        return _BY_RULE[rule.rule_id]
    if rule.check == DUPLICATE:
        return _unchanged
    if rule.column is None or rule.column not in {column.name for column in contract.columns if column.headers}:
        return None
    return _by_check(contract, rule, rule.column)


def _by_check(contract: Contract, rule: Rule, column: str) -> Callable[[Row], Row | None] | None:
    if rule.check == "nullValues":
        return _emptied(column)
    if rule.check == "invalidValues":
        sql_type = next(entry.sql_type for entry in contract.columns if entry.name == column)
        fill = _filled if column in _NEVER_FILLED else _put
        return fill(column, _UNREADABLE[sql_type])
    if rule.check == "expect_column_values_to_be_between":
        return _put(column, str(int(rule.arguments["min_value"]) - 1))
    return None


def _unchanged(row: Row) -> Row | None:
    return row


def _put(column: str, text: str, where: Callable[[Row], bool] = lambda _: True) -> Callable[[Row], Row | None]:
    def recipe(row: Row) -> Row | None:
        return {**row, column: text} if row[column] and where(row) else None

    return recipe


def _filled(column: str, text: str, where: Callable[[Row], bool] = lambda _: True) -> Callable[[Row], Row | None]:
    """Put a text where there was none."""

    def recipe(row: Row) -> Row | None:
        return {**row, column: text} if not row[column] and where(row) else None

    return recipe


def _emptied(column: str, where: Callable[[Row], bool] = lambda _: True) -> Callable[[Row], Row | None]:
    return _put(column, "", where)


def _start(column: str, length: int, text: str) -> Callable[[Row], Row | None]:
    """Another beginning of a text."""

    def recipe(row: Row) -> Row | None:
        return {**row, column: text + row[column][length:]} if row[column] else None

    return recipe


def _moved(
    column: str, origin: str, days: int, where: Callable[[Row], bool] = lambda _: True
) -> Callable[[Row], Row | None]:
    """A day so many days after another one of the row."""

    def recipe(row: Row) -> Row | None:
        if not row[origin] or not where(row):
            return None
        return {**row, column: (date.fromisoformat(row[origin]) + timedelta(days=days)).isoformat()}

    return recipe


def _malformed_urn(row: Row) -> Row | None:
    plain = _plain_urn(row)
    return {**row, "urn": plain[:8]} if plain else None


def _foreign_urn(row: Row) -> Row | None:
    plain = _plain_urn(row)
    return {**row, "urn": _NO_FORCE + plain[2:]} if plain else None


def _plain_urn(row: Row) -> str | None:
    """The URN without slashes, where it is whole and was not split."""
    plain = row["urn"].replace("/", "")
    return plain if _STANDARD_URN.fullmatch(plain) else None


def _is(column: str, *texts: str) -> Callable[[Row], bool]:
    return lambda row: row[column] in texts


def _has(column: str) -> Callable[[Row], bool]:
    return lambda row: bool(row[column])


def _starts(column: str, text: str) -> Callable[[Row], bool]:
    return lambda row: row[column].startswith(text)


def _committed_after_report(row: Row) -> Row | None:
    if row["is_non_recent"] == "true":
        return None
    day = (date.fromisoformat(row["reported_date"]) + timedelta(days=1)).isoformat()
    return {**row, "committed_from": day, "committed_to": day} if day < row["recorded_date"][:4] + "-12-30" else None


def _read_before_drawn(row: Row) -> Row | None:
    first = date.fromisoformat(row["sample_item_id"][:7] + "-01")
    return {**row, "reviewed_date": (first - timedelta(days=1)).isoformat()}


def _ended_before_court(row: Row) -> Row | None:
    if not row["finalised_date"]:
        return None
    came = date.fromisoformat(row["crown_court_receipt_date"] or row["first_hearing_date"])
    return {**row, "finalised_date": (came - timedelta(days=1)).isoformat()}


def _other_sample(row: Row) -> Row | None:
    other = {"not_referred": "no_further_action", "no_further_action": "not_referred"}.get(row["sample_kind"])
    return {**row, "sample_kind": other} if other else None


def _is_convicted(row: Row) -> bool:
    return row["outcome"].startswith("convicted")


_BY_RULE: dict[str, Callable[[Row], Row | None]] = {
    "PC-003": _start("police_unit", 1, "X"),
    "PC-022": _start("police_unit", 2, _NO_FORCE),
    "PC-023": _moved("committed_from", "committed_to", 1),
    "PC-024": _committed_after_report,
    "PC-025": _moved("reported_date", "recorded_date", 1, _is("is_non_recent", "false")),
    "PC-026": _moved("outcome_date", "recorded_date", -1, lambda row: row["outcome_type"] != "0"),
    "PC-027": _put("outcome_date", _FUTURE),
    "PC-028": _emptied("outcome_date"),
    "PC-029": _put("outcome_type", "6", lambda row: row["offence_code"].startswith("19") and bool(row["outcome_date"])),
    "PR-012": _malformed_urn,
    "PR-014": _foreign_urn,
    "PR-015": _put("submitted_date", _FUTURE),
    "ED-003": _start("force_code", 1, ""),
    "ED-011": _put("force_code", _NO_FORCE),
    "ED-013": _put("prosecutor_allocated_date", _FUTURE),
    "CR-006": _start("police_unit", 1, "X"),
    "CR-015": _put("target_days", "14"),
    "CR-025": _malformed_urn,
    "CR-027": _foreign_urn,
    "CR-028": _start("police_unit", 2, _NO_FORCE),
    "CR-029": _moved("triage_date", "received_date", -1, _has("triage_date")),
    "CR-030": _moved("respond_by_date", "triage_date", -1, _has("respond_by_date")),
    "CR-032": _put("prosecutor_allocated_date", _FUTURE),
    "CR-033": _emptied("triage_outcome", _is("triage_outcome", "accepted")),
    "CR-034": _filled("triage_reasons", "no_mg3", _is("triage_outcome", "accepted")),
    "CV-012": _malformed_urn,
    "CV-014": _foreign_urn,
    "CV-015": _put("review_date", _FUTURE),
    "GF-010": _malformed_urn,
    "GF-012": _foreign_urn,
    "GF-013": _put("review_date", _FUTURE),
    "GF-014": _filled("is_dispute_upheld", "true", _is("is_disputed", "false")),
    "CD-010": _put("charged_offence_code", "RAPE"),
    "CD-013": _malformed_urn,
    "CD-015": _foreign_urn,
    "CD-016": _emptied("charged_offence_code"),
    "CD-017": _moved("charged_date", "decision_date", 0, _starts("decision", "no_further")),
    "CD-018": _moved("reopened_date", "decision_date", 0, _starts("decision", "no_further")),
    "CD-019": _moved("reopened_date", "decision_date", -1, _is("decision", "administratively_finalised")),
    "CD-021": _put("charged_date", _FUTURE),
    "IR-020": _malformed_urn,
    "IR-022": _foreign_urn,
    "IR-023": _moved("due_date", "requested_date", -1),
    "IR-024": _moved("received_date", "requested_date", -1, _has("received_date")),
    "IR-025": _moved("cancelled_date", "requested_date", -1, _has("cancelled_date")),
    "IR-026": _put("received_date", _FUTURE),
    "IR-027": _emptied("has_senior_sign_off"),
    "CO-011": _put("convicted_offence_code", "GUILTY"),
    "CO-013": _malformed_urn,
    "CO-015": _foreign_urn,
    "CO-016": _moved("crown_court_receipt_date", "first_hearing_date", -1, _has("crown_court_receipt_date")),
    "CO-017": _ended_before_court,
    "CO-018": _put("finalised_date", _FUTURE),
    "CO-019": _emptied("outcome", lambda row: not _is_convicted(row) and not row["victim_reason"]),
    "CO-020": _filled("victim_reason", "victim_retraction", _is_convicted),
    "CO-021": _emptied("convicted_offence_code"),
    "PF-002": lambda row: {**row, "sample_item_id": row["sample_item_id"] + "X"},
    "PF-017": _other_sample,
    "PF-018": _emptied("is_relevant", _is("agreed", "yes", "no")),
    "PF-019": _emptied("is_proportionate", _is("agreed", "yes", "no")),
    "PF-020": _read_before_drawn,
    "PF-021": _put("reviewed_date", _FUTURE),
    "JM-002": _start("force_code", 1, ""),
    "JM-014": _put("force_code", _NO_FORCE),
    "JM-016": _put("meeting_date", _FUTURE),
    "AP-002": _start("action_id", 1, "B"),
    "AP-003": _start("force_code", 1, ""),
    "AP-005": lambda row: {**row, "title": row["title"] + " and keep doing so until everybody knows it by heart" * 3},
    "AP-006": lambda row: {**row, "title": row["title"] + " 20191"},
    "AP-010": _put("measure_id", "Charge rate"),
    "AP-019": _put("force_code", _NO_FORCE),
    "AP-020": _moved("due_date", "opened_date", -1),
    "AP-021": _moved("completed_date", "opened_date", -1, _is("status", "completed")),
    "AP-022": _emptied("completed_date"),
    "AP-023": _put("completed_date", _FUTURE),
}
