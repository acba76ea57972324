"""An edition's data folder, read and checked: everything that its pages may know.

Belongs here: the columns of the value table, the records of an edition, and the refusal to read a folder whose parts
do not fit together. Does not belong here: where the folder comes from (``scorecards.publication``) and any figure
that is not in it; no other file is opened while pages are made.
"""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from scorecards.registers import Claim, Event, claim_of, event_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

COLUMNS = (
    "measure_id",
    "area_level",
    "area_code",
    "area_name",
    "breakdown",
    "period_grain",
    "period_start",
    "period_end",
    "unit",
    "numerator",
    "denominator",
    "value",
    "lower",
    "upper",
    "value_status",
    "received_share",
    "baseline_value",
    "change_pct",
    "change_points",
    "release_id",
)
LEVELS = ("national", "area", "force")
GRAINS = ("month", "quarter", "rolling_year")
STATUSES = ("complete", "partial", "no_data_received", "below_minimum", "not_followed_yet", "not_applicable")
SHAPES = ("count", "ratio", "average", "stock", "duration")
DIRECTIONS = ("more_is_better", "less_is_better", "neither")
NATIONAL_KEY = ("national", "EW")

AreaKey = tuple[str, str]


class EditionError(Exception):
    """An edition's folder cannot be turned into pages; the message says what does not fit."""


@dataclass(frozen=True, slots=True)
class Value:
    """One row of the value table. Rates in per cent, times in days; ``cells`` is the row as it came, for downloads."""

    measure_id: str
    area_key: AreaKey
    breakdown: str
    grain: str
    start: date
    end: date
    numerator: float | None
    denominator: float | None
    value: float | None
    lower: float | None
    upper: float | None
    status: str
    received_share: float | None
    baseline_value: float | None
    change_pct: float | None
    change_points: float | None
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """One entry of the measure catalogue."""

    measure_id: str
    title: str
    shape: str
    unit: str
    numerator: str
    denominator: str
    period_placed_by: str
    direction: str
    recorded_since: str
    source: str
    caveat: str
    since_version: str
    minimum_denominator: float | None
    is_headline: bool
    theme: str
    sort_order: int
    also_from: tuple[str, ...]
    horizon_months: int | None
    is_case_level: bool

    @property
    def is_share(self) -> bool:
        """Whether its value is a share in per cent."""
        return self.shape in ("ratio", "stock")


@dataclass(frozen=True, slots=True)
class Area:
    """England and Wales, a CPS Area or a force."""

    level: str
    code: str
    name: str
    parent_codes: tuple[str, ...]
    member_force_codes: tuple[str, ...]
    note: str

    @property
    def key(self) -> AreaKey:
        """Level and code: codes alone are not unique across levels."""
        return self.level, self.code


@dataclass(frozen=True, slots=True)
class Release:
    """What an edition is called and how fresh it is.

    ``area_name`` is that of the CPS Area that a restricted edition is for. ``baseline`` is what figures are compared
    with: a month (``2018-12``) or ``year_before``.
    """

    release_id: str
    edition: str
    area_name: str
    area_code: str
    baseline: str
    published_at: datetime
    data_as_at: datetime | None
    as_of: date
    code_version: str
    is_synthetic: bool
    is_protected: bool
    lake_snapshot: int | None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One comparison of a figure of ours with the same figure published elsewhere."""

    measure_id: str
    area_name: str
    grain: str
    start: date | None
    end: date | None
    our_value: float | None
    other_value: float | None
    difference: float | None
    our_source: str
    other_source: str
    status: str
    explanation: str


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Where the rows of a file went."""

    taken_in: int
    loaded: int
    quarantined: int
    duplicate: int

    @property
    def is_conserved(self) -> bool:
        """Whether every row that came in is accounted for."""
        return self.taken_in == self.loaded + self.quarantined + self.duplicate


@dataclass(frozen=True, slots=True)
class Delivery:
    """One received file and what became of its rows; rows of a case-level file are not counted in public."""

    delivery_id: str
    supplier: str
    kind: str
    kind_title: str
    file_name: str
    start: date | None
    end: date | None
    received_at: datetime | None
    state: str
    reason: str
    rows: RowCounts | None
    is_synthetic: bool
    report_path: str


@dataclass(frozen=True, slots=True)
class Edition:
    """All that one edition's pages are made of; values grouped by area, then by measure, oldest period first."""

    release: Release
    measures: Mapping[str, Measure]
    areas: Mapping[AreaKey, Area]
    values: Mapping[AreaKey, Mapping[str, tuple[Value, ...]]]
    reconciliation: tuple[Reconciliation, ...]
    deliveries: tuple[Delivery, ...]
    events: tuple[Event, ...]
    claims: tuple[Claim, ...]


