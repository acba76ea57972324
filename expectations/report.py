"""Validation reports: what was checked in a delivery, what was kept out and why.

Belongs here: the record of one delivery's validation (JSON), its page, the supplier's feedback file, and the index.
Does not belong here: running rules. Nothing in a report is a value of a supplier's file: counts, rule ids and row
numbers only. Great Expectations' own Data Docs load style and script from third parties and can show values, so pages
are made here.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from expectations.pages import TEMPLATES, write_page, write_text
from extracts.delivery import slug
from extracts.period import Period

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# Pages that other steps write beside the list of reports.
OTHER_PAGES = {
    "suppliers.html": "What is due from each supplier, and what came",
    "revisions.html": "What later deliveries revised",
    "linkage.html": "How crimes and CPS cases are linked",
}
STATES = {
    "accepted": "Accepted: the rows are loaded.",
    "held": "Held: nothing is loaded until a person decides (rasso release, rasso reject).",
    "rejected": "Rejected: the delivery could not be read, or is not what its manifest says. Send it again.",
    "duplicate": "Duplicate: the same bytes for the same period came before. Nothing was loaded.",
}


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file: its identity and its row reconciliation."""

    file_id: int
    file_name: str
    kind: str
    period: str
    sha256: str
    byte_count: int
    contract_version: str
    rows_declared: int | None
    rows_found: int | None
    rows_in: int
    rows_loaded: int
    rows_quarantined: int
    rows_duplicate: int
    undeclared_columns: tuple[str, ...]
    drifted_columns: tuple[str, ...]
    repairs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleReport:
    """One rule: what it says, how many rows it tested, how many failed, the first of them as (file id, row number)."""

    kind: str
    rule_id: str
    description: str
    rationale: str
    dimension: str
    severity: str
    owner: str
    since: str
    tested_count: int
    failed_count: int
    first_rows: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is known of one hand-over when it is concluded; times are UTC."""

    hand_over_id: str
    delivery_id: str | None
    supplier: str
    delivery_name: str
    sent_at: datetime | None
    received_at: datetime
    finished_at: datetime
    state: str
    reason_code: str | None
    reason: str | None
    is_synthetic: bool
    code_version: str
    files: tuple[FileReport, ...]
    rules: tuple[RuleReport, ...]
    evidence: Mapping[str, Mapping[str, Any]]


def write_report(folder: Path, report: Report) -> Path:
    """Write ``report.json``, ``feedback.csv`` and ``index.html``; returns the page. Repeating it changes nothing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_text(folder / "report.json", json.dumps(report, default=_plain))
    write_text(folder / "feedback.csv", _feedback(report))
    shown = {"report": report, "verdict": STATES[report.state]}
    return write_page(folder / "index.html", TEMPLATES / "report.html", shown)


def write_index(reports: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Write the list of all reports, newest first, and the style sheet that they share."""
    write_text(reports / "report.css", (TEMPLATES / "report.css").read_text(encoding="utf-8"))
    listed = [{**row, "page": _existing_page(reports, row), "period": _period(row)} for row in rows]
    other_pages = [name for name in OTHER_PAGES if (reports / name).exists()]
    shown = {"rows": listed, "other_pages": other_pages, "titles": OTHER_PAGES}
    return write_page(reports / "index.html", TEMPLATES / "index.html", shown)


def page_of(supplier: str, hand_over_id: str) -> str:
    """Where the report of a hand-over lies below the folder of reports."""
    return f"{slug(supplier) or 'unknown'}/{hand_over_id}/index.html"


def _existing_page(reports: Path, row: Mapping[str, object]) -> str | None:
    page = page_of(str(row["supplier"]), str(row["hand_over_id"]))
    return page if (reports / page).exists() else None


def _period(row: Mapping[str, object]) -> str:
    start, end = row["period_start"], row["period_end"]
    return str(Period(start, end)) if isinstance(start, date) and isinstance(end, date) else "not known"


def _feedback(report: Report) -> str:
    names = {file.file_id: file.file_name for file in report.files}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["rule_id", "severity", "what_is_wrong", "file", "row_number", "failed_rows_of_rule"])
    for rule in report.rules:
        for file_id, row_number in rule.first_rows:
            # Row 0 stands for the file as a whole.
            row: Sequence[object] = (
                rule.rule_id,
                rule.severity,
                rule.description,
                names.get(file_id, ""),
                row_number or "",
                rule.failed_count,
            )
            writer.writerow(row)
    return out.getvalue()


def _plain(value: object) -> object:
    if is_dataclass(value):  # not ``asdict``, which copies all evidence first
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a report")
