"""Editions: who may see which figures, and the data folder that each is made from.

Belongs here: choosing rows of the marts for an edition, and writing its ``data`` folder. Does not belong here: pages
(``scorecards.render``), what a release is and how it appears (``scorecards.publication``), what the folder must look
like (``scorecards.edition``).

Figures counted from cases stand only in the restricted edition of their own CPS Area, exact: those of the Area and of
its forces, and for London those of both Areas together. The nation and all other Areas appear with published statistics
only, in the public edition and in the restricted ones alike, until their protection exists. What is not known to be a
published statistic is case-level.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from extracts.contract import all_contracts
from scorecards.edition import COLUMNS, EditionError
from scorecards.paths import slug_of_area
from scorecards.registers import CLAIMS, EVENTS
from scorecards.spreadsheet import guarded_in_sql
from warehouse.ledger import SAID_ANEW
from warehouse.version import code_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb

    from rasso.settings import Settings

POLICY_VERSION = "own-area-exact-1"  # who sees what, and how values are protected; a new policy makes new releases
RELEASE_ID_LENGTH = 16
PUBLIC = "public"
RESTRICTED = "restricted"
_ROW_COUNTS = ("rows_in", "rows_loaded", "rows_quarantined", "rows_duplicate")
_KEYS = "measure_id, area_level, area_code, breakdown, period_grain, period_start, period_end"
_TEXTS = frozenset({"measure_id", "area_level", "area_code", "area_name", "breakdown", "unit"})
_NUMBERS = frozenset(COLUMNS[COLUMNS.index("numerator") : COLUMNS.index("upper") + 1]) | frozenset(
    {"received_share", "baseline_value", "change_pct", "change_points"}
)


@dataclass(frozen=True, slots=True)
class EditionPlan:
    """One edition: where it stands in the release, and the Area whose cases it may show (None: nobody's)."""

    path: str
    area_code: str | None = None
    area_name: str = ""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an edition's release is called, when it is made, and from which snapshot of the lake."""

    release_id: str
    published_at: datetime
    lake_snapshot: int


def plan_editions(connection: duckdb.DuckDBPyConnection) -> tuple[EditionPlan, ...]:
    """The public edition, and a restricted one for each CPS Area that has any figure counted from cases.

    Prepares the connection: ``published`` holds every figure as text, ``seen`` which edition sees which area's cases.

    Raises:
        EditionError: there is a figure that no measure of the catalogue stands for.
    """
    _prepare(connection)
    stranger = connection.execute(
        "select measure_id from published anti join lake.marts.mart_measures using (measure_id) limit 1"
    ).fetchone()
    if stranger is not None:
        raise EditionError(f"measure {stranger[0]!r} is not in the catalogue: mend transforms/measures.yaml")
    rows = connection.execute(
        """
        select distinct area.area_code, area.area_name
        from lake.marts.mart_areas as area
        inner join seen on area.area_code = seen.edition_area_code
        inner join published
            on seen.area_level = published.area_level
            and seen.area_code = published.area_code
            and published.is_case_level
        where area.area_level = 'area' and coalesce(published.numerator, published.denominator) is not null
        order by try_cast(area.area_code as integer), area.area_code
        """
    ).fetchall()
    restricted = (EditionPlan(f"{RESTRICTED}/{slug_of_area(name)}", code, name) for code, name in rows)
    return EditionPlan(PUBLIC), *restricted


def edition_id(connection: duckdb.DuckDBPyConnection, plan: EditionPlan, settings: Settings) -> str:
    """Hash of what an edition holds and how it came about: its inputs, figures, code and policy; not the time."""
    figures = connection.execute(
        f"""
        select sha256(string_agg(sha256(concat_ws(chr(31), {_hashed()})), '' order by {_KEYS}))
        from published where {_chosen(plan)}
        """,
        _bound(plan),
    ).fetchone()
    digest = hashlib.sha256()
    for delivery_id in _accepted_deliveries(connection, plan):
        digest.update(f"delivery\0{delivery_id}\n".encode())
    digest.update(f"figures\0{figures[0] if figures else None}\n".encode())
    digest.update(f"edition\0{plan.path}\ncode\0{code_version()}\npolicy\0{POLICY_VERSION}\n".encode())
    digest.update(f"baseline\0{settings.baseline}\n".encode())
    return digest.hexdigest()[:RELEASE_ID_LENGTH]


def write_data(
    settings: Settings, connection: duckdb.DuckDBPyConnection, plan: EditionPlan, stamp: Stamp, data: Path
) -> None:
    """Write the ``data`` folder of an edition: everything that its pages may know."""
    data.mkdir(parents=True)
    columns = ", ".join(COLUMNS[:-1])
    _copy(
        connection,
        f"select {columns}, '{stamp.release_id}' as release_id from published where {_chosen(plan)} order by {_KEYS}",
        data / "measure_values.csv",
        _bound(plan),
    )
    _copy(
        connection,
        f"select {_guarded_columns(connection, 'mart_reconciliation')} from lake.marts.mart_reconciliation"
        " where measure_id in (select measure_id from lake.marts.mart_measures where not is_case_level)"
        " order by measure_id, period_grain, period_start, area_level, area_code, reconciliation_id",
        data / "reconciliation.csv",
        {},
    )
    _write_json(data / "measures.json", _measures(connection, plan))
    _write_json(data / "areas.json", _areas(connection, plan))
    _write_json(data / "deliveries.json", [_shown(settings, plan, one) for one in _deliveries(connection, plan)])
    _write_json(data / "events.json", yaml.safe_load(EVENTS.read_text(encoding="utf-8")))
    claims = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    _write_json(data / "claims.json", [claim for claim in claims if claim["area_code"] == plan.area_code])
    _write_json(data / "release.json", _facts(settings, connection, plan, stamp))


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"""
        create or replace temp table published as
        select
            {", ".join(_cell(name) for name in COLUMNS[:-1])},
            coalesce(measures.is_case_level, true) as is_case_level,
        from lake.marts.mart_measure_values as figures
        left join (select measure_id, is_case_level from lake.marts.mart_measures) as measures using (measure_id)
        """
    )
    # London North and London South also show what cannot be split between them, and the forces of that.
    connection.execute(
        """
        create or replace temp table seen as
        with
        areas as (
            select area_code, coalesce(joint_area_code, area_code) as of_forces
            from lake.marts.mart_areas
            where area_level = 'area'
                and area_code not in (select coalesce(joint_area_code, '') from lake.marts.mart_areas)
        )
        select area_code as edition_area_code, 'area' as area_level, area_code from areas
        union
        select area_code, 'area', of_forces from areas
        union
        select areas.area_code, 'force', forces.area_code
        from areas
        inner join lake.marts.mart_areas as forces
            on forces.area_level = 'force' and forces.parent_area_code = areas.of_forces
        """
    )


