"""A waiver lets a rule hold no delivery of a supplier for some time: never for good, and never does it let rows in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from extracts.delivery import DeliveryError
from tests.crimes import ESSEX, KENT, SURREY, Forces, new_forces
from warehouse.decisions import DecisionError
from warehouse.intake import receive_deliveries, waiting_batches
from warehouse.lake import attached
from warehouse.record import NEVER_RELEASED
from warehouse.replay import replay
from warehouse.verification import verify
from warehouse.waivers import current_waivers, waive

if TYPE_CHECKING:
    from rasso.settings import Settings

RASSO = Path(sys.executable).with_name("rasso")
WHY, WHO = "The force moves to another system until the spring.", "A. Steward"
TOO_MANY = "PC-034"  # of severity delivery: the share of rows that are quarantined
NO_DATE = "PC-010"  # of severity row: the day of recording is given
TODAY = date(2021, 1, 15)


@pytest.fixture
def forces(tmp_path: Path) -> Forces:
    """An empty home, into which forces deliver months of which three rows in four are bad."""
    return new_forces(tmp_path)


def land_bad(forces: Forces, supplier: str, month: str = "2020-11") -> None:
    """Land a month that is held unless the rule is waived."""
    forces.land(supplier, 20, bad_rows=range(1, 16), month=month)


def waived(settings: Settings, supplier: str = KENT, days: int = 30) -> str:
    """Waive the rule for so many days from today; returns the id."""
    return waive(settings, TOO_MANY, supplier, TODAY + timedelta(days=days), reason=WHY, actor=WHO).waiver_id


# ---- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "supplier", "until", "words"),
    [
        (NO_DATE, KENT, TODAY, "rule PC-010 holds no delivery .it is of severity row.: nothing to waive"),
        ("PC-999", KENT, TODAY, "there is no rule 'PC-999'; these hold deliveries: .* and [0-9]+ more"),
        (TOO_MANY, "atlantis-police", TODAY, "no contract names the supplier 'atlantis-police'; there are: "),
        (TOO_MANY, "cps-headquarters", TODAY, "police_crimes is sent by .* and not by cps-headquarters"),
        (TOO_MANY, KENT, TODAY - timedelta(days=2), "a waiver ends within 366 days from 2021-01-15"),
        (TOO_MANY, KENT, TODAY + timedelta(days=367), "a waiver ends within 366 days"),
        (TOO_MANY, KENT, date.max, "a waiver ends within 366 days"),
        *((code, KENT, TODAY, "there is no rule") for code in sorted(NEVER_RELEASED)),
    ],
)
def test_what_cannot_be_waived(forces: Forces, rule: str, supplier: str, until: date, words: str) -> None:
    with pytest.raises((DecisionError, DeliveryError), match=words):
        waive(forces.settings, rule, supplier, until, reason=WHY, actor=WHO)
    assert current_waivers(forces.settings) == []


# ---- what it does ----------------------------------------------------------------------------------------------------


def test_the_delivery_is_loaded_but_its_bad_rows_and_the_outcome_says_why(forces: Forces) -> None:
    """Another supplier is held as before, and what needs no waiver is accepted without a word."""
    waived(forces.settings)
    waived(forces.settings, SURREY)
    land_bad(forces, KENT)
    land_bad(forces, ESSEX)
    forces.land(SURREY, 20)
    forces.receive()
    assert forces.rows("select count(*) from lake.extracts.police_crimes") == [(25,)]
    outcomes = {
        supplier: words
        for supplier, *words in forces.rows("select supplier, state, reason_code, reason from lake.ledger.delivery")
    }
    why = f"rule PC-034 is waived until 2021-02-14 by {WHO}: {WHY.rstrip('.')}"
    assert outcomes[KENT] == ["accepted", "WAIVED", why]
    assert outcomes[ESSEX][:2] == ["held", TOO_MANY]
    assert outcomes[SURREY] == ["accepted", None, None]
    failed = f"select count(*) from lake.ledger.rule_result where rule_id = '{TOO_MANY}' and failed_count > 0"
    assert forces.rows(failed) == [(2,)]
    assert [check.title for check in verify(forces.settings) if not check.has_passed] == []


def test_another_reason_holds_it_all_the_same(forces: Forces) -> None:
    """In a file of October under November's name most crimes are of another month."""
    waived(forces.settings)
    land_bad(forces, KENT, "2020-10")
    (manifest,) = forces.settings.landing.glob("*/*/manifest.json")
    document = json.loads(manifest.read_text())
    document["files"][0]["period"] = "2020-12"
    manifest.write_text(json.dumps(document))
    outcome = forces.receive()[KENT]
    assert outcome.state == "held"
    assert "rule PC-034 failed" in str(outcome.reason)
    assert forces.rows("select reason_code <> 'PC-034' from lake.ledger.delivery") == [(True,)]