def read_edition(folder: Path) -> Edition:
    """Read the ``data`` folder of one edition.

    Raises:
        EditionError: a file is missing or malformed, a value has no measure or no area, or a figure stands twice.
    """
    data = folder / "data"
    try:
        release = _release(json.loads((data / "release.json").read_text(encoding="utf-8")))
        measures = _measures(json.loads((data / "measures.json").read_text(encoding="utf-8")))
        areas = _areas(json.loads((data / "areas.json").read_text(encoding="utf-8")))
        values = _grouped(_values(data / "measure_values.csv", measures, areas))
        reconciliation = tuple(_reconciliation(data / "reconciliation.csv", measures))
        deliveries = tuple(map(_delivery, json.loads((data / "deliveries.json").read_text(encoding="utf-8"))))
        events = tuple(map(event_of, json.loads((data / "events.json").read_text(encoding="utf-8"))))
        claims = tuple(map(claim_of, json.loads((data / "claims.json").read_text(encoding="utf-8"))))
    except OSError as error:
        raise EditionError(f"{error.filename}: {error.strerror}") from error
    except KeyError as error:
        raise EditionError(f"{data}: a record lacks the field {error}") from error
    except (ValueError, TypeError, csv.Error) as error:
        raise EditionError(f"{data}: {error}") from error
    return Edition(release, measures, areas, values, reconciliation, deliveries, events, claims)


def _release(record: Mapping[str, Any]) -> Release:
    return Release(
        release_id=str(record["release_id"]),
        edition=str(record["edition"]),
        area_name=_text(record.get("edition_area_name")),
        area_code=_text(record.get("edition_area_code")),
        baseline=str(record.get("baseline", "2018-12")),
        published_at=datetime.fromisoformat(record["published_at"]),
        data_as_at=_moment(record["data_as_at"]),
        as_of=date.fromisoformat(record["as_of"]),
        code_version=str(record["code_version"]),
        is_synthetic=_flag(record["is_synthetic"]),
        is_protected=_flag(record.get("is_protected", False)),
        lake_snapshot=record["lake_snapshot"],
    )


def _measures(records: Iterable[Mapping[str, Any]]) -> dict[str, Measure]:
    measures = [_measure(record) for record in records]
    measures.sort(key=lambda measure: (measure.sort_order, measure.measure_id))
    by_id = {measure.measure_id: measure for measure in measures}
    if len(by_id) != len(measures):
        raise EditionError("measures.json: a measure stands twice in the catalogue")
    return by_id


def _measure(record: Mapping[str, Any]) -> Measure:
    measure_id = str(record["measure_id"])
    minimum = record["minimum_denominator"]
    return Measure(
        measure_id=measure_id,
        title=_text(record["title"]) or measure_id,
        shape=_one_of(record["shape"], SHAPES, f"measures.json: {measure_id}: shape"),
        unit=_text(record["unit"]),
        numerator=_text(record["numerator"]),
        denominator=_text(record["denominator"]),
        period_placed_by=_text(record["period_placed_by"]),
        direction=_one_of(record["direction"], DIRECTIONS, f"measures.json: {measure_id}: direction"),
        recorded_since=_text(record["recorded_since"]),
        source=_text(record["source"]),
        caveat=_text(record["caveat"]),
        since_version=_text(record["since_version"]),
        minimum_denominator=None if minimum is None else float(minimum),
        is_headline=_flag(record["is_headline"]),
        theme=_text(record["theme"]),
        sort_order=int(record["sort_order"]),
        also_from=_codes(record.get("also_from")),
        horizon_months=record.get("horizon_months"),
        is_case_level=_flag(record.get("is_case_level", False)),
    )


def _areas(records: Iterable[Mapping[str, Any]]) -> dict[AreaKey, Area]:
    areas: dict[AreaKey, Area] = {}
    for record in records:
        level = _one_of(record["area_level"], LEVELS, "areas.json: area_level")
        area = Area(
            level=level,
            code=str(record["area_code"]),
            name=_text(record["area_name"]),
            parent_codes=_codes(record["parent_area_code"]),
            member_force_codes=_codes(record["member_force_codes"]),
            note=_text(record["note"]),
        )
        if area.key in areas:
            raise EditionError(f"areas.json: {level} {area.code} stands twice")
        areas[area.key] = area
    if NATIONAL_KEY not in areas:
        raise EditionError("areas.json: England and Wales (national EW) is missing")
    return areas


def _values(path: Path, measures: Mapping[str, Measure], areas: Mapping[AreaKey, Area]) -> Iterable[Value]:
    dates: dict[str, date] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        if tuple(next(rows, ())) != COLUMNS:
            raise EditionError(f"{path.name}: its header is not the published one")
        for number, row in enumerate(rows, start=2):
            if len(row) != len(COLUMNS):
                raise EditionError(f"{path.name}, line {number}: {len(row)} cells, expected {len(COLUMNS)}")
            value = _value(row, dates)
            _check(value, row[3], measures, areas, f"{path.name}, line {number}")
            yield value


