"""Validate and load the Home Office outcomes file, against a bare DuckDB script that reads, casts and writes it.

Both are timed from the moment when their imports are done; ours includes hashing, archiving, staging, every rule,
loading, ledger and report. Peak memory is the larger of our process and its reading child.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

FILE = "home_office/outcomes_2017_18.csv.gz"


def measure(data: Path, runs: int) -> None:
    """Alternate bare and ours, so that a slow moment of the machine meets both."""
    bare, ours, ratios, peaks = [], [], [], []
    for _ in range(runs):
        bare.append(_child("bare", data)["seconds"])
        answer = _child("ours", data)
        ours.append(answer["seconds"])
        peaks.append(answer["peak_mib"])
        ratios.append(ours[-1] / bare[-1])
    print(f"receive {FILE}: ours {median(ours):.2f} s, bare {median(bare):.2f} s,", end=" ")
    print(
        f"ratio median {median(ratios):.2f} (min {min(ratios):.2f}, max {max(ratios):.2f}), peak {max(peaks):.0f} MiB"
    )


def _child(which: str, data: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.receive", which, str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def _bare(source: Path, folder: Path) -> float:
    import duckdb

    started = time.perf_counter()
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(
            f"""
            copy (
                select
                    * exclude (financial_quarter, offences, force_outcomes_recorded_in_quarter),
                    try_cast(financial_quarter as bigint) as financial_quarter,
                    try_cast(offences as bigint) as recorded_basis_count,
                    try_cast(force_outcomes_recorded_in_quarter as bigint) as closed_basis_count
                from read_csv('{source}', all_varchar = true)
            ) to '{folder / "bare.parquet"}' (format parquet, compression zstd)
            """
        )
    return time.perf_counter() - started


def _ours(source: Path, folder: Path) -> float:
    import expectations.validation  # the one import of Great Expectations, apart from the time
    from extracts.delivery import deliver
    from extracts.period import Period
    from rasso.settings import Settings
    from warehouse.intake import receive_deliveries, waiting_batches
    from warehouse.keys import make_keys

    assert expectations.validation
    settings = Settings(home=folder / "home")
    settings.prepare()
    make_keys(settings, development=True)
    deliver(settings.landing, [source], "home-office", "home_office_outcomes", period=Period.parse("2017-04..2018-03"))
    (batch,) = waiting_batches(settings)
    started = time.perf_counter()
    (outcome,) = receive_deliveries(settings, batch)
    seconds = time.perf_counter() - started
    assert outcome.is_accepted
    return seconds


def _main() -> None:
    which, data = sys.argv[1], Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        seconds = (_bare if which == "bare" else _ours)(data / FILE, Path(folder))
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak}))


if __name__ == "__main__":
    _main()
