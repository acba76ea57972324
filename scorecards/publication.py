"""Publish scorecards: from the marts of the last successful build to a site that appears in one step.

Belongs here: what a release is (its id, its files, the pointer ``site/current``) and who may see which rows. Does not
belong here: counting (``transforms``) and what stands on a page; the renderer is a process of its own that is given
one edition's folder and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import fasteners

from extracts.contract import all_contracts
from scorecards.edition import COLUMNS
from scorecards.spreadsheet import guarded_in_sql
from warehouse.lake import LakeError, reading, transaction, writing
from warehouse.version import code_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rasso.settings import Settings

logger = logging.getLogger(__name__)

POLICY_VERSION = "official-statistics-1"  # how values are protected; a new policy makes a new release
EDITION = "public"
RENDER_SECONDS = 600
RELEASE_ID_LENGTH = 16
_ROW_COUNTS = ("rows_in", "rows_loaded", "rows_quarantined", "rows_duplicate")

_KEYS = "measure_id, area_level, area_code, breakdown, period_grain, period_start, period_end"
_TEXTS = frozenset({"measure_id", "area_level", "area_code", "area_name", "breakdown", "unit"})
_NUMBERS = frozenset(COLUMNS[COLUMNS.index("numerator") : COLUMNS.index("upper") + 1]) | frozenset(
    {"received_share", "baseline_value", "change_pct", "change_points"}
)
_PASSED_ON = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


class PublicationError(Exception):
    """Nothing was published; the message says in one line what to do."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A release as it stands: its id, whether this call made it, its pages, and where its site is."""

    release_id: str
    is_new: bool
    pages: int
    seconds: float
    site_path: Path


@dataclass(frozen=True, slots=True)
class _Build:
    build_id: str
    lake_snapshot: int
    releases: frozenset[str]  # that the ledger names for it; nobody else adds to it under the publication lock


@dataclass(frozen=True, slots=True)
class _Release:
    release_id: str
    build: _Build
    published_at: datetime


def publish(settings: Settings) -> Publication:
    """Publish the last successful build; the same inputs, code and policy are published once.

    Everything is written beside the site and appears by renaming a folder and swapping a link, so a reader sees the
    old release or the new one. A crash in between is mended by the next call.

    Raises:
        PublicationError: there is no successful build, or its figures cannot be turned into pages.
    """
    started = time.monotonic()
    releases = settings.site / "releases"
    releases.mkdir(mode=0o700, parents=True, exist_ok=True)
    with fasteners.InterProcessLock(str(settings.site / ".publication.lock")):
        _sweep(settings.site)
        build = _last_successful_build(settings)
        with reading(settings, build.lake_snapshot) as connection:
            release = _Release(_release_id(connection), build, datetime.now(UTC).replace(microsecond=0))
            target = releases / release.release_id
            is_new = not target.exists()
            if is_new:
                _make(settings, connection, release, target)
        _point(settings.site, target)
        _record(settings, release)
    edition = target / EDITION
    pages = sum(1 for _ in edition.rglob("*.html"))
    seconds = time.monotonic() - started
    logger.info("release %s: %s, %d pages", release.release_id, "new" if is_new else "already there", pages)
    return Publication(release.release_id, is_new, pages, seconds, settings.site / "current" / EDITION)


def _last_successful_build(settings: Settings) -> _Build:
    try:
        with reading(settings) as connection:
            row = connection.execute(
                "select build_id, lake_snapshot from lake.ledger.build"
                " where status = 'succeeded' order by lake_snapshot desc, ended_at desc limit 1"
            ).fetchone()
            known = connection.execute(
                "select release_id from lake.ledger.publication where build_id = ?", [row[0] if row else None]
            ).fetchall()
    except (LakeError, duckdb.CatalogException) as error:
        raise PublicationError(
            "there is no lake to publish from: receive deliveries and build the marts first"
        ) from error
    if row is None:
        raise PublicationError("no build has succeeded yet: build the marts first, then publish")
    return _Build(row[0], row[1], frozenset(release_id for (release_id,) in known))


