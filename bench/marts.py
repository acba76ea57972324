"""Building the marts: over a history, by unchanged code, after a further month, and the same SQL run bare.

The bare run executes the SQL that dbt compiled for every table, in dbt's order, in one DuckDB process on the same lake.
dbt's fixed start is a run of one small model.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from bench.case_extracts import filled, land, timed
from transforms import catalogue
from transforms.build import selection_after
from transforms.dbt_process import waiting_dbt, work_database
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
        again = _seconds(home, selection_after(["extracts.*", "linkage.*"]))
        start = _seconds(home, ["--select", "mart_areas", "--no-write-json"])
        bare = _bare(home)
        land(home, extracts, is_last_month=True)
        for command in ("receive", "link"):
            timed(home, command)
        month = timed(home, "build")
        published = timed(home, "publish")
    peak = max(one.peak_mib for one in (first, month))
    print(
        f"scale {scale:g}: {rows:,} rows of history; all tables and data tests {again:.1f} s against {bare:.1f} s"
        f" of bare SQL and {start:.1f} s of dbt's start, ratio {again / (bare + start):.2f}; peak {peak:.0f} MiB"
    )
    print(
        f"scale {scale:g}: after a further month {month.seconds:.1f} s; first build by new code, unit tests included,"
        f" {first.seconds:.1f} s; publishing every edition {published.seconds:.1f} s"
    )


def _seconds(home: Settings, selection: list[str]) -> float:
    """Of one run of dbt, its start included."""
    started = time.perf_counter()
    with waiting_dbt(home) as dbt:
        run = dbt.build(selection, lambda _: None)
    if run.failures:
        raise AssertionError(run.failures[0])
    return time.perf_counter() - started


def _bare(home: Settings) -> float:
    """Seconds of the compiled SQL of all tables, each written to a schema ``bench`` of its database."""
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
    # As dbt writes: else the two would differ by how the work database is kept.
    profile = yaml.safe_load((catalogue.ROOM / "profiles.yml").read_text(encoding="utf-8"))["rasso"]["outputs"]["lake"]
    (work,) = (attached for attached in profile["attach"] if attached["alias"] == "work")
    with writing(home) as connection:
        connection.execute(f"set force_compression = '{profile['config_options']['force_compression']}'")
        options = ", ".join(f"{name} {value}" for name, value in work["options"].items())
        connection.execute(f"attach '{work_database(home)}' as work ({options})")
        for database in ("lake", "work"):
            connection.execute(f"create schema if not exists {database}.bench")
        started = time.perf_counter()
        for key in (key for key in order if key in tables):
            path = target / "compiled" / "rasso" / nodes[key]["original_file_path"]
            sql = path.read_text(encoding="utf-8")
            connection.execute(f"create or replace table {nodes[key]['database']}.bench.{nodes[key]['name']} as {sql}")
        seconds = time.perf_counter() - started
        for database in ("lake", "work"):  # the next build finds the home as builds leave it
            connection.execute(f"drop schema {database}.bench cascade")
    return seconds
