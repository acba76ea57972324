"""Build the marts: write the measure catalogue to the lake, run dbt, record the lake's snapshot.

Belongs here: running the dbt project as one step under the writer lock. Does not belong here: how anything is counted
(the models), and when a build is due (``dags``, the command line).
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import subprocess
import sys
import time
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from extracts.suppliers import all_suppliers
from transforms import catalogue
from transforms.sources import SOURCES, write_sources
from warehouse.lake import attached, newest_snapshot, transaction, writer_lock
from warehouse.schema import prepare_lake
from warehouse.version import code_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

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
_BAD = ("error", "fail", "runtime error")
_FINISHED = ("LogModelResult", "LogSeedResult", "LogTestResult")


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """One finished step of a build: ``done`` of ``total``, and the model, seed or test that it was."""

    done: int
    total: int
    name: str


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


@dataclass(frozen=True, slots=True)
class _DbtRun:
    models: int
    tests: int
    failures: tuple[str, ...]


def build(settings: Settings, on_progress: Callable[[BuildProgress], None] | None = None) -> BuildOutcome:
    """Build all marts from what is in the lake; nobody else writes meanwhile.

    A dbt build that fails raises nothing: its outcome says so, and readers keep the last successful build
    (``build(settings).checked()`` raises).

    Args:
        settings: of the home whose lake is built.
        on_progress: called after each finished step of dbt.

    Raises:
        BuildError: the measure catalogue or a changed contract cannot be used; nothing was built.
        duckdb.Error: the lake cannot be written to.
    """
    try:
        measures = catalogue.load()
    except catalogue.CatalogueError as error:
        raise BuildError(f"{catalogue.CATALOGUE_FILE.name}: {error}") from error
    try:
        write_sources()
    except OSError as error:
        raise BuildError(
            f"a contract changed, and {SOURCES.name} cannot be written ({error.strerror}); build once where it can"
        ) from error
    clock = time.monotonic()
    with writer_lock(settings):
        started = datetime.now(UTC)  # not before: what is accepted while we wait is in this build
        build_id = f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        is_proven = _prepare(settings, measures)
        run = _run_dbt(settings, on_progress or _log_progress, is_proven=is_proven)
        lake_snapshot = _record(settings, build_id, started, is_successful=not run.failures)
    seconds = time.monotonic() - clock
    logger.info("build %s: %d models, %d tests, %d failures", build_id, run.models, run.tests, len(run.failures))
    return BuildOutcome(build_id, lake_snapshot, not run.failures, run.models, run.tests, run.failures, seconds)


def _prepare(settings: Settings, measures: Iterable[catalogue.Measure]) -> bool:
    """Write what the models read besides extracts; returns whether the last build was by this very code, and succeeded.

    Unit tests feed the models made-up rows, so with unchanged code they cannot come out otherwise than last time.
    Views, seeds, the catalogue and the register of suppliers are code and no data: with unchanged code they stand.
    """
    with attached(settings) as connection:
        prepare_lake(connection)
        last = connection.execute(
            "select status, code_version from lake.ledger.build order by ended_at desc, build_id desc limit 1"
        ).fetchone()
        if last == (SUCCEEDED, code_version()) and _manifest(settings).is_file():
            return True
        rows = {
            "measure_catalogue": [astuple(measure) for measure in measures],
            "suppliers": [(one.supplier_id, one.group, one.code) for one in all_suppliers().values()],
        }
        with transaction(connection):
            connection.execute("create schema if not exists lake.reference")
            for table, columns in _REFERENCE.items():
                connection.execute(f"create or replace table lake.reference.{table} ({columns})")
                places = ", ".join("?" * len(rows[table][0]))
                connection.executemany(f"insert into lake.reference.{table} values ({places})", rows[table])
        return False


def _manifest(settings: Settings) -> Path:
    """Dbt's manifest of the models, which ``transforms.explain`` reads; written with the views."""
    return settings.logs / "dbt" / "target" / "manifest.json"


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
    return lake_snapshot


