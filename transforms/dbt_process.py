"""dbt in a process of its own: starting it, telling it what to make, following it, judging what came of it.

dbt keeps global state, and DuckDB keeps files that it opened; so each build has a new process. To import dbt takes it
seconds: it is started first and told later (see ``transforms.watched_dbt``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from transforms import catalogue
from warehouse.lake import data_folder, extension, extensions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from rasso.settings import Settings

_BAD = ("error", "fail", "runtime error")


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """One finished step of a build: ``done`` of ``total``, and the model, seed or test that it was."""

    done: int
    total: int
    name: str


@dataclass(frozen=True, slots=True)
class DbtRun:
    """What came of one ``dbt build``: seeds and models made, tests run, and a sentence per failure without values."""

    models: int
    tests: int
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WaitingDbt:
    """dbt that was started for a home and waits for what it is to make."""

    settings: Settings
    process: subprocess.Popen[str]
    errors: IO[bytes]

    def build(self, selection: Sequence[str], on_progress: Callable[[BuildProgress], None]) -> DbtRun:
        """Make a selection and wait for the end; once only, and by the holder of the writer lock."""
        folder = working_folder(self.settings)
        (folder / "target").mkdir(parents=True, exist_ok=True)
        results = folder / "results.json"
        results.unlink(missing_ok=True)  # else a run that never began would be judged by the one before
        try:
            self._tell([str(results), *_arguments(self.settings, selection)])
            for done, (total, name) in enumerate(_finished_steps(self.process.stdout or ()), start=1):
                on_progress(BuildProgress(done, total, name))
            code = self.process.wait()
        finally:
            self.errors.seek(0)
            (folder / "errors.log").write_bytes(self.errors.read())
            # dbt's own, with DuckDB's messages: they quote cells.
            (folder / "target" / "run_results.json").unlink(missing_ok=True)
        return _judge(results, code)

    def _tell(self, arguments: Sequence[str]) -> None:
        assert self.process.stdin
        line = json.dumps(arguments).encode() + b"\n"
        with suppress(BrokenPipeError):  # one that could not start tells so by its end
            os.write(self.process.stdin.fileno(), line)  # past the buffer, which would be written again at its end


@contextmanager
def waiting_dbt(settings: Settings) -> Iterator[WaitingDbt]:
    """Start dbt for a home; it ends with this block, at once where it was told nothing."""
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command(),
            cwd=catalogue.ROOM,
            env=os.environ | _environment(settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
        ) as process,
    ):
        try:
            yield WaitingDbt(settings, process, errors)
        except BaseException:
            process.kill()  # whatever it does, nobody waits for it
            raise


def command() -> list[str]:
    """The process that waits."""
    # -P: the room's own modules must not stand in the way of dbt's imports. -W: dbt's semaphores end with it; Python
    # would warn of them among the errors.
    quiet = ["-W", "ignore::UserWarning:multiprocessing.resource_tracker"]
    return [sys.executable, "-P", *quiet, "-m", "transforms.watched_dbt"]


def working_folder(settings: Settings) -> Path:
    """Where dbt's own files of a home lie: its manifest, parsed models, and what went wrong."""
    return settings.logs / "dbt"


def manifest(settings: Settings) -> Path:
    """Dbt's manifest of the models, which ``transforms.explain`` reads; written with the views."""
    return working_folder(settings) / "target" / "manifest.json"


def work_database(settings: Settings) -> Path:
    """The file of what a build makes on its way to the marts; nobody but the builds of a home opens it.

    Staging and intermediate models and measures are of no use to a reader. In a file of their own they cost no commit
    to the catalogue, and the lake holds what was received and what is published.
    """
    return settings.lake / "work.duckdb"


def _arguments(settings: Settings, selection: Sequence[str]) -> list[str]:
    """``dbt build`` of a selection."""
    folder = working_folder(settings)
    # Dbt tells of its steps by itself (``transforms.watched_dbt``). To write down what nobody reads takes it long.
    logging = ["--log-level", "none", "--log-level-file", "none", "--no-version-check"]
    folders = ["--profiles-dir", ".", "--target-path", str(folder / "target"), "--log-path", str(folder)]
    variables = ["--vars", json.dumps({"baseline": settings.baseline})]
    # Only the schemas of what is made are looked at for what stands there: each look costs dbt a tenth of a second.
    return [*logging, "--cache-selected-only", "build", *variables, *selection, *folders]


def _environment(settings: Settings) -> dict[str, str]:
    """What ``profiles.yml`` asks for."""
    lake, folder = settings.lake, data_folder(settings)
    return {
        "RASSO_CATALOG_URI": f"ducklake:{settings.catalog_uri}",
        "RASSO_LAKE_DATA": str(folder["data_path"]),
        "RASSO_LAKE_DATA_COUNTS": str(folder.get("override_data_path", False)),
        "RASSO_LAKE_EXTENSIONS": " ".join(str(extension(name)) for name in extensions_of(settings)),
        "RASSO_LAKE_EXTENSION_FOLDER": str(working_folder(settings) / "extensions"),
        "RASSO_LAKE_TEMP": str(lake / "temp"),
        "RASSO_LAKE_MEMORY_LIMIT": settings.memory_limit,
        "RASSO_LAKE_THREADS": str(settings.threads),
        "RASSO_WORK_DATABASE": str(work_database(settings)),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "true",
    }


def _finished_steps(lines: Iterable[str]) -> Iterable[tuple[int, str]]:
    for line in lines:
        try:
            total, name = json.loads(line)
        except (TypeError, ValueError):
            continue  # a library's own words between
        yield int(total), str(name)


def _judge(results: Path, exit_code: int) -> DbtRun:
    nodes = json.loads(results.read_text(encoding="utf-8")) if results.exists() else []
    if not nodes:
        return DbtRun(0, 0, (f"dbt did not start (exit code {exit_code}): see logs/dbt/errors.log",))
    kinds = [node["unique_id"].split(".", 1)[0] for node in nodes if node["status"] != "skipped"]
    tests = sum(kind in ("test", "unit_test") for kind in kinds)
    failures = [_failure(node) for node in nodes if node["status"] in _BAD]
    if exit_code and not failures:
        failures.append(f"dbt ended with exit code {exit_code}: see logs/dbt/errors.log")
    return DbtRun(len(kinds) - tests, tests, tuple(failures))


def _failure(node: dict[str, Any]) -> str:
    """One sentence about a step that failed."""
    kind, _, name = node["unique_id"].split(".", 2)
    if node["status"] == "fail":
        count = node.get("failures")
        rows = f" ({count} row{'s' if count > 1 else ''})" if kind == "test" and count else ""
        return f"{kind.replace('_', ' ')} {name} fails{rows}"
    return f"{kind.replace('_', ' ')} {name} does not run: {node['error']}"