@pytest.mark.parametrize(("day", "state"), [(TODAY, "accepted"), (TODAY + timedelta(days=1), "held")])
def test_it_expires(forces: Forces, day: date, state: str) -> None:
    waived(forces.settings, days=0)
    land_bad(forces, KENT)
    later = forces.settings.model_copy(update={"as_of": day})
    (batch,) = waiting_batches(later)
    assert [outcome.state for outcome in receive_deliveries(later, batch)] == [state]


def test_the_later_one_takes_the_place_of_the_earlier_and_may_end_it(forces: Forces) -> None:
    waived(forces.settings)
    second = waived(forces.settings, days=60)
    assert [waiver.waiver_id for waiver in current_waivers(forces.settings)] == [second]
    waived(forces.settings, days=-1)
    assert current_waivers(forces.settings) == []


def test_a_lost_row_of_the_ledger_is_taken_up_and_a_changed_one_is_noticed(forces: Forces) -> None:
    """It is lost where the process was killed between the journal's entry and the ledger's row."""
    waiver_id = waived(forces.settings)
    with attached(forces.settings) as connection:
        connection.execute("delete from lake.ledger.waiver")
    assert waiting_batches(forces.settings) == []
    assert [waiver.waiver_id for waiver in current_waivers(forces.settings)] == [waiver_id]
    with attached(forces.settings) as connection:
        connection.execute("update lake.ledger.waiver set expires_on = '2030-01-01'")
    failed = [check for check in verify(forces.settings) if not check.has_passed]
    assert [check.title for check in failed] == ["journal and ledger"]


def test_a_replay_lets_in_by_a_waiver_what_was_let_in_by_it_and_no_more(forces: Forces, tmp_path: Path) -> None:
    """What came before the waiver was held; so it is again."""
    land_bad(forces, KENT, "2020-10")
    forces.receive()
    waived(forces.settings)
    waived(forces.settings, SURREY)
    for supplier in (KENT, ESSEX):
        land_bad(forces, supplier)
    forces.receive()
    waived(forces.settings, days=-1)
    found = replay(forces.settings, tmp_path / "new")
    assert [table.table for table in found.tables if not table.is_equal] == []
    rows = {table.table: table.rows for table in found.tables}
    assert (rows["ledger.waiver"], rows["ledger.delivery"], rows["extracts.police_crimes"]) == (3, 3, 5)


def test_the_command_line_waives_and_the_status_lists_it(forces: Forces) -> None:
    environment = os.environ | {"RASSO_HOME": str(forces.settings.root), "RASSO_AS_OF": "2021-01-15"}

    def rasso(*words: str) -> str:
        done = subprocess.run([str(RASSO), *words], env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    said = rasso("waive", TOO_MANY, "--supplier", KENT, "--until", "2021-03-31", "--reason", WHY, "--actor", WHO)
    assert said == "rule PC-034 holds no delivery of kent-police until 2021-03-31\n"
    assert f"waived: rule PC-034 for kent-police until 2021-03-31, by {WHO}: {WHY}\n" in rasso("status")
    (waiver,) = json.loads(rasso("status", "--format", "json"))["waivers"]
    assert (waiver["rule_id"], waiver["expires_on"]) == ("PC-034", "2021-03-31")