def _run_dbt(settings: Settings, on_progress: Callable[[BuildProgress], None], *, is_proven: bool) -> _DbtRun:
    """Run ``dbt build`` in a process of its own: dbt keeps global state, and DuckDB keeps files that it opened."""
    folder = settings.logs / "dbt"
    results = folder / "results.json"
    (folder / "target").mkdir(parents=True, exist_ok=True)
    results.unlink(missing_ok=True)  # else a run that never began would be judged by the one before
    with (
        (folder / "errors.log").open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            dbt_command(folder, settings.baseline, _selection(settings, is_proven=is_proven)),
            cwd=catalogue.ROOM,
            env=dbt_environment(settings),
            stdin=subprocess.PIPE,  # its end is our end: see transforms.watched_dbt
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
        ) as process,
    ):
        _follow(process.stdout or (), on_progress)
    (folder / "target" / "run_results.json").unlink(
        missing_ok=True
    )  # dbt's own, with DuckDB's messages: they quote cells
    return _judge(results, process.returncode)


def dbt_command(folder: Path, baseline: str, selection: Sequence[str]) -> list[str]:
    """``dbt build`` of a selection, with its working files in a folder of the home."""
    # -P: the room's own modules must not stand in the way of dbt's imports.
    watched = [sys.executable, "-P", "-m", "transforms.watched_dbt", str(folder / "results.json")]
    logging_ = ["--log-format", "json", "--log-level-file", "none", "--no-version-check"]
    folders = ["--profiles-dir", ".", "--target-path", str(folder / "target"), "--log-path", str(folder)]
    return [*watched, *logging_, "build", "--vars", json.dumps({"baseline": baseline}), *selection, *folders]


def _selection(settings: Settings, *, is_proven: bool) -> list[str]:
    """What a build makes: everything but exposures, which do nothing; by unchanged code the tables and data tests only.

    By unchanged code dbt's manifest stays, too: to write it takes dbt a second.
    """
    if is_proven:
        tables = ["--select", "config.materialized:table", "test_type:data", "--exclude", "test_type:unit"]
        return [*tables, "--no-write-json"]
    unit_tests = [] if settings.model_unit_tests else ["test_type:unit"]
    return ["--exclude", "resource_type:exposure", *unit_tests]


def dbt_environment(settings: Settings) -> dict[str, str]:
    """Environment of dbt for a home's lake; see ``profiles.yml``."""
    lake = settings.lake
    return os.environ | {
        "RASSO_CATALOG_URI": f"ducklake:{settings.catalog_uri}",
        "RASSO_LAKE_DATA": str(lake / "data"),
        "RASSO_LAKE_EXTENSIONS": str(lake / "extensions"),
        "RASSO_LAKE_TEMP": str(lake / "temp"),
        "RASSO_LAKE_MEMORY_LIMIT": settings.memory_limit,
        "RASSO_LAKE_THREADS": str(settings.threads),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "true",
    }


def _follow(lines: Iterable[str], on_progress: Callable[[BuildProgress], None]) -> None:
    for done, (total, name) in enumerate(_finished_steps(lines), start=1):
        on_progress(BuildProgress(done, total, name))


def _finished_steps(lines: Iterable[str]) -> Iterable[tuple[int, str]]:
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue  # a library's own words between dbt's events
        if isinstance(event, dict) and event.get("info", {}).get("name") in _FINISHED:
            data = event["data"]
            yield int(data.get("total") or data.get("num_models") or 0), str(data["node_info"]["node_name"])


def _judge(results: Path, exit_code: int) -> _DbtRun:
    nodes = json.loads(results.read_text(encoding="utf-8")) if results.exists() else []
    if not nodes:
        return _DbtRun(0, 0, (f"dbt did not start (exit code {exit_code}): see logs/dbt/errors.log",))
    kinds = [node["unique_id"].split(".", 1)[0] for node in nodes if node["status"] != "skipped"]
    tests = sum(kind in ("test", "unit_test") for kind in kinds)
    failures = [_failure(node) for node in nodes if node["status"] in _BAD]
    if exit_code and not failures:
        failures.append(f"dbt ended with exit code {exit_code}: see logs/dbt/errors.log")
    return _DbtRun(len(kinds) - tests, tests, tuple(failures))


def _failure(node: dict[str, Any]) -> str:
    """One sentence about a step that failed."""
    kind, _, name = node["unique_id"].split(".", 2)
    if node["status"] == "fail":
        count = node.get("failures")
        rows = f" ({count} row{'s' if count > 1 else ''})" if kind == "test" and count else ""
        return f"{kind.replace('_', ' ')} {name} fails{rows}"
    return f"{kind.replace('_', ' ')} {name} does not run: {node['error']}"


def _log_progress(progress: BuildProgress) -> None:
    logger.debug("%d of %d: %s", progress.done, progress.total, progress.name)
