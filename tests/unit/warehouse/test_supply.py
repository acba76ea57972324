"""What is due and what came: received, due, held, rejected, late, missing, on the day that is asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.crimes import ESSEX, KENT, SURREY, Forces, new_forces
from warehouse.decisions import decide
from warehouse.intake import receive_deliveries
from warehouse.lake import reading
from warehouse.supply import PAGE, Month, Supply, current_supply, in_words, supply_of, watch

if TYPE_CHECKING:
    from conftest import Home

RASSO = Path(sys.executable).with_name("rasso")
NOVEMBER, DECEMBER = date(2020, 11, 1), date(2020, 12, 1)
SUSSEX = "sussex-police"  # sends nothing


@pytest.fixture(scope="module")
def forces(tmp_path_factory: pytest.TempPathFactory) -> Forces:
    """November of Kent is accepted, of Essex held, of Surrey rejected; the page is as intake left it."""
    forces = new_forces(tmp_path_factory.mktemp("supply"))
    forces.land(KENT, 20)
    forces.land(ESSEX, 20, bad_rows=range(1, 16))
    forces.land(SURREY, 20)
    (folder,) = (forces.settings.landing / SURREY).iterdir()
    (folder / "crimes.csv").write_bytes(b"")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][0]["sha256"] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    outcomes = forces.receive()
    assert [outcomes[one].state for one in (KENT, ESSEX, SURREY)] == ["accepted", "held", "rejected"]
    return forces


def supply_on(forces: Forces, day: date) -> Supply:
    """The supply on a day."""
    with reading(forces.settings) as connection:
        return supply_of(connection, day)


def states(supply: Supply, month: date) -> dict[str, str]:
    """The state of a month by supplier, where there is one."""
    return {
        supplier: one.state
        for supplier, months in supply.suppliers.items()
        for one in months
        if one.month == month and one.state and supplier in (KENT, ESSEX, SURREY, SUSSEX)
    }


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (date(2020, 12, 12), "due"),
        (date(2020, 12, 13), "late"),
        (date(2021, 1, 12), "late"),
        (date(2021, 1, 13), "missing"),
        (date(2022, 6, 1), "missing"),
    ],
)
def test_what_has_not_come_is_due_then_late_then_missing(forces: Forces, day: date, state: str) -> None:
    overdue = {(one.supplier, one.month): one.state for one in supply_on(forces, day).overdue}
    assert overdue.get((SUSSEX, NOVEMBER)) == (None if state == "due" else state)


def test_what_came_has_its_outcome(forces: Forces) -> None:
    supply = supply_on(forces, date(2020, 12, 13))
    assert states(supply, NOVEMBER) == {KENT: "received", ESSEX: "held", SURREY: "rejected", SUSSEX: "late"}


def test_what_was_rejected_is_asked_for_once_it_is_due_and_what_is_held_is_not(forces: Forces) -> None:
    asked = {(one.supplier, one.state) for one in supply_on(forces, date(2020, 12, 13)).late}
    assert (SURREY, "rejected") in asked
    assert ESSEX not in {supplier for supplier, _ in asked}
    assert SURREY not in {one.supplier for one in supply_on(forces, date(2020, 12, 12)).late}


def test_what_is_missing_for_longer_is_not_asked_for_every_morning(forces: Forces) -> None:
    supply = supply_on(forces, date(2021, 1, 20))
    assert {one.month for one in supply.late if one.supplier == SUSSEX} == {DECEMBER}
    assert {one.month for one in supply.overdue if one.supplier == SUSSEX} == {NOVEMBER, DECEMBER}


def test_nothing_is_expected_before_the_first_month_that_anybody_sent(forces: Forces) -> None:
    supply = supply_on(forces, date(2021, 1, 20))
    assert min(one.month for one in supply.overdue) == NOVEMBER
    assert {one.kind for one in supply.overdue} == {"police_crimes"}  # of no other extract anything came
    assert states(supply, date(2020, 10, 1)) == {}


def test_an_empty_home_owes_nothing(home: Home) -> None:
    supply = current_supply(home.settings)
    assert (supply.suppliers, supply.overdue) == ({}, ())


def test_publishers_owe_nothing_and_what_they_sent_is_shown(home: Home, months: list[bytes]) -> None:
    home.land("1", {"a.csv": (months[0], "2016-01")})
    home.receive()
    supply = current_supply(home.settings)
    assert supply.overdue == ()
    assert supply.months[-1] == date(2016, 1, 1)  # the newest that came, where nothing is due
    assert [one.state for one in supply.suppliers["cps-headquarters"]] == [""] * 11 + ["received"]


def test_a_decision_changes_the_month(tmp_path: Path) -> None:
    forces = new_forces(tmp_path)
    for supplier in (KENT, ESSEX):
        forces.land(supplier, 20, bad_rows=range(1, 16))
    forces.land(SURREY, 20)
    held = forces.receive()
    release = decide(forces.settings, held[KENT].hand_over_id, "release", reason="It is known why.", actor="A. Steward")
    decide(forces.settings, held[ESSEX].hand_over_id, "reject", reason="It was sent by mistake.", actor="A. Steward")
    receive_deliveries(forces.settings, [release.receipt_id])
    assert states(supply_on(forces, date(2020, 12, 13)), NOVEMBER) == {
        KENT: "received",
        ESSEX: "rejected",
        SURREY: "received",
        SUSSEX: "late",
    }


@pytest.mark.parametrize(
    ("of_extracts", "label"),
    [
        ({"a": "received"}, "ok"),
        ({"a": "received", "b": "received"}, "ok"),
        ({"a": "received", "b": "late"}, "late 1/2"),
        ({"a": "missing", "b": "late"}, "missing 1/2"),
        ({"a": "held", "b": "held"}, "held"),
        ({}, ""),
    ],
)
def test_a_month_has_the_state_of_its_worst_extract(of_extracts: dict[str, str], label: str) -> None:
    assert Month(NOVEMBER, of_extracts).label == label


def test_the_page_shows_who_is_late_and_says_that_figures_are_synthetic(forces: Forces) -> None:
    late = watch(forces.settings)
    page = (forces.settings.reports / PAGE).read_text(encoding="utf-8")
    assert late
    assert "Synthetic figures" in page
    assert "Sussex Police" in page
    assert 'href="suppliers.html"' in (forces.settings.reports / "index.html").read_text(encoding="utf-8")
    assert any(line.startswith("sussex-police, 2020-12: police_crimes (late, due on 12") for line in in_words(late))


def test_the_command_prints_the_grid_and_what_is_to_be_asked_for(forces: Forces) -> None:
    environment = os.environ | {"RASSO_HOME": str(forces.settings.root), "RASSO_AS_OF": "2021-01-15"}

    def status(*arguments: str) -> str:
        command = [str(RASSO), "status", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    shown = status()
    assert "Suppliers by month, as of 15 January 2021" in shown
    assert "│ accepted │" not in shown
    assert "│ held  " in shown
    assert "to be asked for: sussex-police, 2020-12" not in shown  # the first twenty lines only
    assert "more: " in shown
    assert "missing for longer: 41 extracts of a month" in shown
    assert "│ accepted │" in status("--all")
    supply = json.loads(status("--format", "json"))["supply"]
    assert supply["suppliers"][KENT]["2020-11"] == {"police_crimes": "received"}
    assert supply["suppliers"][SUSSEX]["2020-12"] == {"police_crimes": "late"}
