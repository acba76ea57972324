"""Sixty deliveries at once, the scheduler killed half-way, then the triggerer: one outcome each, one equal release."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from extracts.suppliers import all_suppliers
from rasso.local_airflow import LocalAirflow, free_port, wait_until_ready
from rasso.settings import AS_OF
from scorecards.publication import publish
from tests.crimes import Forces, new_forces
from tests.end_to_end.conftest import READY_SECONDS, wait_for
from transforms.build import build
from warehouse.intake import receive_deliveries, waiting_batches
from warehouse.keys import read_keys
from warehouse.lake import ask
from warehouse.linkage import link
from warehouse.replay import compare
from warehouse.status import current_status
from warehouse.verification import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.long]
DELIVERIES = 60
SECONDS = 900.0
MONTHS = ("2020-10", "2020-11")


@pytest.fixture
def ready(tmp_path: Path) -> Forces:
    """Deliveries that lie ready in a home of their own, which stays quiet."""
    forces = new_forces(tmp_path / "quiet")
    suppliers = [one.supplier_id for one in all_suppliers().values() if one.group == "force"]
    wanted = [(supplier, month) for month in MONTHS for supplier in suppliers][:DELIVERIES]
    for supplier, month in wanted:
        forces.land(supplier, 20, month=month)
    return forces


@pytest.fixture
def busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Forces, LocalAirflow]]:
    """A home with a running Airflow, whose tasks receive six deliveries each."""
    monkeypatch.setenv("RASSO_RECEIVE_BATCH", "6")
    forces = new_forces(tmp_path / "busy")
    (forces.settings.root / AS_OF).write_text(forces.settings.as_of.isoformat(), encoding="utf-8")
    with LocalAirflow(forces.settings, free_port(0)) as airflow:
        airflow.start()
        wait_until_ready(airflow, READY_SECONDS)
        yield forces, airflow


def _drop(ready: Forces, busy: Forces) -> None:
    """Put every delivery into the landing folder within a second: whole folders, renamed."""
    beside = busy.settings.root / "ready"
    shutil.copytree(ready.settings.landing, beside)
    for folder in sorted(beside.glob("*/*")):
        target = busy.settings.landing / folder.parent.name / folder.name
        target.parent.mkdir(exist_ok=True)
        folder.rename(target)


def _received(forces: Forces) -> int:
    """How many deliveries have an outcome."""
    query = "select count(*) from lake.ledger.delivery"
    return int(ask(forces.settings, lambda lake: lake.execute(query).fetchall()[0][0]))


def _values(forces: Forces) -> dict[str, bytes]:
    """Every value table of the release that is served."""
    current = forces.settings.site / "current"
    return {str(path.relative_to(current)): path.read_bytes() for path in current.rglob("measure_values.csv")}


def test_sixty_deliveries_outlive_a_killed_scheduler_and_a_killed_triggerer(
    ready: Forces, busy: tuple[Forces, LocalAirflow]
) -> None:
    forces, airflow = busy
    _drop(ready, forces)
    wait_for(lambda: _received(forces) >= DELIVERIES // 4 or None, SECONDS, "a quarter of the outcomes", airflow)
    airflow.stop_process("scheduler", is_kill=True)
    assert _received(forces) < DELIVERIES
    airflow.start_process("scheduler")
    wait_for(lambda: _received(forces) >= DELIVERIES // 2 or None, SECONDS, "half of the outcomes", airflow)
    airflow.stop_process("triggerer", is_kill=True)
    airflow.start_process("triggerer")
    wait_for(lambda: _received(forces) == DELIVERIES or None, SECONDS, "all outcomes", airflow)
    wait_for(lambda: current_status(forces.settings).is_published or None, SECONDS, "the release", airflow)
    assert current_status(forces.settings).counts() == {"accepted": DELIVERIES}

    quiet = ready.settings
    for batch in waiting_batches(quiet):
        receive_deliveries(quiet, batch)
    link(quiet, read_keys(quiet))
    build(quiet).checked()
    publish(quiet)
    assert [table.table for table in compare(quiet, forces.settings, 0).tables if not table.is_equal] == []
    assert _values(forces) == _values(ready)
    assert [check.title for check in verify(forces.settings) if not check.has_passed] == []
