"""``rasso run`` over all 35 public deliveries in an empty home, and what publishing takes of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RASSO = str(Path(sys.executable).with_name("rasso"))


def measure(data: Path) -> None:
    """Deliver, then time one ``rasso run`` as a whole process."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"RASSO_HOME": str(Path(folder) / "home")}
        subprocess.run([RASSO, "make-key", "--development"], env=environment, check=True, capture_output=True)
        for arguments in deliveries(data):
            subprocess.run([RASSO, "deliver", *arguments], env=environment, check=True, capture_output=True)
        started = time.perf_counter()
        done = subprocess.run([RASSO, "run"], env=environment, check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - started
    published = re.search(r"published release \w+: ([\d,]+) pages, ([\d.]+) s", done.stdout)
    built = re.search(r"built .* ([\d.]+) s", done.stdout)
    assert published
    assert built
    print(f"rasso run over 35 deliveries: {seconds:.1f} s, of it build {built[1]} s, publish {published[2]} s")


def deliveries(data: Path) -> list[list[str]]:
    """Arguments of ``rasso deliver`` for each of the 35 files, one delivery each."""
    home_office = data / "home_office"
    cps = ["--supplier", "cps-headquarters", "--kind", "cps_principal_offence_outcomes"]
    outcomes = ["--supplier", "home-office", "--kind", "home_office_outcomes", "--period", "2017-04..2018-03"]
    crime = ["--supplier", "home-office", "--kind", "home_office_recorded_crime", "--period", "2012-04..2025-12"]
    return [
        [str(home_office / "outcomes_2017_18.csv.gz"), *outcomes],
        [str(home_office / "recorded_crime_by_force_2012_2025.parquet"), *crime],
        *([str(file), *cps] for file in sorted((data / "cps" / "principal_offence_category").glob("*.csv"))),
    ]
