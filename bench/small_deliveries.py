"""Many small deliveries: receiving 200 of 1,000 rows, and what a delivery costs besides the reading of its file.

The bare reading is DuckDB reading each file into a Parquet file, one after the other, in this process: no archive, no
tokens, no rules, no ledger. The overhead is that of a warm process: the start of the command, which is measured by
receiving a single delivery, is taken off.
"""

from __future__ import annotations

import csv
import tempfile
import time
from datetime import UTC, date, datetime
from datetime import time as clock
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from bench.case_extracts import timed
from extracts.delivery import deliver
from extracts.period import Period
from extracts.suppliers import all_suppliers
from rasso.settings import AS_OF, Settings
from warehouse.keys import make_keys
from warehouse.lake import reading
from warehouse.schema import prepare_home

if TYPE_CHECKING:
    from collections.abc import Sequence

DELIVERIES = 200
ROWS = 1_000
MONTHS = ("2020-07", "2020-08", "2020-09", "2020-10", "2020-11")
HEADER = (
    "crime_reference", "police_unit", "offence_code", "reported_date", "recorded_date", "victim_age_band",
    "is_non_recent", "outcome_type",
)  # fmt: skip


def measure() -> None:
    """Print the time of 200 deliveries, and the overhead of one over its bare reading."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(home=folder / "home")
        prepare_home(settings)
        (settings.root / AS_OF).write_text("2021-01-15", encoding="utf-8")
        make_keys(settings, development=True)
        forces = [one for one in all_suppliers().values() if one.group == "force"]
        wanted = [(force.supplier_id, force.code, month) for month in MONTHS for force in forces]
        files = [_written(folder / f"{index}.csv", code, month) for index, (_, code, month) in enumerate(wanted)]
        _hand_over(settings, files[DELIVERIES], *wanted[DELIVERIES])
        start = timed(settings, "receive").seconds
        for file, one in zip(files[:DELIVERIES], wanted, strict=False):
            _hand_over(settings, file, *one)
        received = timed(settings, "receive")
        _assert_accepted(settings)
        bare = _bare(files[:DELIVERIES], folder)
    overhead = (received.seconds - start - bare) / (DELIVERIES - 1)
    print(
        f"{DELIVERIES} deliveries of {ROWS:,} rows: {received.seconds:.1f} s, peak {received.peak_mib:.0f} MiB;"
        f" one alone {start:.1f} s; bare reading of all {bare:.1f} s; overhead of a delivery {1000 * overhead:.0f} ms"
    )


def _written(path: Path, force_code: str, month: str) -> Path:
    unit = f"{force_code}AA"
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(HEADER)
        for number in range(ROWS):
            day = f"{month}-{number % 28 + 1:02d}"
            writer.writerow((f"{unit}/{month}/{number}", unit, "19C", day, day, "25_to_34", "false", "0"))
    return path


def _hand_over(settings: Settings, file: Path, supplier: str, _code: str, month: str) -> None:
    period = Period.parse(month)
    sent_at = datetime.combine(date(period.end.year, period.end.month, 28), clock(), tzinfo=UTC)
    deliver(settings.landing, [file], supplier, "police_crimes", period=period, sent_at=sent_at, is_synthetic=True)


def _assert_accepted(settings: Settings) -> None:
    with reading(settings) as connection:
        states = dict(connection.execute("select state, count(*) from lake.ledger.delivery group by all").fetchall())
    if states != {"accepted": DELIVERIES + 1}:
        raise AssertionError(f"not all deliveries were accepted: {states}")


def _bare(files: Sequence[Path], folder: Path) -> float:
    columns = ", ".join(f"'{name}': 'varchar'" for name in HEADER)
    options = f"header = true, auto_detect = false, columns = {{{columns}}}"  # as fast as DuckDB can read it
    started = time.perf_counter()
    with duckdb.connect() as connection:
        for file in files:
            target = folder / "bare.parquet"
            connection.execute(f"copy (from read_csv('{file}', {options})) to '{target}' (format parquet)")
    return time.perf_counter() - started
