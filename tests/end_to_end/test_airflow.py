"""From files in the landing folder to published figures, through one real Airflow; no reference stays in it.

First published statistics, as a publisher sends them; then the case extracts of two CPS Areas, and of whoever has a
defect or a canary: the acceptance tests take all suppliers.
"""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from extracts.delivery import deliver, waiting
from extracts.period import Period
from extracts.synthetic.request import Request
from extracts.synthetic.synthesise import synthesise
from rasso.local_airflow import LocalAirflow, free_port
from tests.end_to_end.conftest import wait_for
from tests.suppliers import suppliers_with
from warehouse.lake import reading
from warehouse.status import Status, current_status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from extracts.synthetic.aggregates import Sample
    from rasso.settings import Settings

pytestmark = pytest.mark.slow
PUBLISHED_SECONDS = 240.0
MONTHS = "2020-11..2020-12"
AREAS = ("1", "13")


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


@dataclass(frozen=True)
class Extracts:
    """Synthetic deliveries that wait to be handed over, and their answer key."""

    folder: Path
    answer_key: dict[str, Any]

    def hand_over(self, settings: Settings) -> int:
        """Put them into the landing folder; returns how many deliveries."""
        deliveries = [one for one in waiting(self.folder) if one.supplier in self.suppliers]
        for delivery in deliveries:
            target = settings.landing / delivery.supplier / delivery.name
            target.parent.mkdir(exist_ok=True)
            delivery.folder.rename(target)
        return len(deliveries)

    @property
    def suppliers(self) -> set[str]:
        """Who takes part."""
        return suppliers_with(self.answer_key, AREAS)

    @property
    def held(self) -> set[str]:
        """Deliveries that carry a defect of the whole."""
        return {defect["delivery"] for defect in self.answer_key["defects"] if defect["level"] == "delivery"}


@pytest.fixture(scope="module")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> Extracts:
    """Two months of every supplier, small."""
    into = tmp_path_factory.mktemp("cases") / "extracts"
    synthesised = synthesise(Request(into=into, months=Period.parse(MONTHS), scale=0.05))
    return Extracts(into, json.loads(synthesised.answer_key.read_text(encoding="utf-8")))


def test_case_extracts_refresh_the_site_without_a_hand(
    airflow: LocalAirflow, home: Settings, extracts: Extracts
) -> None:
    before = current_status(home)
    came = extracts.hand_over(home)

    def settled() -> Status | None:
        status = current_status(home)
        concluded = [row for row in status.deliveries if row.state not in ("waiting", "arriving")]
        return status if len(concluded) == len(before.deliveries) + came and status.is_published else None

    after = wait_for(settled, PUBLISHED_SECONDS, "the case extracts", airflow)
    assert came >= len(extracts.suppliers)
    assert after.release != before.release
    known = {row.hand_over_id for row in before.deliveries}
    received = [row for row in after.deliveries if row.hand_over_id not in known]
    held = {f"{row.supplier}/{row.delivery_name}" for row in received if row.state == "held"}
    assert held == extracts.held
    assert {row.state for row in received} == {"accepted", "held"}


def test_what_arrived_is_linked(airflow: LocalAirflow, home: Settings) -> None:
    airflow.check_alive()
    with reading(home) as connection:
        rows = connection.execute("select method, count(*) from lake.linkage.crime_case_link group by all").fetchall()
    assert dict(rows)["exact"] > 0


def _texts(database: Path, folders: Iterable[Path]) -> dict[str, str]:
    """Everything that can be read in a database and below folders, by place."""
    with closing(sqlite3.connect(database)) as connection:
        texts = {database.name: "\n".join(connection.iterdump())}
    for folder in folders:
        texts |= {str(path): path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()}
    return texts


def _places(canary: str, texts: Mapping[str, str]) -> list[str]:
    """Where a canary is found, as it is written or without what separates its parts."""
    plain = "".join(character for character in canary if character.isalnum())
    return [place for place, text in texts.items() if canary in text or plain in text]


def _canaries(extracts: Extracts) -> list[str]:
    canaries = extracts.answer_key["canaries"]
    return [canaries["urn"], canaries["crime_reference"], canaries["undeclared_column"]["surname"]]


def test_no_reference_is_in_airflow_its_logs_or_the_site(
    airflow: LocalAirflow, home: Settings, extracts: Extracts
) -> None:
    airflow.check_alive()
    texts = _texts(home.airflow / "airflow.db", (home.logs, home.site, home.reports))
    assert len(texts) > 100  # there was something to look at
    assert [_places(canary, texts) for canary in _canaries(extracts)] == [[], [], []]


def test_a_reference_that_leaks_into_airflow_its_logs_or_the_site_is_found(
    airflow: LocalAirflow, home: Settings, extracts: Extracts, tmp_path: Path
) -> None:
    airflow.check_alive()
    database = tmp_path / "airflow.db"
    with closing(sqlite3.connect(home.airflow / "airflow.db")) as source, closing(sqlite3.connect(database)) as copy:
        source.backup(copy)
    folders = [tmp_path / kind for kind in ("logs", "site", "reports")]
    for folder, pattern in zip(folders, ("attempt=*.log", "*.html", "index.html"), strict=True):
        folder.mkdir()
        shutil.copy(next((home.root / folder.name).rglob(pattern)), folder)
    canaries = _canaries(extracts)
    before = _texts(database, folders)
    assert [_places(canary, before) for canary in canaries] == [[], [], []]

    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "insert into log (dttm, event, extra) values ('2021-01-15 00:00:00', 'careless', ?)", [" ".join(canaries)]
        )
    leaks = [next(folder.iterdir()) for folder in folders]
    for leak in leaks:
        with leak.open("a", encoding="utf-8") as out:
            out.writelines(f"could not link {canary}\n" for canary in canaries)

    after = _texts(database, folders)
    assert [_places(canary, after) for canary in canaries] == [["airflow.db", *map(str, leaks)]] * 3


def test_every_process_that_was_started_is_stopped(home: Settings) -> None:
    before = set(psutil.Process().children(recursive=True))
    with LocalAirflow(home, free_port(0)) as running:
        running.start_process("triggerer")
        started = set(psutil.Process().children(recursive=True)) - before
        assert started
    assert not any(process.is_running() for process in started)
