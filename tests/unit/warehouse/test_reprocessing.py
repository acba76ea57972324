"""What was received can be received again from the archive: its rows are replaced, whole, and never doubled."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from extracts.contract import all_contracts
from extracts.period import Period
from tests.crimes import ESSEX, KENT, SURREY, Forces, new_forces
from warehouse import journal, ledger
from warehouse.admission import usual_rows_per_month
from warehouse.archive import ArchiveError
from warehouse.decisions import DecisionError, decide
from warehouse.intake import receive_deliveries, waiting_batches
from warehouse.keys import read_keys
from warehouse.lake import attached
from warehouse.linkage import link
from warehouse.replay import replay
from warehouse.reprocessing import reprocess
from warehouse.selection import Selection
from warehouse.status import current_status
from warehouse.supply import current_supply
from warehouse.verification import verify

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extracts.contract import Contract

RASSO = Path(sys.executable).with_name("rasso")
WHY, WHO = "The rule on dates was mended.", "A. Engineer"
NO_DATE = "PC-010"  # of severity row: the day on which the crime was recorded is given
TOO_MANY = "PC-034"  # of severity delivery: the share of rows that are quarantined


@pytest.fixture
def forces(tmp_path: Path) -> Forces:
    """An empty home."""
    return new_forces(tmp_path)


def without_rules(monkeypatch: pytest.MonkeyPatch, *rule_ids: str) -> None:
    """Mend the contract of crimes: these rules are gone, for every module that asks for contracts."""
    contracts = dict(all_contracts())
    crimes = contracts["police_crimes"]
    rules = tuple(rule for rule in crimes.rules if rule.rule_id not in rule_ids)
    assert len(rules) == len(crimes.rules) - len(rule_ids)
    contracts["police_crimes"] = dataclasses.replace(crimes, rules=rules)

    def mended() -> Mapping[str, Contract]:
        return contracts

    for module in [module for name, module in sys.modules.items() if name.startswith(("warehouse", "expectations"))]:
        if getattr(module, "all_contracts", None) is all_contracts:
            monkeypatch.setattr(module, "all_contracts", mended)


def again(forces: Forces, meant: Selection | None = None) -> list[str]:
    """Ask for it and receive it; the states that came of it."""
    ids = reprocess(forces.settings, meant or Selection(kind="police_crimes"), reason=WHY, actor=WHO)
    return [outcome.state for outcome in receive_deliveries(forces.settings, ids)]


def loaded(forces: Forces) -> list[tuple[int, int]]:
    """Rows in the lake and rows listed as quarantined."""
    return forces.rows(
        "select (select count(*) from lake.extracts.police_crimes), (select count(*) from lake.ledger.quarantined_row)"
    )


def faults(forces: Forces) -> list[str]:
    """Checks of the home that do not pass."""
    return [check.title for check in verify(forces.settings) if not check.has_passed]


def states(forces: Forces) -> list[str]:
    """Of every hand-over, the oldest first."""
    return [row.state for row in current_status(forces.settings).deliveries]


# ---- what is refused -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Forces:
    """Kent's month is accepted; Surrey's was held, and a person rejected it. For tests that change nothing."""
    forces = new_forces(tmp_path_factory.mktemp("settled"))
    forces.land(KENT, 20)
    forces.land(SURREY, 20, bad_rows=range(1, 16))
    decide(forces.settings, forces.receive()[SURREY].hand_over_id, "reject", reason=WHY, actor=WHO)
    return forces


@pytest.mark.parametrize(
    ("meant", "words"),
    [
        pytest.param(Selection(), "say which deliveries are meant", id="nothing given"),
        pytest.param(Selection(supplier=ESSEX), "no delivery from essex-police can be", id="sent nothing"),
        pytest.param(Selection(supplier=SURREY), "no delivery from surrey-police can be", id="rejected"),
        pytest.param(
            Selection(KENT, "police_crimes", Period.parse("2019-01")),
            "of police_crimes for 2019-01 can be received again",
            id="another month",
        ),
    ],
)
def test_what_names_no_delivery_is_refused(settled: Forces, meant: Selection, words: str) -> None:
    with pytest.raises(DecisionError, match=words):
        reprocess(settled.settings, meant, reason=WHY, actor=WHO)
    assert waiting_batches(settled.settings) == []


def test_a_reason_that_tells_nothing_is_refused(settled: Forces) -> None:
    with pytest.raises(DecisionError, match="the reason has 10 to 500 characters"):
        reprocess(settled.settings, Selection(supplier=KENT), reason="ok", actor=WHO)


def test_nothing_is_asked_for_where_the_journal_lacks_an_entry(settled: Forces, tmp_path: Path) -> None:
    ((kent,),) = settled.rows("select hand_over_id from lake.ledger.delivery where state = 'accepted'")
    entry = settled.settings.archive / journal.FOLDER / f"{kent}.hand_over"
    entry.rename(tmp_path / "lost")
    try:
        with pytest.raises(ArchiveError, match="the journal holds no"):
            reprocess(settled.settings, Selection(kind="police_crimes"), reason=WHY, actor=WHO)
    finally:
        (tmp_path / "lost").rename(entry)
    assert waiting_batches(settled.settings) == []


# ---- what comes of it ------------------------------------------------------------------------------------------------


def test_with_nothing_mended_the_rows_are_the_same_and_there_once_however_often(forces: Forces) -> None:
    forces.land(KENT, 20, bad_rows=[7])
    forces.receive()
    select = "select * from lake.extracts.police_crimes order by row_number"
    before = forces.rows(select)
    assert [again(forces) for _ in range(2)] == [["accepted"], ["accepted"]]
    assert forces.rows(select) == before
    assert loaded(forces) == [(19, 1)]
    assert states(forces) == ["replaced", "replaced", "accepted"]
    assert faults(forces) == []


def test_a_mended_rule_lets_in_rows_that_it_kept_out_and_a_delivery_that_it_held(
    forces: Forces, monkeypatch: pytest.MonkeyPatch
) -> None:
    forces.land(KENT, 20, bad_rows=[7])
    forces.land(SURREY, 20, bad_rows=range(1, 16))
    first = forces.receive()
    assert {supplier: outcome.state for supplier, outcome in first.items()} == {KENT: "accepted", SURREY: "held"}
    without_rules(monkeypatch, NO_DATE)
    assert again(forces) == ["accepted", "accepted"]
    assert loaded(forces) == [(40, 0)]
    assert sorted(states(forces)) == ["accepted", "accepted", "replaced", "replaced"]
    assert [month.state for month in current_supply(forces.settings).suppliers[SURREY] if month.state] != ["held"]
    assert faults(forces) == []
    with pytest.raises(DecisionError, match="was received again since; rasso status"):
        decide(forces.settings, first[SURREY].hand_over_id, "release", reason=WHY, actor=WHO)


def test_what_is_held_the_second_time_stays_as_it_was_until_a_person_releases_it(
    forces: Forces, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as lenient:
        without_rules(lenient, TOO_MANY)
        forces.land(KENT, 20, bad_rows=range(1, 16))
        assert forces.receive()[KENT].state == "accepted"
    assert again(forces) == ["held"]
    assert loaded(forces) == [(5, 15)]
    assert states(forces) == ["accepted", "held"]
    assert faults(forces) == []
    ((held,),) = forces.rows("select hand_over_id from lake.ledger.delivery where state = 'held'")
    release_id = decide(forces.settings, held, "release", reason=WHY, actor=WHO).receipt_id
    assert [outcome.state for outcome in receive_deliveries(forces.settings, [release_id])] == ["accepted"]
    assert loaded(forces) == [(5, 15)]
    assert states(forces) == ["replaced", "replaced", "accepted"]
    assert faults(forces) == []


def test_only_what_is_meant_is_received_again_and_counts_once_in_the_usual_volume(forces: Forces) -> None:
    """Else what was received again would weigh more than the other months."""
    for month, rows in (("2020-10", 20), ("2020-11", 40)):
        forces.land(KENT, rows, month=month)
    forces.land(ESSEX, 20)
    forces.receive()
    assert again(forces, Selection(KENT, "police_crimes", Period.parse("2020-11..2020-12"))) == ["accepted"]
    received_again = """
        select file.period_start::varchar, delivery.supplier from lake.ledger.delivery
        inner join lake.ledger.delivery_file as file using (hand_over_id) where reprocess_of is not null
    """
    assert forces.rows(received_again) == [("2020-11-01", KENT)]
    with attached(forces.settings) as connection:
        assert usual_rows_per_month(ledger.loaded_files(connection, [KENT]), 1) == {(KENT, "police_crimes"): 30.0}


def test_a_duplicate_of_it_is_left_alone(forces: Forces) -> None:
    for state in ("accepted", "duplicate"):
        forces.land(KENT, 20)
        assert forces.receive()[KENT].state == state
    assert again(forces) == ["accepted"]
    forces.land(KENT, 20)
    assert forces.receive()[KENT].state == "duplicate"
    assert loaded(forces) == [(20, 0)]
    assert faults(forces) == []


def test_what_waits_to_be_received_again_is_not_decided_about(forces: Forces) -> None:
    """Or a rejection would be followed by the rows that it refused."""
    forces.land(SURREY, 20, bad_rows=range(1, 16))
    hand_over_id = forces.receive()[SURREY].hand_over_id
    reprocess(forces.settings, Selection(supplier=SURREY), reason=WHY, actor=WHO)
    with pytest.raises(DecisionError, match="waits to be received again"):
        decide(forces.settings, hand_over_id, "reject", reason=WHY, actor=WHO)


def test_of_two_hand_overs_that_were_held_of_one_delivery_one_is_loaded(
    forces: Forces, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days in (4, 9):
        forces.land(SURREY, 20, bad_rows=range(1, 16), sent_after_days=days)
        assert forces.receive()[SURREY].state == "held"
    without_rules(monkeypatch, NO_DATE)
    assert again(forces) == ["accepted", "duplicate"]
    assert loaded(forces) == [(20, 0)]
    assert faults(forces) == []
    assert again(forces) == ["accepted"]
    assert loaded(forces) == [(20, 0)]
    assert faults(forces) == []


def test_what_it_was_linked_by_is_linked_anew(forces: Forces) -> None:
    forces.land(KENT, 20)
    forces.receive()
    keys = read_keys(forces.settings)
    assert link(forces.settings, keys).run_id is not None
    assert link(forces.settings, keys).run_id is None
    again(forces)
    assert link(forces.settings, keys).run_id is not None
    assert link(forces.settings, keys).run_id is None
    assert forces.rows("select is_full from lake.linkage.link_run order by started_at") == [(True,), (True,)]


# ---- how it is asked for ---------------------------------------------------------------------------------------------


def test_the_sweep_receives_once_what_was_asked_for_though_the_ledger_lost_it(forces: Forces) -> None:
    """The process was killed between the journal's entry and the ledger's row."""
    forces.land(KENT, 20)
    forces.receive()
    (receipt_id,) = reprocess(forces.settings, Selection(supplier=KENT), reason=WHY, actor=WHO)
    assert waiting_batches(forces.settings) == [[receipt_id]]
    with pytest.raises(DecisionError, match="can be received again"):
        reprocess(forces.settings, Selection(supplier=KENT), reason=WHY, actor=WHO)
    with attached(forces.settings) as connection:
        connection.execute("delete from lake.ledger.reprocessing")
    assert waiting_batches(forces.settings) == [[receipt_id]]
    assert forces.receive()[KENT].state == "accepted"
    assert waiting_batches(forces.settings) == []


def test_a_replay_has_the_same_rows_and_requests(forces: Forces, tmp_path: Path) -> None:
    for supplier, bad_rows in ((KENT, [7]), (SURREY, range(1, 16))):
        forces.land(supplier, 20, bad_rows=list(bad_rows))
    forces.receive()
    again(forces)
    ((held,),) = forces.rows(
        "select hand_over_id from lake.ledger.delivery where state = 'held' and reprocess_of is not null"
    )
    receive_deliveries(forces.settings, [decide(forces.settings, held, "release", reason=WHY, actor=WHO).receipt_id])
    again(forces, Selection(supplier=KENT))
    found = replay(forces.settings, tmp_path / "new")
    assert [table.table for table in found.tables if not table.is_equal] == []
    rows = {table.table: table.rows for table in found.tables}
    assert (rows["ledger.delivery"], rows["ledger.reprocessing"]) == (6, 3)


def test_the_command_line_asks_and_receives(forces: Forces) -> None:
    forces.land(KENT, 20, bad_rows=[7])
    forces.receive()

    def rasso(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"RASSO_HOME": str(forces.settings.root)}
        words: Sequence[str] = [str(RASSO), "reprocess", *arguments, "--reason", WHY, "--actor", WHO]
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)

    dry = rasso("--supplier", KENT, "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert "kent-police: 1 delivery\n1 delivery would be received again; nothing was changed" in dry.stdout
    assert states(forces) == ["accepted"]
    done = rasso("--supplier", KENT, "--period", "2020-11")
    assert (done.returncode, done.stderr) == (0, "")
    assert "received 1 delivery: 1 accepted" in done.stdout
    assert states(forces) == ["replaced", "accepted"]
    nothing = rasso()
    assert nothing.returncode == 1
    assert nothing.stderr.startswith("error: say which deliveries are meant")