def _chosen(plan: EditionPlan) -> str:
    """Condition on ``published``; the public edition is chosen without a look at anybody's cases."""
    if plan.area_code is None:
        return "not is_case_level"
    return """
        (area_level = 'national' and not is_case_level)
        or (area_level, area_code) in (select (area_level, area_code) from seen where edition_area_code = $area_code)
    """


def _bound(plan: EditionPlan) -> dict[str, str]:
    return {} if plan.area_code is None else {"area_code": plan.area_code}


def _hashed() -> str:
    return ", ".join(f"coalesce({name}, chr(0))" for name in COLUMNS[:-1])


def _cell(name: str) -> str:
    """A column as text: whole numbers without a point, dates ISO, empty text as null, no formula for a spreadsheet."""
    if name in _TEXTS:
        return f"{guarded_in_sql(name)} as {name}"
    if name in _NUMBERS:
        whole = f"{name} = trunc({name}) and abs({name}) < 1e15"
        return (
            f"case when {whole} then cast(cast({name} as bigint) as varchar) else cast({name} as varchar) end as {name}"
        )
    return f"cast({name} as varchar) as {name}"


def _accepted_deliveries(connection: duckdb.DuckDBPyConnection, plan: EditionPlan) -> list[str]:
    """Deliveries behind the figures: accepted, and not wholly replaced by later ones."""
    rows = connection.execute(
        f"""
        select distinct delivery_id from lake.ledger.delivery where state = 'accepted' and {_sender(plan)}
        except
        select delivery_id from lake.marts.mart_deliveries
        where state in ('accepted', 'superseded')  -- whoever only repeats one has no state of its own to tell
        group by delivery_id
        having bool_and(state = 'superseded')
        order by delivery_id
        """,
        _bound(plan),
    ).fetchall()
    return [row[0] for row in rows]


