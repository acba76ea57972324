"""Building the marts: over a history, by unchanged code, after a further month, and the same SQL run bare.

The bare run executes the SQL that dbt compiled for every table, in dbt's order, in one DuckDB process on the same lake.
dbt's fixed start is a run of one small model.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.case_extracts import filled, land, timed
from transforms.build import dbt_command, dbt_environment
from warehouse.lake import writing

if TYPE_CHECKING:
    from rasso.settings import Settings


def measure(scale: float) -> None:
    """Print the times of builds at a scale."""
    with tempfile.TemporaryDirectory() as name:
        home, rows, extracts = filled(Path(name) / "home", scale)
        for command in ("receive", "link"):
            timed(home, command)
        first = timed(home, "build")
        again = timed(home, "build")
        start = _fixed_start(home)
        bare = _bare(home)
        land(home, extracts, is_last_month=True)
        for command in ("receive", "link"):
            timed(home, command)
        month = timed(home, "build")
        published = timed(home, "publish")
    peak = max(one.peak_mib for one in (first, again, month))
    print(
        f"scale {scale:g}: {rows:,} rows of history; marts {again.seconds:.1f} s against {bare:.1f} s of bare SQL and"
        f" {start:.1f} s of dbt's start, ratio {again.seconds / (bare + start):.2f}; peak {peak:.0f} MiB"
    )
    print(
        f"scale {scale:g}: after a further month {month.seconds:.1f} s; first build by new code, unit tests included,"
        f" {first.seconds:.1f} s; publishing every edition {published.seconds:.1f} s"
    )


def _fixed_start(home: Settings) -> float:
    command = dbt_command(home.logs / "dbt", home.baseline, ["--select", "mart_areas"])
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=Path(__file__).parents[1] / "transforms",
        env=dbt_environment(home),
        stdin=subprocess.PIPE,  # its end would end dbt: see transforms.watched_dbt
        stdout=subprocess.DEVNULL,
    ) as process:
        if process.wait():
            raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - started


def _bare(home: Settings) -> float:
    """Seconds of the compiled SQL of all tables, written to a schema of its own."""
    target = home.logs / "dbt" / "target"
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    tables = {key: node for key, node in nodes.items() if node["config"].get("materialized") == "table"}
    order: dict[str, None] = {}

    def visit(key: str) -> None:
        for parent in nodes.get(key, {}).get("depends_on", {}).get("nodes", []):
            if parent in nodes and parent not in order:
                visit(parent)
        order[key] = None

    for key in tables:
        visit(key)
    with writing(home) as connection:
        connection.execute("create schema if not exists lake.bench")
        started = time.perf_counter()
        for key in (key for key in order if key in tables):
            path = target / "compiled" / "rasso" / nodes[key]["original_file_path"]
            sql = path.read_text(encoding="utf-8")
            connection.execute(f"create or replace table lake.bench.{nodes[key]['name']} as {sql}")
        return time.perf_counter() - started
