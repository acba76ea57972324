"""Case extracts through a real Airflow: history, then a live month that refreshes the site; no reference anywhere.

Those of two CPS Areas and of whoever has a defect or a canary: the acceptance tests take all suppliers.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from extracts.delivery import waiting
from extracts.period import Period
from extracts.synthetic.request import Request
from extracts.synthetic.synthesise import synthesise
from tests.end_to_end.conftest import wait_for
from tests.suppliers import suppliers_with
from warehouse.lake import reading
from warehouse.status import Status, current_status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from rasso.local_airflow import LocalAirflow
    from rasso.settings import Settings

pytestmark = pytest.mark.slow
PUBLISHED_SECONDS = 240.0
LAST_MONTH = "2020-12"
AREAS = ("1", "13")


@dataclass(frozen=True)
class Extracts:
    """Synthetic deliveries that wait to be handed over, and their answer key."""

    folder: Path
    answer_key: dict[str, Any]

    def hand_over(self, settings: Settings, *, is_last_month: bool) -> int:
        """Put the history, or the last month, into the landing folder; returns how many deliveries."""
        count = 0
        for delivery in (one for one in waiting(self.folder) if one.supplier in self.suppliers):
            manifest = json.loads((delivery.folder / "manifest.json").read_text(encoding="utf-8"))
            if all(file["period"] == LAST_MONTH for file in manifest["files"]) == is_last_month:
                target = settings.landing / delivery.supplier / delivery.name
                target.parent.mkdir(exist_ok=True)
                delivery.folder.rename(target)
                count += 1
        return count

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
    """Three months of every supplier, small."""
    into = tmp_path_factory.mktemp("cases") / "extracts"
    synthesised = synthesise(Request(into=into, months=Period.parse(f"2020-10..{LAST_MONTH}"), scale=0.05))
    return Extracts(into, json.loads(synthesised.answer_key.read_text(encoding="utf-8")))


def _settled(settings: Settings, deliveries: int) -> Status | None:
    """The status, once so many deliveries have their outcome and what was accepted is published."""
    status = current_status(settings)
    concluded = [row for row in status.deliveries if row.state not in ("waiting", "arriving")]
    return status if len(concluded) == deliveries and status.is_published else None


def test_a_live_month_refreshes_the_site_without_a_hand(
    airflow: LocalAirflow, home: Settings, extracts: Extracts
) -> None:
    history = extracts.hand_over(home, is_last_month=False)
    first = wait_for(lambda: _settled(home, history), PUBLISHED_SECONDS, "the release of the history", airflow)
    month = extracts.hand_over(home, is_last_month=True)
    second = wait_for(lambda: _settled(home, history + month), PUBLISHED_SECONDS, "the live month", airflow)
    assert history >= len(extracts.suppliers)
    assert month >= len(extracts.suppliers)
    assert second.release != first.release
    held = {f"{row.supplier}/{row.delivery_name}" for row in second.deliveries if row.state == "held"}
    assert held == extracts.held
    assert second.counts() == {"accepted": history + month - len(held), "held": len(held)}


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
