"""A small edition, written by hand, that every test can spoil in its own way."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from scorecards.edition import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RELEASE = {
    "release_id": "0123456789abcdef",
    "edition": "public",
    "published_at": "2021-01-15T09:30:00+00:00",
    "data_as_at": "2021-01-14T18:00:00",
    "as_of": "2021-01-15",
    "code_version": "0.1.0+test",
    "is_synthetic": False,
    "lake_snapshot": 7,
}
AREAS = (
    ("national", "EW", "England and Wales", None, "20|21"),
    ("area", "13", "West Midlands CPS Area", "EW", "20|21"),
    ("force", "20", "West Midlands Police", "13", "20"),
    ("force", "21", "Staffordshire Police", "13", "21"),
)
RECONCILIATION_COLUMNS = (
    *("reconciliation_id", "measure_id", "area_level", "area_code", "area_name"),
    *("period_grain", "period_start", "period_end", "our_value", "other_value", "difference"),
    *("our_source", "other_source", "status", "explanation"),
)


@dataclass
class Draft:
    """An edition's data, to be changed and written."""

    release: dict[str, Any] = field(default_factory=lambda: dict(RELEASE))
    measures: list[dict[str, Any]] = field(default_factory=list)
    areas: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)
    reconciliation: list[dict[str, str]] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)

    def measure(self, measure_id: str, **changes: object) -> None:
        """Add a measure to the catalogue."""
        is_ratio = changes.get("shape") == "ratio"
        self.measures.append(
            {
                "measure_id": measure_id,
                "title": measure_id.replace("_", " ").capitalize(),
                "shape": "count",
                "unit": "crimes",
                "numerator": "Crimes that were charged",
                "denominator": "Crimes that were closed" if is_ratio else None,
                "period_placed_by": "quarter in which the crime was closed",
                "direction": "neither",
                "recorded_since": None,
                "source": "home_office_outcomes",
                "caveat": "Counts crimes.",
                "since_version": "0.1.0",
                "minimum_denominator": 20 if is_ratio else None,
                "is_headline": True,
                "theme": "Charges",
                "sort_order": 10 * (len(self.measures) + 1),
            }
            | changes
        )

    def area(self, level: str, code: str, name: str, parent: str | None, members: str = "") -> None:
        """Add an area."""
        names = ("area_level", "area_code", "area_name", "parent_area_code", "member_force_codes", "note")
        self.areas.append(dict(zip(names, (level, code, name, parent, members, ""), strict=True)))

    def value(self, measure_id: str, area: tuple[str, str], grain: str, end: str, value: str, **changes: str) -> None:
        """Add a figure; its period begins where its grain says."""
        last = date.fromisoformat(end)
        months = {"month": 1, "quarter": 3, "rolling_year": 12}[grain]
        year, month = divmod(last.year * 12 + last.month - months, 12)
        name = next((one["area_name"] for one in self.areas if (one["area_level"], one["area_code"]) == area), "?")
        row = dict.fromkeys(COLUMNS, "") | {
            "measure_id": measure_id,
            "area_level": area[0],
            "area_code": area[1],
            "area_name": name,
            "period_grain": grain,
            "period_start": date(year, month + 1, 1).isoformat(),
            "period_end": end,
            "unit": "crimes",
            "numerator": value,
            "value": value,
            "value_status": "complete",
            "received_share": "1",
            "release_id": self.release["release_id"],
        }
        self.rows.append(row | changes)

    def series(self, measure_id: str, area: tuple[str, str], grain: str, first_end: str, values: list[float]) -> None:
        """Add complete figures, one period after the other."""
        last = date.fromisoformat(first_end)
        for value in values:
            self.value(measure_id, area, grain, last.isoformat(), f"{value:g}")
            month = last.year * 12 + last.month - 1 + {"month": 1, "quarter": 3, "rolling_year": 12}[grain] + 1
            last = date(month // 12, month % 12 + 1, 1) - timedelta(days=1)

    def write(self, folder: Path) -> Path:
        """Write the data folder and return the edition."""
        data = folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        for name in ("release", "measures", "areas", "deliveries", "events", "claims"):
            (data / f"{name}.json").write_text(json.dumps(getattr(self, name)), encoding="utf-8")
        _write_csv(data / "measure_values.csv", COLUMNS, self.rows)
        _write_csv(data / "reconciliation.csv", RECONCILIATION_COLUMNS, self.reconciliation)
        return folder


def _write_csv(path: Path, columns: Sequence[str], rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def empty_draft() -> Draft:
    """Areas and no figure."""
    draft = Draft()
    for area in AREAS:
        draft.area(*area)
    return draft


@pytest.fixture
def draft(empty_draft: Draft) -> Draft:
    """Two measures, one Area, two forces; a long series, a short one, a partial year, a missing quarter."""
    made = empty_draft
    made.measure("rape_charges_crimes", direction="more_is_better", title="Rape charges (crimes; Home Office outcomes)")
    made.measure("rape_charge_share_crimes", shape="ratio", title="Rape charge share (crimes; Home Office outcomes)")
    for area in AREAS:
        key = (area[0], area[1])
        made.series(
            "rape_charges_crimes", key, "quarter", "2017-03-31", [1052, 1072, 1066, 1060, 1055, 1061, 1070, 666]
        )
        made.value("rape_charges_crimes", key, "rolling_year", "2018-12-31", "3856")
        made.value(
            "rape_charge_share_crimes",
            key,
            "quarter",
            "2018-12-31",
            "69.55",
            numerator="1391",
            denominator="2000",
            lower="67.5",
            upper="71.5",
        )
        made.value(
            "rape_charge_share_crimes",
            key,
            "rolling_year",
            "2018-12-31",
            "50",
            numerator="150",
            denominator="300",
            value_status="partial",
            received_share="0.75",
        )
    made.reconciliation.append(
        dict.fromkeys(RECONCILIATION_COLUMNS, "")
        | {
            "measure_id": "rape_charges_crimes",
            "area_name": "England and Wales",
            "period_grain": "rolling_year",
            "period_start": "2017-04-01",
            "period_end": "2018-03-31",
            "our_value": "3856",
            "other_value": "3775",
            "difference": "81",
            "our_source": "April 2019 release",
            "other_source": "a later release",
            "status": "differs_explained",
            "explanation": "revised",
        }
    )
    made.deliveries.append(delivery())
    return made


def delivery(**changes: object) -> dict[str, Any]:
    """One accepted file."""
    return {
        "hand_over_id": "h1",
        "delivery_id": "d-0001",
        "supplier": "home-office",
        "kind": "home_office_outcomes",
        "kind_title": "Home Office crime outcomes",
        "file_name": "outcomes.csv",
        "period_start": "2017-04-01",
        "period_end": "2018-03-31",
        "sent_at": None,
        "received_at": "2021-01-14T17:00:00",
        "state": "accepted",
        "reason": None,
        "rows_in": 100,
        "rows_loaded": 97,
        "rows_quarantined": 2,
        "rows_duplicate": 1,
        "is_synthetic": False,
    } | changes
