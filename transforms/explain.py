"""One figure explained: its definition, its SQL, its counts, and the deliveries that it was counted from.

Belongs here: finding what stands behind one cell of ``mart_measure_values``. Does not belong here: printing
(``rasso.cli``), counting (the models).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from transforms import catalogue
from transforms.build import SUCCEEDED
from warehouse import ledger
from warehouse.lake import reading, transaction, writing

if TYPE_CHECKING:
    import duckdb

    from rasso.settings import Settings

GRAINS = {"month": 1, "quarter": 3, "rolling_year": 12}
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


class ExplainError(Exception):
    """The figure cannot be explained; the message says what to ask instead."""


@dataclass(frozen=True, slots=True)
class FileBehind:
    """One accepted file that a figure was counted from."""

    supplier: str
    delivery_id: str
    kind: str
    file_name: str
    period_start: date
    period_end: date
    rows_loaded: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One cell of the value table; see ``mart_measure_values`` for its columns."""

    area_name: str
    breakdown: str
    period_start: date
    period_end: date
    numerator: float | None
    denominator: float | None
    value: float | None
    value_status: str
    received_share: float
    baseline_value: float | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What stands behind one figure.

    ``figures`` is the measure itself and its parts, ``models`` the dbt models that it went through, each after what it
    reads, ``sql`` the measure's own, ``files`` the accepted files of its kinds and suppliers in the period.
    """

    measure: catalogue.Measure
    figures: tuple[Figure, ...]
    models: tuple[str, ...]
    sql: str
    files: tuple[FileBehind, ...]
    build_id: str
    lake_snapshot: int


def explain(settings: Settings, measure_id: str, area: str, period: str, grain: str = "rolling_year") -> Explanation:
    """Explain the figure of a measure in an area for the period that ends with a month.

    Args:
        settings: of the home.
        measure_id: id in the catalogue.
        area: code (13, 20, EW) or name (west-midlands, west-midlands-police, national).
        period: last month of the period, such as 2020-12.
        grain: month, quarter or rolling_year.

    Looking at a figure that is counted from cases is a consultation, and is logged.

    Raises:
        ExplainError: there is no such measure, area or figure.
    """
    measure = next((one for one in catalogue.load() if one.id == measure_id), None)
    if measure is None:
        raise ExplainError(f"there is no measure {measure_id}; transforms/measures.yaml and the method page list them")
    if grain not in GRAINS or not _MONTH.fullmatch(period):
        raise ExplainError(f"a period is a month such as 2020-12, its grain one of {', '.join(GRAINS)}")
    with reading(settings) as connection:
        build = connection.execute(
            "select build_id, lake_snapshot from lake.ledger.build where status = ?"
            " order by lake_snapshot desc, ended_at desc limit 1",
            [SUCCEEDED],
        ).fetchone()
    if build is None:
        raise ExplainError("no build has succeeded yet: build the marts first")
    with reading(settings, build[1]) as connection:
        level, code = _area(connection, measure, area)
        figures = _figures(connection, measure, (level, code), period, grain)
        files = _files(connection, measure, (level, code), figures[0])
    _log(settings, measure, len(figures))
    path = next(catalogue.MODELS_FOLDER.rglob(f"measure__{measure.model}.sql"))
    models = tuple(_upstream(settings, f"measure__{measure.model}"))
    return Explanation(measure, figures, models, path.read_text(encoding="utf-8"), files, *build)


def _area(connection: duckdb.DuckDBPyConnection, measure: catalogue.Measure, area: str) -> tuple[str, str]:
    """Level and code. A code may be both a CPS Area's and a force's: the one that has the measure, the Area first."""
    rows = connection.execute("select area_level, area_code, area_name from lake.marts.mart_areas").fetchall()
    wanted = {"national": "EW"}.get(area.lower(), area)
    found = [
        (level, code) for level, code, name in rows if wanted in (code, _slug(name)) or _slug(wanted) == _slug(name)
    ]
    if not found:
        raise ExplainError(f"there is no area {area}; name a code such as 13 or 20, or a name such as west-midlands")
    known = connection.execute(
        "select distinct area_level, area_code from lake.marts.mart_measure_values"
        " where measure_id = ? and value_status <> 'not_applicable'",
        [measure.id],
    ).fetchall()
    order = ("national", "area", "force")
    return min(found, key=lambda one: (one not in known, order.index(one[0])))


def _slug(name: str) -> str:
    plain = re.sub(r"\s*\(.*\)\s*$", "", name, flags=re.DOTALL).removesuffix(" CPS Area").lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))


def _figures(
    connection: duckdb.DuckDBPyConnection, measure: catalogue.Measure, area: tuple[str, str], period: str, grain: str
) -> tuple[Figure, ...]:
    rows = connection.execute(
        """
        select area_name, breakdown, period_start, period_end, numerator, denominator, value, value_status,
            received_share, baseline_value
        from lake.marts.mart_measure_values
        where measure_id = ? and area_level = ? and area_code = ? and period_grain = ?
            and strftime(period_end, '%Y-%m') = ?
        order by breakdown
        """,
        [measure.id, *area, grain, period],
    ).fetchall()
    if not rows:
        grain_words = grain.replace("_", " ")
        raise ExplainError(f"{measure.id} has no {grain_words} that ends in {period} for this area")
    return tuple(Figure(*row) for row in rows)


def _files(
    connection: duckdb.DuckDBPyConnection, measure: catalogue.Measure, area: tuple[str, str], figure: Figure
) -> tuple[FileBehind, ...]:
    """Accepted files with rows of the measure's kinds, of the area's suppliers, that touch the period.

    A record stands in the extract of each month in which it changed, so a cohort's later months count, too; of
    aggregate extracts only the delivery that speaks for a period.
    """
    rows = connection.execute(
        f"""
        with
        places as (
            select distinct kind, place_code from lake.intermediate.int_places__members
            where area_level = $level and area_code = $code
        ),
        files as (
            select deliveries.supplier, files.*
            from lake.ledger.delivery_file as files
            inner join lake.ledger.delivery as deliveries on files.hand_over_id = deliveries.hand_over_id
            where deliveries.state = 'accepted'
                and deliveries.hand_over_id in {ledger.STANDING}
                and files.kind in (select unnest($kinds))
                and files.period_start <= $last
                and files.period_end >= $first
        )
        select files.supplier, files.delivery_id, files.kind, files.file_name, files.period_start, files.period_end,
            files.rows_loaded, files.sha256
        from files
        inner join lake.reference.extract_kinds as kinds on files.kind = kinds.kind
        left join lake.reference.suppliers as suppliers on files.supplier = suppliers.supplier
        where case
            when kinds.is_case_level
                then (files.kind, suppliers.supplier_code) in (select (kind, place_code) from places)
            else exists (
                select 1 from lake.intermediate.int_periods__current as current
                where current.kind = files.kind
                    and current.delivery_id = files.delivery_id
                    and current.period_start between $first and $last
                    and current.period_start between files.period_start and files.period_end
            )
        end
        order by files.kind, files.supplier, files.period_start, files.file_name
        """,
        {
            "level": area[0],
            "code": area[1],
            "kinds": [measure.source, *filter(None, measure.also_from.split("|"))],
            "first": figure.period_start,
            "last": _months_later(figure.period_end, measure.horizon_months or 0),
        },
    ).fetchall()
    return tuple(FileBehind(*row) for row in rows)


def _months_later(day: date, months: int) -> date:
    """The last day that can lie in the month so many months later."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 28) if months else day


def _upstream(settings: Settings, name: str) -> list[str]:
    """Models and sources that a model reads, each after what it reads itself, from the manifest of the last build."""
    manifest = Path(settings.logs / "dbt" / "target" / "manifest.json")
    if not manifest.is_file():
        return [name]
    nodes = json.loads(manifest.read_text(encoding="utf-8"))
    known = nodes["nodes"] | nodes["sources"]
    found: dict[str, None] = {}

    def visit(unique_id: str) -> None:
        for parent in known[unique_id].get("depends_on", {}).get("nodes", []):
            if parent not in found:
                visit(parent)
        found[unique_id] = None

    start = next((one for one in known if one.endswith(f".{name}")), None)
    if start is None:
        return [name]
    visit(start)
    return [".".join(one.split(".")[2:]) for one in found]


def _log(settings: Settings, measure: catalogue.Measure, rows: int) -> None:
    row = ledger.ProcessingRow.of("consultation", f"marts.mart_measure_values/{measure.id}", rows, "explain a figure")
    with writing(settings) as connection, transaction(connection):
        ledger.insert_processing(connection, [row])
