"""Build the marts: write the measure catalogue to the lake, run dbt, record the lake's snapshot.

Belongs here: running the dbt project as one step under the writer lock, and what of it is to be made anew. Does not
belong here: how anything is counted (the models), how dbt is run (``dbt_process``), and when a build is due (``dags``,
the command line).
"""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

from extracts.suppliers import all_suppliers
from transforms import catalogue
from transforms.dbt_process import BuildProgress, manifest, waiting_dbt, work_database
from transforms.sources import SOURCES, write_sources
from warehouse.lake import attached, newest_snapshot, transaction, writer_lock
from warehouse.schema import prepare_lake
from warehouse.version import code_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import duckdb

    from rasso.settings import Settings

logger = logging.getLogger(__name__)

SUCCEEDED = "succeeded"
FAILED = "failed"

# Tables that are written before dbt runs: what the models read of the catalogue and of the register of suppliers.
_REFERENCE = {
    "measure_catalogue": """
        measure_id varchar, title varchar, shape varchar, unit varchar, numerator varchar, denominator varchar,
        period_placed_by varchar, direction varchar, recorded_since date, source varchar, caveat varchar,
        since_version varchar, minimum_denominator integer, is_headline boolean, theme varchar, sort_order integer,
        mart varchar, also_from varchar, horizon_months integer, breakdown varchar, model varchar, quantile double
    """,
    "suppliers": "supplier varchar, supplier_group varchar, supplier_code varchar",
}
# Layers that the work database holds; builds by earlier code left them in the lake.
_LAYERS_OF_WORK = ("measures", "intermediate", "staging")


class BuildError(Exception):
    """A build that failed; readers keep the last successful one."""


@dataclass(frozen=True, slots=True)
class BuildOutcome:
    """What came of one build.

    ``lake_snapshot`` is the lake's state after it; readers take the snapshot of the last successful build. ``models``
    counts seeds and models that were made, ``tests`` data tests and unit tests that ran. ``failures`` are short
    sentences without data values.
    """

    build_id: str
    lake_snapshot: int
    is_successful: bool
    models: int
    tests: int
    failures: tuple[str, ...]
    seconds: float

    def checked(self) -> BuildOutcome:
        """The outcome itself where the build succeeded.

        Raises:
            BuildError: it failed; the last successful build stays in use.
        """
        if not self.is_successful:
            raise BuildError(f"the marts could not be built: {'; '.join(self.failures)}; the last good build stays")
        return self


def build(
    settings: Settings, on_progress: Callable[[BuildProgress], None] | None = None, *, is_full: bool = False
) -> BuildOutcome:
    """Build all marts from what is in the lake; nobody else writes meanwhile.

    Where the last build was by the same code, only that is made anew which reads what has changed since; its rows are
    those of a full build. A dbt build that fails raises nothing: its outcome says so, and readers keep the last
    successful build (``build(settings).checked()`` raises).

    Args:
        settings: of the home whose lake is built.
        on_progress: called after each finished step of dbt.
        is_full: make everything anew and prove the models on their unit tests, whatever changed.

    Raises:
        BuildError: the measure catalogue or a changed contract cannot be used; nothing was built.
        duckdb.Error: the lake cannot be written to.
    """
    clock = time.monotonic()
    with waiting_dbt(settings) as dbt:
        try:
            measures = catalogue.load()
        except catalogue.CatalogueError as error:
            raise BuildError(f"{catalogue.CATALOGUE_FILE.name}: {error}") from error
        with writer_lock(settings):
            started = datetime.now(UTC)  # not before: what is accepted while we wait is in this build
            build_id = f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
            selection = _prepare(settings, measures, is_full=is_full)
            run = dbt.build(selection, on_progress or _log_progress)
            lake_snapshot = _record(settings, build_id, started, is_successful=not run.failures)
    seconds = time.monotonic() - clock
    logger.info("build %s: %d models, %d tests, %d failures", build_id, run.models, run.tests, len(run.failures))
    return BuildOutcome(build_id, lake_snapshot, not run.failures, run.models, run.tests, run.failures, seconds)


def _prepare(settings: Settings, measures: Iterable[catalogue.Measure], *, is_full: bool) -> list[str]:
    """Write what the models read besides extracts; returns what dbt is to make.

    Unit tests feed the models made-up rows, so with unchanged code they cannot come out otherwise than last time.
    Views, seeds, the contracts, the catalogue and the register of suppliers are code and no data: with unchanged code
    what was made of them stands. To read the contracts takes half a second, beside dbt's own start.
    """
    with attached(settings) as connection:
        snapshot = None if is_full else _proven_snapshot(settings, connection)
        if snapshot is not None:
            return selection_after(_changed_sources(connection, snapshot))
        _write_sources()
        prepare_lake(connection)
        _whole_work(settings).unlink(missing_ok=True)
        for name in ("work.duckdb", "work.duckdb.wal"):  # a build that was killed leaves a log, which fits no new file
            work_database(settings).with_name(name).unlink(missing_ok=True)
        rows = {
            "measure_catalogue": [astuple(measure) for measure in measures],
            "suppliers": [(one.supplier_id, one.group, one.code) for one in all_suppliers().values()],
        }
        with transaction(connection):
            for schema in _LAYERS_OF_WORK:
                connection.execute(f"drop schema if exists lake.{schema} cascade")
            connection.execute("create schema if not exists lake.reference")
            for table, columns in _REFERENCE.items():
                connection.execute(f"create or replace table lake.reference.{table} ({columns})")
                # In one statement: the lake keeps a file for each.
                places = ", ".join([f"({', '.join('?' * len(rows[table][0]))})"] * len(rows[table]))
                connection.execute(f"insert into lake.reference.{table} values {places}", list(chain(*rows[table])))
    # Everything but exposures, which do nothing.
    return ["--exclude", "resource_type:exposure", *([] if settings.model_unit_tests else ["test_type:unit"])]