def _release_id(connection: duckdb.DuckDBPyConnection) -> str:
    """Hash of what is published and how: inputs, figures, code, policy; not the time."""
    connection.execute(
        "create or replace temp table published as"
        f" select {', '.join(_cell(name) for name in COLUMNS[:-1])} from lake.marts.mart_measure_values"
    )
    digest = hashlib.sha256()
    for delivery_id in _accepted_deliveries(connection):
        digest.update(f"delivery\0{delivery_id}\n".encode())
    for row in _published_rows(connection):
        digest.update(("\x1f".join("\0" if cell is None else cell for cell in row) + "\n").encode())
    digest.update(f"code\0{code_version()}\npolicy\0{POLICY_VERSION}\n".encode())
    return digest.hexdigest()[:RELEASE_ID_LENGTH]


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


def _accepted_deliveries(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Deliveries behind the figures: accepted, and not wholly replaced by later ones."""
    rows = connection.execute(
        """
        select distinct delivery_id from lake.ledger.delivery where state = 'accepted'
        except
        select delivery_id from lake.marts.mart_deliveries
        where state in ('accepted', 'superseded')  -- a duplicate hand-over of what is superseded revives nothing
        group by delivery_id
        having bool_and(state = 'superseded')
        order by delivery_id
        """
    ).fetchall()
    return [row[0] for row in rows]


def _published_rows(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str | None, ...]]:
    cursor = connection.execute(f"select * from published order by {_KEYS}")
    while rows := cursor.fetchmany(10_000):
        yield from rows


def _make(settings: Settings, connection: duckdb.DuckDBPyConnection, release: _Release, target: Path) -> None:
    work = settings.site / f".work-{secrets.token_hex(8)}"
    try:
        # Editions come in here. Only published official statistics exist so far, so there is the public edition alone
        # and it holds every row; once there are case-level measures, each edition gets its own folder below ``work``,
        # its own selection of rows (``scorecards.protection`` before the public one) and its own run of the renderer.
        edition = work / EDITION
        (edition / "data").mkdir(parents=True)
        _write_data(settings, connection, release, edition / "data")
        _render(edition)
        _sync(work)
        work.rename(target)
        _sync_folder(target.parent)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_data(settings: Settings, connection: duckdb.DuckDBPyConnection, release: _Release, data: Path) -> None:
    _copy(
        connection,
        f"select *, '{release.release_id}' as release_id from published order by {_KEYS}",
        data / "measure_values.csv",
    )
    _copy(
        connection,
        f"select {_guarded_columns(connection, 'mart_reconciliation')} from lake.marts.mart_reconciliation"
        " order by measure_id, period_grain, period_start, area_level, area_code, reconciliation_id",
        data / "reconciliation.csv",
    )
    _write_json(data / "measures.json", _records(connection, "mart_measures", "sort_order, measure_id"))
    # Levels from the nation down; within a level by number, London (no number) after the CPS Areas.
    level = "case area_level when 'national' then 0 when 'area' then 1 else 2 end"
    order = f"{level}, try_cast(area_code as integer) nulls last, area_code"
    _write_json(data / "areas.json", _records(connection, "mart_areas", order))
    deliveries = _records(
        connection, "mart_deliveries", "received_at, hand_over_id, delivery_id, kind, file_name, period_start"
    )
    _write_json(data / "deliveries.json", [_public(record) | _report(settings, record) for record in deliveries])
    _write_json(data / "release.json", _facts(settings, connection, release))


def _facts(settings: Settings, connection: duckdb.DuckDBPyConnection, release: _Release) -> dict[str, Any]:
    row = connection.execute(
        "select max(finished_at), coalesce(bool_or(is_synthetic), false) from lake.ledger.delivery"
        " where state = 'accepted'"
    ).fetchone()
    data_as_at, is_synthetic = row if row is not None else (None, False)
    return {
        "release_id": release.release_id,
        "edition": EDITION,
        "published_at": release.published_at,
        "data_as_at": data_as_at,
        "as_of": settings.as_of,
        "code_version": code_version(),
        "policy_version": POLICY_VERSION,
        "is_synthetic": is_synthetic,
        "lake_snapshot": release.build.lake_snapshot,
    }


def _records(connection: duckdb.DuckDBPyConnection, mart: str, order: str) -> list[dict[str, Any]]:
    cursor = connection.execute(f"select * from lake.marts.{mart} order by {order}")
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _public(record: dict[str, Any]) -> dict[str, Any]:
    """A delivery as anyone may see it: how many rows a case-level file has is a count of cases."""
    contract = all_contracts().get(str(record["kind"]))
    title = {"kind_title": contract.title if contract else None}
    return record | title | (dict.fromkeys(_ROW_COUNTS) if record["is_case_level"] is not False else {})


def _report(settings: Settings, record: dict[str, Any]) -> dict[str, str]:
    """Where the delivery's validation report is, from the home, if there is one."""
    names = [str(record["supplier"] or ""), str(record["hand_over_id"] or "")]
    if not all(name and Path(name).name == name for name in names):
        return {}
    page = settings.reports.joinpath(*names, "index.html")
    return {"report_path": page.relative_to(settings.root).as_posix()} if page.is_file() else {}


def _guarded_columns(connection: duckdb.DuckDBPyConnection, mart: str) -> str:
    columns = connection.execute(f"describe lake.marts.{mart}").fetchall()
    return ", ".join(f"{guarded_in_sql(name)} as {name}" if kind == "VARCHAR" else name for name, kind, *_ in columns)


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    connection.execute(f"copy ({query}) to ? (format csv, header, delimiter ',', nullstr '')", [str(path)])


def _write_json(path: Path, content: object) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True, default=_iso)
    path.write_text(text + "\n", encoding="utf-8")


