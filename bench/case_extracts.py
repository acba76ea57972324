"""Synthetic case extracts: receiving and linking three years of all suppliers, then a further month, then one delivery.

Each command is timed as a whole process, from its start to its end, imports included. The one delivery (a month of a
force, of the same bytes) is received over a history of scale 1 and over one ten times as large.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

import psutil

from extracts.delivery import waiting
from extracts.period import Period
from extracts.synthetic.request import Request
from extracts.synthetic.synthesise import synthesise
from rasso.settings import AS_OF, Settings
from warehouse.keys import make_keys
from warehouse.lake import reading
from warehouse.schema import prepare_home

MONTHS = Period(date(2018, 1, 1), date(2020, 12, 31))
LAST_MONTH_SENT = "20210101"  # delivery folders are named after the day on which they were sent
RASSO = str(Path(sys.executable).with_name("rasso"))


@dataclass(frozen=True, slots=True)
class Timed:
    """One command: seconds, and the largest memory of it and all its children together."""

    seconds: float
    peak_mib: float


def measure(scale: float) -> None:
    """Print the times of the history and of a further month at a scale."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home, rows, extracts = filled(folder / "home", scale)
        history = [timed(home, "receive"), timed(home, "link")]
        _print(f"scale {scale:g}: {rows:,} rows of history", history)
        count = land(home, extracts, is_last_month=True)
        _print(f"scale {scale:g}: a further month, {count} deliveries", [timed(home, "receive"), timed(home, "link")])


def measure_history(runs: int) -> None:
    """Print the time of the same deliveries over a history of scale 1 and of scale 10, in turns; a force each run.

    These forces have sent nothing before: beside a history of their own, ten times as large, the volume of the delivery
    would be out of their range, and it would be held.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        homes: dict[float, Settings] = {}
        for scale in (10.0, 1.0):
            homes[scale], _, extracts = filled(folder / f"home-{scale:g}", scale)
            last_month = [one for one in waiting(extracts) if one.supplier.endswith("-police")][:runs]
            for delivery in last_month:
                shutil.rmtree(homes[scale].landing / delivery.supplier)
                (homes[scale].landing / delivery.supplier).mkdir()
            for command in ("receive", "link"):
                timed(homes[scale], command)
            if scale != 1.0:
                shutil.rmtree(extracts)
        times: dict[float, list[float]] = {scale: [] for scale in homes}
        for delivery in last_month:
            for scale, home in homes.items():
                shutil.copytree(delivery.folder, home.landing / delivery.supplier / delivery.name)
                times[scale].append(sum(timed(home, command).seconds for command in ("receive", "link")))
                _assert_accepted(home, delivery.name, delivery.supplier)
    medians = {scale: median(seconds) for scale, seconds in times.items()}
    print(
        f"one delivery: {medians[1.0]:.1f} s over 1x history, {medians[10.0]:.1f} s over 10x,"
        f" ratio {medians[10.0] / medians[1.0]:.2f} (median of {len(times[1.0])} forces)"
    )


def _assert_accepted(home: Settings, delivery_name: str, supplier: str) -> None:
    """A delivery that is held loads nothing and would look fast."""
    with reading(home) as connection:
        states = connection.execute(
            "select state from lake.ledger.delivery where delivery_name = ? and supplier = ?", [delivery_name, supplier]
        ).fetchall()
    if states != [("accepted",)]:
        raise AssertionError(f"the delivery {supplier}/{delivery_name} was not accepted: {states}")


def filled(folder: Path, scale: float) -> tuple[Settings, int, Path]:
    """A home with the history of a scale in its landing folder; its rows, and where the last month still lies."""
    settings = Settings(home=folder)
    prepare_home(settings)
    (settings.root / AS_OF).write_text("2021-01-15", encoding="utf-8")
    make_keys(settings, development=True)
    extracts = folder.with_name(f"{folder.name}-extracts")
    synthesise(Request(into=extracts, months=MONTHS, scale=scale))
    land(settings, extracts, is_last_month=False)
    rows = sum(_rows(path) for path in settings.landing.glob("*/*/*.csv"))
    return settings, rows, extracts


def _rows(path: Path) -> int:
    with path.open("rb") as lines:
        return sum(1 for _ in lines) - 1


def land(settings: Settings, extracts: Path, *, is_last_month: bool) -> int:
    """Put the history or the last month into the landing folder; returns how many deliveries that were."""
    deliveries = [d for d in waiting(extracts) if (d.name >= LAST_MONTH_SENT) == is_last_month]
    for delivery in deliveries:
        target = settings.landing / delivery.supplier / delivery.name
        target.parent.mkdir(exist_ok=True)
        delivery.folder.rename(target)
    return len(deliveries)


def timed(settings: Settings, command: str) -> Timed:
    """Run one command of ``rasso`` as a whole process."""
    environment = os.environ | {"RASSO_HOME": str(settings.root), "RASSO_KEY_FILE": str(settings.key_file)}
    started = time.perf_counter()
    with subprocess.Popen([RASSO, command], env=environment, stdout=subprocess.DEVNULL) as process:
        peak = _Peak(process.pid)
        peak.start()
        code = process.wait()
        seconds = time.perf_counter() - started
        peak.join()
    if code:
        raise subprocess.CalledProcessError(code, command)
    return Timed(seconds, peak.mib)


class _Peak(threading.Thread):
    """Looks every 50 ms how much memory a process and its children have."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self.mib = 0.0

    def run(self) -> None:
        while True:
            try:
                process = psutil.Process(self._pid)
                family = [process, *process.children(recursive=True)]
                self.mib = max(self.mib, sum(member.memory_info().rss for member in family) / (1 << 20))
            except psutil.NoSuchProcess:
                if not psutil.pid_exists(self._pid):
                    return
            time.sleep(0.05)


def _print(what: str, times: list[Timed]) -> None:
    receive, link = times
    peak = max(timed.peak_mib for timed in times)
    total = receive.seconds + link.seconds
    print(f"{what}: {total:.1f} s (receive {receive.seconds:.1f} s, link {link.seconds:.1f} s), peak {peak:.0f} MiB")
