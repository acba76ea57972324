"""The doorbell may be lost, ring twice, or ring while nobody answers; two schedulers may hear it at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from extracts.suppliers import all_suppliers
from rasso.local_airflow import LocalAirflow, free_port, wait_until_ready
from rasso.settings import AS_OF, Settings
from tests.crimes import ESSEX, KENT, SURREY, Forces
from tests.end_to_end.conftest import READY_SECONDS, wait_for
from tests.postgres import Catalogue, catalogue
from warehouse.lake import ask
from warehouse.schema import prepare_home
from warehouse.verification import verify

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.long]
SECONDS = 300.0
SILENT_SECONDS = 20.0  # in which a doorbell that is heard leads to a run
DELIVERIES = 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """PostgreSQL for the catalogue and for Airflow's own database, as in service."""
    with catalogue(tmp_path_factory.mktemp("pg")) as running:
        yield running


def in_service(patch: pytest.MonkeyPatch, server: Catalogue) -> None:
    """Settings of the home, for every process that is started."""
    patch.setenv("RASSO_CATALOG", server.address)
    patch.setenv("RASSO_RECEIVE_BATCH", "3")


@pytest.fixture(autouse=True)
def _in_service(server: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of those that a test starts, from which settings are kept away."""
    in_service(monkeypatch, server)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, server: Catalogue) -> Iterator[tuple[Forces, LocalAirflow]]:
    """A home with a running Airflow."""
    home = tmp_path_factory.mktemp("doorbell") / "home"
    with pytest.MonkeyPatch.context() as patch:
        in_service(patch, server)
        prepare_home(Settings(home=home))
        (home / AS_OF).write_text("2021-01-15", encoding="utf-8")
        forces = Forces(Settings(home=home))
        with LocalAirflow(forces.settings, free_port(0), server.airflow_database()) as airflow:
            airflow.start()
            wait_until_ready(airflow, READY_SECONDS)
            yield forces, airflow


def received(forces: Forces) -> int:
    """How many hand-overs have an outcome."""
    query = "select count(*) from lake.ledger.delivery"
    return int(ask(forces.settings, lambda lake: lake.execute(query).fetchall()[0][0]))


def wait_for_outcomes(house: tuple[Forces, LocalAirflow], wanted: int) -> None:
    """Until so many hand-overs have one."""
    forces, airflow = house
    wait_for(lambda: received(forces) >= wanted or None, SECONDS, f"{wanted} outcomes", airflow)
    assert received(forces) == wanted


def test_a_paused_dag_receives_nothing_and_everything_when_it_goes_on(house: tuple[Forces, LocalAirflow]) -> None:
    forces, airflow = house
    airflow.pause("receive_extracts", is_paused=True)
    forces.land(KENT, 20)
    time.sleep(SILENT_SECONDS)  # that nothing happens has no event to wait for
    assert received(forces) == 0
    airflow.pause("receive_extracts", is_paused=False)
    wait_for_outcomes(house, 1)


def test_an_event_that_is_lost_costs_one_sweep(house: tuple[Forces, LocalAirflow]) -> None:
    """The triggerer, which listens for events, is down; a run of the schedule's finds the delivery all the same."""
    forces, airflow = house
    before = received(forces)
    airflow.stop_process("triggerer", is_kill=True)
    forces.land(ESSEX, 20)
    airflow.trigger("receive_extracts")  # as the clock does every quarter of an hour
    wait_for_outcomes(house, before + 1)
    airflow.start_process("triggerer")


def test_an_event_that_is_repeated_changes_nothing(house: tuple[Forces, LocalAirflow]) -> None:
    forces, airflow = house
    before = received(forces)
    forces.land(SURREY, 20)
    for _ in range(2):
        airflow.trigger("receive_extracts")
    wait_for_outcomes(house, before + 1)
    time.sleep(SILENT_SECONDS)  # in which a second outcome would come
    assert received(forces) == before + 1


def test_two_schedulers_give_each_delivery_one_outcome(house: tuple[Forces, LocalAirflow]) -> None:
    forces, airflow = house
    before = received(forces)
    airflow.start_process("scheduler", "scheduler-2")
    suppliers = [one.supplier_id for one in all_suppliers().values() if one.group == "force"]
    for supplier in [one for one in suppliers if one not in (KENT, ESSEX, SURREY)][:DELIVERIES]:
        forces.land(supplier, 20)
    wait_for_outcomes(house, before + DELIVERIES)
    airflow.check_alive()
    states = forces.rows("select state, count(*) from lake.ledger.delivery group by all")
    assert states == [("accepted", before + DELIVERIES)]
    assert [check.title for check in verify(forces.settings) if not check.has_passed] == []
