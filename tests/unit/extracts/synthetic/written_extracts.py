"""A synthesis on disk, and a way to ask it questions in SQL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from extracts.period import Period
from extracts.synthetic.columns import COLUMNS
from extracts.synthetic.request import Request
from extracts.synthetic.synthesise import synthesise
from tests.made_once import made_once

if TYPE_CHECKING:
    from pathlib import Path

THREE_YEARS = Period.parse("2018-01..2020-12")
KEYS = {
    "police_crimes": "supplier, crime_reference",
    "police_referrals": "supplier, urn, crime_reference, suspect_number, submission_type, submitted_date",
    "cps_receipts": "supplier, urn, suspect_number, received_date, receipt_type",
    "cps_reviews": "supplier, urn, suspect_number, review_type, review_date",
    "cps_information_requests": "supplier, urn, plan_number, item_number",
    "cps_decisions": "supplier, urn, suspect_number, decision_date",
    "cps_prosecution_outcomes": "supplier, urn, suspect_number",
}


@dataclass(frozen=True, slots=True)
class Written:
    """One synthesis on disk."""

    folder: Path
    answer_key: dict[str, Any]

    @property
    def true_links(self) -> Path:
        """The true links beside it."""
        return self.folder.with_name(f"{self.folder.name}.true_links.csv")

    def manifests(self) -> dict[str, dict[str, Any]]:
        """Every manifest by supplier and delivery."""
        paths = sorted(self.folder.glob("*/*/manifest.json"))
        return {f"{path.parent.parent.name}/{path.parent.name}": json.loads(path.read_bytes()) for path in paths}

    def database(self) -> duckdb.DuckDBPyConnection:
        """Every row of sound deliveries by kind (``rows_<kind>``), and the current one of each key (``<kind>``)."""
        connection = duckdb.connect()
        held = {defect["delivery"] for defect in self.answer_key["defects"] if defect["level"] == "delivery"}
        for kind, columns in COLUMNS.items():
            files = [path for path in self.folder.glob(f"*/*/{kind}_*.csv") if f"{_delivery(path)}" not in held]
            names = ", ".join(columns)
            connection.execute(
                f"""
                create table rows_{kind} as
                select {names}, split_part(filename, '/', -3) as supplier, split_part(filename, '/', -2) as delivery
                from read_csv($files, all_varchar = true, union_by_name = true, filename = true)
                """,
                {"files": [str(path) for path in sorted(files)]},
            )
        for kind, key in KEYS.items():
            place = f"row_number() over (partition by {key} order by delivery desc)"
            connection.execute(f"create view {kind} as from rows_{kind} qualify {place} = 1")
        return connection


def write(folder: Path, **arguments: Any) -> Written:  # noqa: ANN401 - whatever a request takes
    """Synthesise into a folder."""
    request = Request(into=folder, **({"months": THREE_YEARS, "scale": 0.1} | arguments))
    written = synthesise(request)
    return Written(folder, json.loads(written.answer_key.read_bytes()))


def written_once(name: str, **arguments: Any) -> Written:  # noqa: ANN401 - whatever a request takes
    """The same, once for all tests, which only read it."""
    folder = made_once(f"extracts-{name}", lambda unfinished: write(unfinished / "extracts", **arguments)) / "extracts"
    return Written(folder, json.loads(folder.with_name(f"{folder.name}.answer_key.json").read_bytes()))


def _delivery(path: Path) -> str:
    return f"{path.parent.parent.name}/{path.parent.name}"