def _write_sources() -> None:
    try:
        write_sources()
    except OSError as error:
        raise BuildError(
            f"a contract changed, and {SOURCES.name} cannot be written ({error.strerror}); build once where it can"
        ) from error
    code_version.cache_clear()  # what was written is code, too


def _proven_snapshot(settings: Settings, connection: duckdb.DuckDBPyConnection) -> int | None:
    """The lake's snapshot after the last build where this build can begin with what that one left, else None.

    It can where the last build succeeded, was by this very code, and left the work database whole.
    """
    has_ledger = connection.execute(
        "select 1 from duckdb_tables() where (database_name, schema_name, table_name) = ('lake', 'ledger', 'build')"
    ).fetchone()
    if not has_ledger:  # nothing was ever received or built here
        return None
    last = connection.execute(
        "select build_id, lake_snapshot, status, code_version from lake.ledger.build"
        " order by ended_at desc, build_id desc limit 1"
    ).fetchone()
    if last is None or last[2:] != (SUCCEEDED, code_version()):
        return None
    whole = _whole_work(settings)
    is_whole = whole.is_file() and whole.read_text(encoding="utf-8") == last[0] and work_database(settings).is_file()
    return last[1] if is_whole and manifest(settings).is_file() else None


def _changed_sources(connection: duckdb.DuckDBPyConnection, snapshot: int) -> list[str]:
    """Tables, as schema.table, that models read and that have other rows than at a snapshot, or others that count.

    Which rows of an extract count is told by the states of its deliveries. The ledger itself is left out: what reads
    more of it than that is made anew each time.
    """
    rows = connection.execute(
        f"""
        with
        changes as (
            select unnest(coalesce(changes['tables_inserted_into'], []) || coalesce(changes['tables_deleted_from'], []))
                as table_id
            from ducklake_snapshots('lake')
            where snapshot_id > {snapshot:d}
        ),
        tables as (
            select distinct info.table_name
            from ducklake_table_info('lake') as info
            inner join changes on info.table_id = try_cast(changes.table_id as bigint)
        ),
        deliveries as (
            select files.kind, deliveries.hand_over_id, deliveries.delivery_id, deliveries.state
            from lake.ledger.delivery as deliveries
            inner join lake.ledger.delivery_file as files on deliveries.hand_over_id = files.hand_over_id
        ),
        deliveries_then as (
            select files.kind, deliveries.hand_over_id, deliveries.delivery_id, deliveries.state
            from lake.ledger.delivery as deliveries at (version => {snapshot:d})
            inner join lake.ledger.delivery_file as files at (version => {snapshot:d})
                on deliveries.hand_over_id = files.hand_over_id
        ),
        kinds as (
            (select kind from (from deliveries except from deliveries_then))
            union
            (select kind from (from deliveries_then except from deliveries))
        )
        select known.table_schema || '.' || known.table_name
        from information_schema.tables as known
        where known.table_catalog = 'lake'
            and (
                known.table_schema in ('extracts', 'linkage') and known.table_name in (from tables)
                or known.table_schema = 'extracts' and known.table_name in (from kinds)
            )
        order by all
        """
    ).fetchall()
    return [name for (name,) in rows]


def selection_after(changed_sources: Iterable[str]) -> list[str]:
    """All tables but those that read of their own sources only, where none of these has changed; all tests of data.

    Seeds, the catalogue and what a model says in words of its own are code, and so are the tests of them. Dbt's
    manifest stays, too: to write it takes dbt a second.
    """
    always = "config.materialized:table,config.meta.made_anew:always"
    reading = [f"source:{source}+" for source in changed_sources]
    code = ["config.materialized:view", "resource_type:exposure"]
    code += ["test_type:unit", "test_type:data,path:seeds", "test_type:data,tag:code"]
    # Else dbt would take a test that also reads a seed for a test of seeds.
    named_only = ["--indirect-selection", "cautious"]
    return ["--select", always, *reading, "test_type:data", "--exclude", *code, *named_only, "--no-write-json"]


def _whole_work(settings: Settings) -> Path:
    """Names the build that left the work database whole: the last one that succeeded."""
    return work_database(settings).with_suffix(".build_id")


def _record(settings: Settings, build_id: str, started: datetime, *, is_successful: bool) -> int:
    """Write the ledger row; the snapshot it names is the one that dbt left, without the row itself."""
    with attached(settings) as connection:
        lake_snapshot = newest_snapshot(connection)
        times = [moment.replace(tzinfo=None) for moment in (started, datetime.now(UTC))]
        status = SUCCEEDED if is_successful else FAILED
        connection.execute(
            "insert into lake.ledger.build (build_id, lake_snapshot, started_at, ended_at, status, code_version)"
            " values (?, ?, ?, ?, ?, ?)",
            [build_id, lake_snapshot, *times, status, code_version()],
        )
    if is_successful:
        _whole_work(settings).write_text(build_id, encoding="utf-8")
    return lake_snapshot


def _log_progress(progress: BuildProgress) -> None:
    logger.debug("%d of %d: %s", progress.done, progress.total, progress.name)
