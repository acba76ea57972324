"""Run dbt for as long as the process that started it lives, and no longer; write down what became of each step.

To import dbt takes seconds, in which the starter finds out what is to be made. It tells so in one line to standard
input: a JSON list of the file for the results and dbt's arguments. It is told of each finished step in one line to
standard output: a JSON list of how many steps there are and the step's name.

The starter holds the writer lock. When it is killed, the lock is free at once, and a dbt that went on would write
beside the next writer. So the starter keeps a pipe to this process's standard input open and writes no more to it: the
pipe's end is the starter's end. Everything that dbt has committed stays whole; the next build replaces it.

dbt's own words for an error quote DuckDB's, and these can quote a cell: of an error only its kind is written down.
"""

from __future__ import annotations

import gc
import json
import os
import re
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_common.events.base_types import EventMsg

_FINISHED = ("LogModelResult", "LogSeedResult", "LogTestResult")
_ERROR_KIND = re.compile(r"\b([A-Z]\w+(?: [A-Z]\w+)? Error)\b")


def main() -> None:
    """Import dbt, wait to be told what to make, and make it."""
    # dbt keeps nearly all that it makes: to look for what it left, as often as Python does, takes a fifth of its time.
    gc.set_threshold(100_000, 50, 100)
    from mashumaro.config import BaseConfig

    BaseConfig.lazy_compilation = True  # a build uses half of the classes that dbt would compile
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    told = sys.stdin.readline()
    if not told:
        sys.exit(os.EX_TEMPFAIL)
    threading.Thread(target=_end_with_the_starter, daemon=True).start()
    results, *arguments = json.loads(told)
    outcome = dbtRunner(callbacks=[_tell_of_finished_step]).invoke(arguments)
    steps = list(getattr(outcome.result, "results", ()))
    Path(results).write_text(json.dumps(list(steps_of(steps))), encoding="utf-8")
    if outcome.exception is not None and not steps:
        sys.stderr.write(f"{error_kind(str(outcome.exception))}\n")
    DuckDBConnectionManager.close_all_connections()  # the work database is one whole file, and what it left is free
    sys.stdout.flush()
    sys.stderr.flush()
    # For Python to clear up what dbt made would take a second.
    os._exit(0 if outcome.success else 1 if steps else 2)


def _tell_of_finished_step(event: EventMsg) -> None:
    if event.info.name in _FINISHED:
        total = getattr(event.data, "total", 0) or getattr(event.data, "num_models", 0)
        sys.stdout.write(json.dumps([total, event.data.node_info.node_name]) + "\n")
        sys.stdout.flush()


def steps_of(results: Iterable[Any]) -> Iterable[dict[str, Any]]:
    """Dbt's results without values: which step, what became of it, how many rows failed, the kind of error."""
    for result in results:
        yield {
            "unique_id": result.node.unique_id,
            "status": str(result.status),
            "failures": result.failures,
            "error": error_kind(result.message),
        }


def error_kind(message: str | None) -> str:
    """What kind of error a message speaks of: 'Conversion Error'."""
    kinds = [found for found in _ERROR_KIND.findall(message or "") if found != "Runtime Error"]
    return kinds[0] if kinds else "error"


def _end_with_the_starter() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(os.EX_TEMPFAIL)  # at once: an orderly end would wait for the statement that is running


if __name__ == "__main__":
    main()
