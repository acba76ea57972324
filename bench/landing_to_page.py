"""From a file landing to the republished page, through a running local Airflow."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from extracts.delivery import deliver
from extracts.synthetic.aggregates import write_samples
from rasso.local_airflow import LocalAirflow, free_port, wait_until_ready
from rasso.settings import Settings
from warehouse.keys import make_keys
from warehouse.schema import prepare_home

MOST_SECONDS = 300.0


def measure(runs: int) -> None:
    """Deliver one synthetic month after the other and wait for the release pointer to move."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home")
        prepare_home(settings)
        make_keys(settings, development=True)
        samples = [s for s in write_samples(Path(folder) / "samples") if s.kind == "cps_principal_offence_outcomes"]
        with LocalAirflow(settings, free_port(0)) as airflow:
            airflow.start()
            wait_until_ready(airflow, MOST_SECONDS)
            seconds = [_one(settings, sample) for sample in samples[: runs + 1]]
    later = seconds[1:]
    print(f"landing to page: first {seconds[0]:.1f} s; then median {median(later):.1f} s,", end=" ")
    print(f"min {min(later):.1f}, max {max(later):.1f} ({len(later)} deliveries)")


def _one(settings: Settings, sample: object) -> float:
    pointer = settings.site / "current"
    before = pointer.resolve() if pointer.exists() else None
    started = time.perf_counter()
    path, supplier, kind, period = (getattr(sample, name) for name in ("path", "supplier", "kind", "period"))
    deliver(settings.landing, [path], supplier, kind, period=period, is_synthetic=True)
    while not pointer.exists() or pointer.resolve() == before:
        if time.perf_counter() - started > MOST_SECONDS:
            raise TimeoutError("no new release")
        time.sleep(0.1)
    return time.perf_counter() - started
