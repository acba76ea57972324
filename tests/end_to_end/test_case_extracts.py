"""Case extracts through a real Airflow: history, then a live month that refreshes the site; no reference anywhere."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from extracts.delivery import waiting
from extracts.period import Period
from extracts.synthetic.request import Request
from extracts.synthetic.synthesise import synthesise
from tests.end_to_end.conftest import wait_for
from warehouse.lake import reading
from warehouse.status import Status, current_status

if TYPE_CHECKING:
    from pathlib import Path

    from rasso.local_airflow import LocalAirflow
    from rasso.settings import Settings

pytestmark = pytest.mark.slow
PUBLISHED_SECONDS = 240.0
LAST_MONTH = "2020-12"


@dataclass(frozen=True)
class Extracts:
    """Synthetic deliveries that wait to be handed over, and their answer key."""

    folder: Path
    answer_key: dict[str, Any]

    def hand_over(self, settings: Settings, *, is_last_month: bool) -> int:
        """Put the history, or the last month, into the landing folder; returns how many deliveries."""
        count = 0
        for delivery in waiting(self.folder):
            manifest = json.loads((delivery.folder / "manifest.json").read_text(encoding="utf-8"))
            if all(file["period"] == LAST_MONTH for file in manifest["files"]) == is_last_month:
                target = settings.landing / delivery.supplier / delivery.name
                target.parent.mkdir(exist_ok=True)
                delivery.folder.rename(target)
                count += 1
        return count

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


def test_a_live_month_of_all_suppliers_refreshes_the_site_without_a_hand(
    airflow: LocalAirflow, home: Settings, extracts: Extracts
) -> None:
    history = extracts.hand_over(home, is_last_month=False)
    first = wait_for(lambda: _settled(home, history), PUBLISHED_SECONDS, "the release of the history", airflow)
    month = extracts.hand_over(home, is_last_month=True)
    second = wait_for(lambda: _settled(home, history + month), PUBLISHED_SECONDS, "the live month", airflow)
    assert history >= 72
    assert month >= 72
    assert second.release != first.release
    held = {f"{row.supplier}/{row.delivery_name}" for row in second.deliveries if row.state == "held"}
    assert held == extracts.held
    assert second.counts() == {"accepted": history + month - len(held), "held": len(held)}


def test_what_arrived_is_linked(airflow: LocalAirflow, home: Settings) -> None:
    airflow.check_alive()
    with reading(home) as connection:
        rows = connection.execute("select method, count(*) from lake.linkage.crime_case_link group by all").fetchall()
    assert dict(rows)["exact"] > 0


def test_no_reference_is_in_airflow_its_logs_or_the_site(
    airflow: LocalAirflow, home: Settings, extracts: Extracts
) -> None:
    airflow.check_alive()
    with sqlite3.connect(home.airflow / "airflow.db") as database:
        texts = {"airflow.db": "\n".join(database.iterdump())}
    for folder in (home.logs, home.site, home.reports):
        texts |= {str(path): path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()}
    assert len(texts) > 100  # there was something to look at
    canaries = extracts.answer_key["canaries"]
    for canary in (canaries["urn"], canaries["crime_reference"], canaries["undeclared_column"]["surname"]):
        plain = "".join(character for character in canary if character.isalnum())
        assert [name for name, text in texts.items() if canary in text or plain in text] == []