def _value(row: list[str], dates: dict[str, date]) -> Value:
    return Value(
        measure_id=row[0],
        area_key=(row[1], row[2]),
        breakdown=row[4],
        grain=row[5],
        start=_day(row[6], dates),
        end=_day(row[7], dates),
        numerator=_number(row[9]),
        denominator=_number(row[10]),
        value=_number(row[11]),
        lower=_number(row[12]),
        upper=_number(row[13]),
        status=row[14],
        received_share=_number(row[15]),
        baseline_value=_number(row[16]),
        change_pct=_number(row[17]),
        change_points=_number(row[18]),
        cells=tuple(row),
    )


def _check(value: Value, name: str, measures: Mapping[str, Measure], areas: Mapping[AreaKey, Area], place: str) -> None:
    if value.measure_id not in measures:
        raise EditionError(f"{place}: measure {value.measure_id!r} is not in the catalogue")
    area = areas.get(value.area_key)
    if area is None:
        raise EditionError(f"{place}: area {' '.join(value.area_key)!r} is not in the list of areas")
    if area.name != name:
        raise EditionError(f"{place}: area {area.code} is called {name!r} here and {area.name!r} in the list of areas")
    _one_of(value.grain, GRAINS, f"{place}: period_grain")
    _one_of(value.status, STATUSES, f"{place}: value_status")


def _grouped(values: Iterable[Value]) -> dict[AreaKey, dict[str, tuple[Value, ...]]]:
    groups: dict[AreaKey, dict[str, list[Value]]] = defaultdict(lambda: defaultdict(list))
    for value in values:
        groups[value.area_key][value.measure_id].append(value)
    return {
        key: {measure_id: _ordered(rows) for measure_id, rows in by_measure.items()}
        for key, by_measure in groups.items()
    }


def _ordered(rows: list[Value]) -> tuple[Value, ...]:
    ordered = {(row.breakdown, row.grain, row.end, row.start): row for row in rows}
    if len(ordered) != len(rows):
        raise EditionError(f"measure_values.csv: a figure of {rows[0].measure_id} stands twice for {rows[0].area_key}")
    return tuple(ordered[key] for key in sorted(ordered))


def _reconciliation(path: Path, measures: Mapping[str, Measure]) -> Iterable[Reconciliation]:
    with path.open(encoding="utf-8", newline="") as lines:
        for record in csv.DictReader(lines, strict=True):
            if record["measure_id"] not in measures:
                raise EditionError(f"{path.name}: measure {record['measure_id']!r} is not in the catalogue")
            yield Reconciliation(
                measure_id=record["measure_id"],
                area_name=record["area_name"],
                grain=record["period_grain"],
                start=_optional_day(record["period_start"]),
                end=_optional_day(record["period_end"]),
                our_value=_number(record["our_value"]),
                other_value=_number(record["other_value"]),
                difference=_number(record["difference"]),
                our_source=record["our_source"],
                other_source=record["other_source"],
                status=record["status"],
                explanation=record["explanation"],
            )


def _delivery(record: Mapping[str, Any]) -> Delivery:
    return Delivery(
        delivery_id=_text(record["delivery_id"]),
        supplier=_text(record["supplier"]),
        kind=_text(record["kind"]),
        kind_title=_text(record["kind_title"]) or _text(record["kind"]),
        file_name=_text(record["file_name"]),
        start=_optional_day(record["period_start"]),
        end=_optional_day(record["period_end"]),
        received_at=_moment(record["received_at"]),
        state=_text(record["state"]),
        reason=_text(record["reason"]),
        rows=_row_counts(record),
        is_synthetic=_flag(record["is_synthetic"]),
        report_path=_text(record.get("report_path")),
    )


def _row_counts(record: Mapping[str, Any]) -> RowCounts | None:
    names = ("rows_in", "rows_loaded", "rows_quarantined", "rows_duplicate")
    return None if record["rows_in"] is None else RowCounts(*(int(record[name] or 0) for name in names))


def _number(cell: str) -> float | None:
    if not cell:
        return None
    number = float(cell)
    if not math.isfinite(number):
        raise EditionError(f"measure_values.csv: {cell!r} is not a number that can be shown")
    return number


def _day(cell: str, known: dict[str, date]) -> date:
    day = known.get(cell)
    if day is None:
        day = known[cell] = date.fromisoformat(cell)
    return day


def _optional_day(cell: str | None) -> date | None:
    return date.fromisoformat(cell) if cell else None


def _moment(cell: str | None) -> datetime | None:
    return datetime.fromisoformat(cell) if cell else None


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def _codes(cell: str | None) -> tuple[str, ...]:
    return tuple(code for code in (cell or "").split("|") if code)


def _flag(cell: object) -> bool:
    if isinstance(cell, bool):
        return cell
    raise EditionError(f"{cell!r} is neither true nor false")


def _one_of(cell: object, allowed: tuple[str, ...], place: str) -> str:
    if cell in allowed:
        return str(cell)
    raise EditionError(f"{place} {cell!r} is none of {', '.join(allowed)}")