def _iso(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in an edition's data")


def _render(edition: Path) -> None:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    source = str(Path(__file__).parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (source, environment.get("PYTHONPATH"))))
    try:
        subprocess.run(
            [sys.executable, "-m", "scorecards.render", "."],
            cwd=edition,
            env=environment,
            check=True,
            capture_output=True,
            encoding="utf-8",
            timeout=RENDER_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines() or ["the renderer stopped without a word"]
        raise PublicationError(f"the pages could not be made, mend this and publish again: {said[-1]}") from error
    except subprocess.TimeoutExpired as error:
        raise PublicationError(f"the pages were not made within {RENDER_SECONDS} s: publish again") from error


def _sync(folder: Path) -> None:
    """Bring all files of a release to disk before its name does: a crash must not leave a release with holes."""
    for place, _, names in os.walk(folder):
        for name in names:
            _sync_path(Path(place) / name, os.O_RDONLY)
        _sync_folder(Path(place))


def _sync_folder(folder: Path) -> None:
    _sync_path(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync_path(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _point(site: Path, target: Path) -> None:
    """Let ``site/current`` point to a release, in one step."""
    pointer, wanted = site / "current", Path("releases") / target.name
    if pointer.is_symlink() and pointer.readlink() == wanted:
        return
    fresh = site / f".current-{secrets.token_hex(8)}"
    fresh.symlink_to(wanted, target_is_directory=True)
    fresh.replace(pointer)
    _sync_folder(site)


def _sweep(site: Path) -> None:
    """Remove what a crashed publication left; the lock is held, so nobody is working in it."""
    for folder in site.glob(".work-*"):
        shutil.rmtree(folder, ignore_errors=True)
    for pointer in site.glob(".current-*"):
        pointer.unlink(missing_ok=True)


def _record(settings: Settings, release: _Release) -> None:
    """Write into the ledger, once, that this build is published as this release, also after a crash kept it out."""
    if release.release_id in release.build.releases:
        return
    with writing(settings) as connection, transaction(connection):
        connection.execute(
            "insert into lake.ledger.publication (release_id, build_id, lake_snapshot, published_at, code_version)"
            " values (?, ?, ?, ?, ?)",
            [
                release.release_id,
                release.build.build_id,
                release.build.lake_snapshot,
                release.published_at.replace(tzinfo=None),
                code_version(),
            ],
        )
