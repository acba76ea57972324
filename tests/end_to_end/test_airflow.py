"""From a file in the landing folder to the published figure, through a real Airflow."""

from __future__ import annotations

import csv
import sqlite3
from typing import TYPE_CHECKING

import psutil
import pytest

from extracts.delivery import deliver
from rasso.local_airflow import LocalAirflow, free_port
from tests.end_to_end.conftest import wait_for
from warehouse.status import current_status

if TYPE_CHECKING:
    from pathlib import Path

    from extracts.synthetic.aggregates import Sample
    from rasso.settings import Settings

pytestmark = pytest.mark.slow
PUBLISHED_SECONDS = 180.0


def published(settings: Settings, measure: str, period_end: str) -> float | None:
    """A national figure of the public edition, if it is there."""
    path = settings.site / "current/public/data/measure_values.csv"
    if not path.exists():
        return None
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            identity = (row["measure_id"], row["area_level"], row["period_grain"], row["period_end"])
            if identity == (measure, "national", "month", period_end) and row["value"]:
                return float(row["value"])
    return None


def national_convictions(sample: Sample) -> float:
    """What the file itself says, read without any code of the pipeline."""
    with sample.path.open(encoding="utf-8", newline="") as lines:
        row = next(row for row in csv.DictReader(lines) if row[""] == "National")
    return float(row["Number of Sexual Offences Convictions"].replace(",", ""))


def hand_over(settings: Settings, sample: Sample) -> None:
    deliver(settings.landing, [sample.path], sample.supplier, sample.kind, period=sample.period, is_synthetic=True)


def test_a_delivery_rings_the_bell_and_becomes_a_published_figure(
    airflow: LocalAirflow, home: Settings, samples: list[Sample]
) -> None:
    months = [sample for sample in samples if sample.kind == "cps_principal_offence_outcomes"]
    first = months[0]
    hand_over(home, first)
    figure = wait_for(
        lambda: published(home, "sexual_offence_convictions_defendants", first.period.end.isoformat()),
        PUBLISHED_SECONDS,
        "the first published figure",
        airflow,
    )
    assert figure == national_convictions(first)


def test_a_second_delivery_refreshes_the_site_without_a_hand_beside_one_that_is_held(
    airflow: LocalAirflow, home: Settings, samples: list[Sample], tmp_path: Path
) -> None:
    months = [sample for sample in samples if sample.kind == "cps_principal_offence_outcomes"]
    first, second, third = months[:3]
    wait_for(lambda: (home.site / "current").exists() or None, PUBLISHED_SECONDS, "a first release", airflow)
    copy = tmp_path / "copy.csv"
    copy.write_bytes(first.path.read_bytes())
    deliver(home.landing, [copy], third.supplier, third.kind, period=third.period, is_synthetic=True)
    hand_over(home, second)
    figure = wait_for(
        lambda: published(home, "sexual_offence_convictions_defendants", second.period.end.isoformat()),
        PUBLISHED_SECONDS,
        "the refreshed figure",
        airflow,
    )
    assert figure == national_convictions(second)
    status = current_status(home)
    assert status.counts() == {"accepted": 2, "held": 1}
    assert published(home, "sexual_offence_convictions_defendants", third.period.end.isoformat()) is None


def test_an_engineer_has_it_received_again(airflow: LocalAirflow, home: Settings) -> None:
    wait_for(lambda: current_status(home).counts().get("accepted") or None, PUBLISHED_SECONDS, "a delivery", airflow)
    wanted = {"supplier": "cps-headquarters", "period": "2014-04..2030-12"}
    words = {"reason": "An alias of a police force was added.", "actor": "An Engineer"}
    accepted = current_status(home).counts()["accepted"]
    airflow.trigger("reprocess_extracts", wanted | words)
    wait_for(
        lambda: current_status(home).counts().get("replaced", 0) >= accepted or None,
        PUBLISHED_SECONDS,
        "what came of receiving again",
        airflow,
    )
    assert current_status(home).counts()["accepted"] == accepted


def test_airflow_keeps_ids_and_counts_and_nothing_of_an_extract(
    airflow: LocalAirflow, home: Settings, samples: list[Sample]
) -> None:
    """Names of areas stand in every extract, so none may stand in Airflow's database or logs."""
    wait_for(lambda: (home.site / "current").exists() or None, PUBLISHED_SECONDS, "a first release", airflow)
    with sqlite3.connect(home.airflow / "airflow.db") as database:
        (sent,) = database.execute("select count(*) from xcom").fetchone()
        dump = "\n".join(database.iterdump())
    assert sent > 0  # there was something to look at
    logs = "\n".join(path.read_text(errors="replace") for path in home.logs.rglob("*.log"))
    assert "receive_extracts" in logs
    for name in ("Metropolitan and City", "Dyfed-Powys", "Northumbria"):
        assert name in samples[-1].path.read_text()
        assert name not in dump
        assert name not in logs


def test_every_process_that_was_started_is_stopped(home: Settings) -> None:
    before = set(psutil.Process().children(recursive=True))
    with LocalAirflow(home, free_port(0)) as running:
        running.start_process("triggerer")
        started = set(psutil.Process().children(recursive=True)) - before
        assert started
    assert not any(process.is_running() for process in started)