def _sender(plan: EditionPlan) -> str:
    """Condition on a supplier: whose deliveries make the figures of an edition."""
    if plan.area_code is None:
        return "supplier not in (select supplier from lake.reference.suppliers where supplier_group <> 'publisher')"
    return """
        supplier in (
            select supplier from lake.reference.suppliers
            where supplier_group = 'publisher'
                or (if(supplier_group = 'force', 'force', 'area'), supplier_code) in (
                    select (area_level, area_code) from seen where edition_area_code = $area_code
                )
        )
    """


def _measures(connection: duckdb.DuckDBPyConnection, plan: EditionPlan) -> list[dict[str, Any]]:
    condition = "not is_case_level" if plan.area_code is None else "true"
    return _records(connection, f"mart_measures where {condition} order by sort_order, measure_id")


def _areas(connection: duckdb.DuckDBPyConnection, plan: EditionPlan) -> list[dict[str, Any]]:
    # Levels from the nation down; within a level by number, London (no number) after the CPS Areas.
    level = "case area_level when 'national' then 0 when 'area' then 1 else 2 end"
    order = f"order by {level}, try_cast(area_code as integer) nulls last, area_code"
    if plan.area_code is None:
        return _records(connection, f"mart_areas {order}")
    seen = "(area_level, area_code) in (select (area_level, area_code) from seen where edition_area_code = $area_code)"
    return _records(connection, f"mart_areas where area_level = 'national' or {seen} {order}", _bound(plan))


def _deliveries(connection: duckdb.DuckDBPyConnection, plan: EditionPlan) -> list[dict[str, Any]]:
    condition = "true" if plan.area_code is None else _sender(plan)
    order = "received_at, hand_over_id, delivery_id, kind, file_name, period_start"
    return _records(connection, f"mart_deliveries where {condition} order by {order}", _bound(plan))


def _records(
    connection: duckdb.DuckDBPyConnection, chosen: str, bound: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    cursor = connection.execute(f"select * from lake.marts.{chosen}", bound or {})
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _shown(settings: Settings, plan: EditionPlan, record: dict[str, Any]) -> dict[str, Any]:
    """A delivery as the edition's readers may see it: in public, how many rows a case-level file has is a secret."""
    contract = all_contracts().get(str(record["kind"]))
    title = {"kind_title": contract.title if contract else None}
    is_hidden = plan.area_code is None and record["is_case_level"] is not False
    return record | title | (dict.fromkeys(_ROW_COUNTS) if is_hidden else {}) | _report(settings, record)


def _report(settings: Settings, record: Mapping[str, Any]) -> dict[str, str]:
    """Where the delivery's validation report is, from the home, if there is one."""
    names = [str(record["supplier"] or ""), str(record["hand_over_id"] or "")]
    if not all(name and Path(name).name == name for name in names):
        return {}
    page = settings.reports.joinpath(*names, "index.html")
    return {"report_path": page.relative_to(settings.root).as_posix()} if page.is_file() else {}


def _facts(
    settings: Settings, connection: duckdb.DuckDBPyConnection, plan: EditionPlan, stamp: Stamp
) -> dict[str, Any]:
    row = connection.execute(
        f"""
        select max(finished_at), coalesce(bool_or(is_synthetic), false) from lake.ledger.delivery
        where (state = 'accepted' or hand_over_id in (select hand_over_id from {SAID_ANEW}))
            and {_sender(plan) if plan.area_code else "true"}
        """,
        _bound(plan),
    ).fetchone()
    data_as_at, is_synthetic = row if row is not None else (None, False)
    return {
        "release_id": stamp.release_id,
        "edition": plan.path.partition("/")[0],
        "edition_area_code": plan.area_code,
        "edition_area_name": plan.area_name,
        "published_at": stamp.published_at,
        "data_as_at": data_as_at,
        "as_of": settings.as_of,
        "baseline": settings.baseline,
        "code_version": code_version(),
        "policy_version": POLICY_VERSION,
        "is_synthetic": is_synthetic,
        "lake_snapshot": stamp.lake_snapshot,
    }


def _guarded_columns(connection: duckdb.DuckDBPyConnection, mart: str) -> str:
    columns = connection.execute(f"describe lake.marts.{mart}").fetchall()
    return ", ".join(f"{guarded_in_sql(name)} as {name}" if kind == "VARCHAR" else name for name, kind, *_ in columns)


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path, bound: Mapping[str, str]) -> None:
    connection.execute(
        f"copy ({query}) to $path (format csv, header, delimiter ',', nullstr '')", {**bound, "path": str(path)}
    )


def _write_json(path: Path, content: Iterable[object]) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True, default=_iso)
    path.write_text(text + "\n", encoding="utf-8")


def _iso(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in an edition's data")
