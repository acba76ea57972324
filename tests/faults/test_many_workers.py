"""Invariants 8 and 9 on a real PostgreSQL: many deliveries, four workers, and a catalogue that goes down meanwhile."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest

from extracts.suppliers import all_suppliers
from tests.crimes import KENT, Forces
from tests.homes import prepared_home
from tests.postgres import Catalogue, catalogue
from warehouse.intake import IntakeError, receive_deliveries, waiting_batches
from warehouse.lake import LakeError
from warehouse.verification import verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from warehouse.record import ReceiptOutcome

pytestmark = pytest.mark.slow

WORKERS = 4
ROWS = 10
AS_OF = "2021-01-15"
MONTHS = ("2020-07", "2020-08", "2020-09", "2020-10", "2020-11")
BATCH = 10
WORK = """
import sys
from rasso.settings import Settings
from warehouse.intake import receive_deliveries
import expectations.validation
print("ready", flush=True)
for line in sys.stdin:
    for outcome in receive_deliveries(Settings(), line.split()):
        print(outcome.hand_over_id, flush=True)
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    with catalogue(tmp_path_factory.mktemp("pg")) as running:
        yield running


@pytest.fixture
def forces(running: Catalogue, tmp_path: Path) -> Forces:
    """An empty home whose catalogue is in PostgreSQL."""
    running.empty()
    settings = prepared_home(tmp_path / "home", catalog=running.address, as_of=AS_OF, threads=1)
    return Forces(settings)


def land(forces: Forces, count: int) -> list[str]:
    """Land so many deliveries, of other forces each time, then of their next months; returns their hand-over ids."""
    suppliers = [one.supplier_id for one in all_suppliers().values() if one.group == "force"]
    wanted = [(supplier, month) for month in MONTHS for supplier in suppliers][:count]
    assert len(wanted) == count
    for supplier, month in wanted:
        forces.land(supplier, ROWS, month=month)
    (ids,) = waiting_batches(forces.settings)
    return ids


def receive_with_workers(forces: Forces, ids: Sequence[str]) -> list[str]:
    """Give every delivery to each of four workers, in another order; returns what they say that they received."""
    settings = forces.settings
    environment = os.environ | {
        "RASSO_HOME": str(settings.root),
        "RASSO_CATALOG": settings.catalog,
        "RASSO_AS_OF": AS_OF,
        "RASSO_THREADS": "1",
    }
    chance = random.Random(1992)  # noqa: S311 - no secret
    workers = []
    for _ in range(WORKERS):
        batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
        chance.shuffle(batches)
        command = [sys.executable, "-c", WORK]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        workers.append((process, "".join(" ".join(batch) + "\n" for batch in batches)))
    for process, _ in workers:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process, lines in workers:
        assert process.stdin is not None
        process.stdin.write(lines)
        process.stdin.close()
    received = [process.stdout.read().split() for process, _ in workers if process.stdout]
    assert [process.wait() for process, _ in workers] == [0] * WORKERS
    return [one for of_worker in received for one in of_worker]


def check_outcomes(forces: Forces, count: int, duplicates: int = 0) -> None:
    """Every delivery has its one outcome, and its rows are there once."""
    states = dict(forces.rows("select state, count(*) from lake.ledger.delivery group by all"))
    assert states == {"accepted": count} | ({"duplicate": duplicates} if duplicates else {})
    assert forces.rows("select count(*) from lake.extracts.police_crimes") == [(count * ROWS,)]
    assert list(forces.settings.landing.glob("*/*")) == []
    checks = verify(forces.settings, reads_archive=False)
    assert {check.title: check.findings for check in checks if not check.has_passed} == {}


@pytest.mark.parametrize("count", [24, pytest.param(200, marks=pytest.mark.long)])
def test_many_deliveries_and_four_workers_give_each_delivery_one_outcome(forces: Forces, count: int) -> None:
    ids = land(forces, count)
    received = receive_with_workers(forces, ids)
    assert sorted(received) == sorted(ids)
    check_outcomes(forces, count)
    again = land(forces, count)
    assert set(again).isdisjoint(ids)
    assert sorted(receive_with_workers(forces, again)) == sorted(again)
    check_outcomes(forces, count, duplicates=count)


def test_a_catalogue_that_goes_down_costs_nothing_but_time(forces: Forces, running: Catalogue) -> None:
    """It goes down behind the first of three commits; the next sweep, once it is up, finishes the work."""
    for month in MONTHS[:3]:
        forces.land(KENT, ROWS, month=month)
    (ids,) = waiting_batches(forces.settings)
    outcomes: list[ReceiptOutcome] = []

    def stop_after(outcome: ReceiptOutcome) -> None:
        outcomes.append(outcome)
        running.stop()

    with pytest.raises((IntakeError, LakeError, duckdb.Error)) as caught:
        receive_deliveries(forces.settings, ids, stop_after)
    assert [outcome.state for outcome in outcomes] == ["accepted"]
    assert running.address not in str(caught.value)
    with pytest.raises(LakeError, match="the database that RASSO_CATALOG names"):
        waiting_batches(forces.settings)
    running.start()
    for batch in waiting_batches(forces.settings):
        receive_deliveries(forces.settings, batch)
    check_outcomes(forces, 3)
