"""Invariant 6: the archive and the key lead to the live lake once more, row by row."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.crimes import ESSEX, KENT, SURREY, Forces, new_forces
from warehouse.archive import ArchiveError
from warehouse.decisions import decide
from warehouse.intake import receive_deliveries
from warehouse.journal import FOLDER
from warehouse.keys import read_keys
from warehouse.lake import attached
from warehouse.linkage import link
from warehouse.replay import ReplayError, compare, replay
from warehouse.verification import verify

if TYPE_CHECKING:
    from conftest import Home

    from rasso.settings import Settings
    from warehouse.replay import Replay

RASSO = Path(sys.executable).with_name("rasso")


def differing(found: Replay) -> dict[str, tuple[int, int]]:
    """Tables that are not equal, with how many rows only the live and only the new lake has."""
    return {table.table: (table.only_live, table.only_rebuilt) for table in found.tables if not table.is_equal}


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder with the hash of its bytes."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _release(home: Home | Forces, name: str) -> str:
    why, who = "The supplier confirmed it by telephone.", "A. Steward"
    return decide(home.settings, name, "release", reason=why, actor=who).receipt_id


def _fill(home: Home, months: list[bytes]) -> None:
    """Every outcome that there is, over several days, and each thing that a folder may hold beside its files."""
    bad_row = months[0].replace(b"Lancashire", b"Atlantis")
    home.land("01 quarantine", {"a.csv": (bad_row, "2016-01")})
    home.land("02 next", {"a.csv": (months[1], "2016-02")})
    home.receive()
    home.land("03 same bytes", {"a.csv": (bad_row, "2016-03")})
    home.land("04 duplicate", {"a.csv": (months[1], "2016-02")})
    home.land("05 refused", {"a.csv": (months[1], "2016-04")})
    home.receive()
    decide(home.settings, "cps-headquarters/05 refused", "reject", reason="It was sent by mistake.", actor="A. Steward")
    home.land("06 between", {"a.csv": (months[3], "2016-05")})
    release_id = _release(home, "cps-headquarters/03 same bytes")
    receive_deliveries(home.settings, [release_id])
    home.receive()
    (home.land("07 changed", {"a.csv": (months[4], "2016-06")}) / "a.csv").write_bytes(b"other bytes")
    (home.land("08 missing", {"a.csv": (months[5], "2016-07")}) / "a.csv").unlink()
    (home.land("09 unnamed", {"a.csv": (months[6], "2016-08")}) / "b.csv").write_bytes(b"nobody names me")
    (home.land("10 link", {"a.csv": (months[7], "2016-09")}) / "b.csv").symlink_to("/etc/hostname")
    os.mkfifo(home.land("11 fifo", {"a.csv": (months[8], "2016-10")}) / "b.csv")
    (home.land("12 folder", {"a.csv": (months[9], "2016-11")}) / "b").mkdir()
    (home.land("13 manifest", {"a.csv": (months[10], "2016-12")}) / "manifest.json").write_text("{")
    folder = home.land("14 link to a folder", {"a.csv": (months[11], "2017-01")})
    (folder / "b").symlink_to(home.settings.landing, target_is_directory=True)
    home.receive()


@pytest.fixture(scope="module")
def filled(shared_home: Home, months: list[bytes]) -> Home:
    """A home with every outcome that there is."""
    _fill(shared_home, months)
    return shared_home


@pytest.fixture(scope="module")
def forces(tmp_path_factory: pytest.TempPathFactory) -> Forces:
    """Three forces with case references, received together, one of them held and released; everything linked."""
    forces = new_forces(tmp_path_factory.mktemp("forces"))
    for supplier, rows, bad_rows in ((KENT, 20, ()), (ESSEX, 20, (3, 4)), (SURREY, 20, range(1, 16))):
        forces.land(supplier, rows, bad_rows=bad_rows)
    outcomes = forces.receive()
    assert [outcomes[supplier].state for supplier in (KENT, ESSEX, SURREY)] == ["accepted", "accepted", "held"]
    receive_deliveries(forces.settings, [_release(forces, outcomes[SURREY].hand_over_id)])
    link(forces.settings, read_keys(forces.settings))
    return forces


@dataclass(frozen=True)
class Replayed:
    """The filled home, what a replay of it found, its result, and what was kept of the live home before it."""

    live: Home
    rebuilt: Settings
    found: Replay
    before: dict[str, dict[str, str]]


KEPT = ("archive", "lake/data", "vault", "reports")


@pytest.fixture(scope="module")
def replayed(filled: Home, tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    """The filled home, replayed."""
    new = tmp_path_factory.mktemp("replayed") / "new"
    before = {name: contents(filled.settings.root / name) for name in KEPT}
    found = replay(filled.settings, new)
    return Replayed(filled, filled.settings.model_copy(update={"home": new}), found, before)


def test_the_live_home_stays_as_it_was(replayed: Replayed) -> None:
    assert {name: contents(replayed.live.settings.root / name) for name in KEPT} == replayed.before


def test_a_replay_has_every_row_of_every_outcome(replayed: Replayed) -> None:
    filled, found = replayed.live, replayed.found
    states = filled.rows("select state, count(*) from lake.ledger.delivery group by all order by all")
    assert states == [("accepted", 4), ("duplicate", 1), ("held", 2), ("rejected", 8)]
    assert differing(found) == {}
    compared = {table.table: table.rows for table in found.tables}
    assert compared["ledger.delivery"] == found.receipts == 15
    assert compared["extracts.cps_principal_offence_outcomes"] == 42 + 43 + 42 + 43
    assert compared["ledger.quarantined_row"] == 2
    assert compared["ledger.decision"] == 2


def test_case_references_become_the_same_tokens_and_links(forces: Forces, tmp_path: Path) -> None:
    found = replay(forces.settings, tmp_path / "new")
    assert differing(found) == {}
    assert found.is_linked_alike
    assert {"extracts.police_crimes", "linkage.crime_case_link"} <= {table.table for table in found.tables}
    new = forces.settings.model_copy(update={"home": tmp_path / "new"})
    assert [check.title for check in verify(new) if not check.has_passed] == []


def test_the_new_home_takes_the_place_of_a_lost_one(forces: Forces, tmp_path: Path) -> None:
    lost = forces.settings.model_copy(update={"home": tmp_path / "lost"})
    lost.prepare()
    shutil.copytree(forces.settings.archive, lost.archive, dirs_exist_ok=True)
    found = replay(lost, tmp_path / "new")
    assert (found.receipts, found.tables) == (4, ())
    new = Forces(forces.settings.model_copy(update={"home": tmp_path / "new"}))
    count = "select count(*) from lake.extracts.police_crimes"
    assert new.rows(count) == forces.rows(count)
    new.land(KENT, 21)
    assert new.receive()[KENT].state == "accepted"
    assert differing(replay(new.settings, tmp_path / "newer")) == {}


def test_each_delivery_is_judged_on_the_day_of_then(tmp_path: Path) -> None:
    """In October 2020 a crime of November lay in the future."""
    early = new_forces(tmp_path)
    then = Forces(early.settings.model_copy(update={"as_of": date(2020, 10, 31)}))
    then.land(KENT, 20)
    assert then.receive()[KENT].state == "held"
    early.land(ESSEX, 20)
    assert early.receive()[ESSEX].state == "accepted"
    assert differing(replay(early.settings, tmp_path / "new")) == {}


def _damaged(replayed: Replayed, statement: str) -> dict[str, tuple[int, int]]:
    """What the comparison finds where somebody has changed the live lake, which is mended afterwards."""
    with attached(replayed.live.settings) as connection:
        ((before,),) = connection.execute("select max(snapshot_id) from ducklake_snapshots('lake')").fetchall()
        connection.execute(statement)
        found = differing(compare(replayed.live.settings, replayed.rebuilt, replayed.found.receipts))
        for table in found:
            columns = [row[0] for row in connection.execute(f"describe lake.{table}").fetchall()]
            connection.execute(f"delete from lake.{table}")
            names = ", ".join(columns)
            connection.execute(f"insert into lake.{table} select {names} from lake.{table} at (version => {before})")
    return found


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "update lake.extracts.cps_principal_offence_outcomes set place_code = 'none' where row_number = 7",
            {"extracts.cps_principal_offence_outcomes": (4, 4)},
        ),
        (
            "delete from lake.extracts.cps_principal_offence_outcomes where row_number = 7",
            {"extracts.cps_principal_offence_outcomes": (0, 4)},
        ),
        (
            "insert into lake.ledger.quarantined_row from lake.ledger.quarantined_row limit 1",
            {"ledger.quarantined_row": (1, 0)},
        ),
        (
            "update lake.ledger.delivery set reason = 'all is well' where state = 'held'",
            {"ledger.delivery": (2, 2)},
        ),
    ],
)
def test_what_somebody_changed_in_the_lake_is_found(
    replayed: Replayed, statement: str, expected: dict[str, tuple[int, int]]
) -> None:
    assert _damaged(replayed, statement) == expected


def test_a_lost_entry_of_the_journal_is_found(filled: Home, tmp_path: Path) -> None:
    ((hand_over_id,),) = filled.rows("select hand_over_id from lake.ledger.delivery where delivery_name = '06 between'")
    entry = filled.settings.archive / FOLDER / f"{hand_over_id}.hand_over"
    entry.rename(tmp_path / "lost")
    try:
        found = differing(replay(filled.settings, tmp_path / "new"))
    finally:
        (tmp_path / "lost").rename(entry)
    assert found["extracts.cps_principal_offence_outcomes"][0] == 43
    assert found["ledger.delivery"][0] >= 1


def test_a_damaged_journal_is_not_replayed(filled: Home, tmp_path: Path) -> None:
    entry = next((filled.settings.archive / FOLDER).glob("*.hand_over"))
    whole = entry.read_bytes()
    entry.chmod(0o600)
    entry.write_bytes(whole[:-1])
    try:
        with pytest.raises(ArchiveError, match="1 entries that cannot be read"):
            replay(filled.settings, tmp_path / "new")
    finally:
        entry.write_bytes(whole)
    assert not (tmp_path / "new").exists()


def test_a_folder_in_use_is_left_alone(filled: Home, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(ReplayError, match="is not empty"):
        replay(filled.settings, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_home_is_not_replayed_into_itself(filled: Home) -> None:
    with pytest.raises(ReplayError, match="name one beside it"):
        replay(filled.settings, filled.settings.root / "new")


def test_an_empty_home_has_nothing_to_replay(home: Home, tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="nothing that was received"):
        replay(home.settings, tmp_path / "new")


def test_what_is_not_linked_yet_is_said_and_not_compared(tmp_path: Path) -> None:
    forces = new_forces(tmp_path)
    forces.land(KENT, 20)
    forces.receive()
    found = replay(forces.settings, tmp_path / "new")
    assert not found.is_linked_alike
    assert not any(table.table.startswith("linkage.") for table in found.tables)


def test_the_command_prints_tables_and_fails_where_they_differ(home: Home, months: list[bytes], tmp_path: Path) -> None:
    home.land("1", {"a.csv": (months[0], "2016-01")}, sent_at=datetime(2021, 6, 1, tzinfo=UTC))
    home.receive()
    environment = os.environ | {"RASSO_HOME": str(home.settings.root)}

    def replayed(into: str) -> subprocess.CompletedProcess[str]:
        command = [RASSO, "replay", "--into", str(tmp_path / into)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    well = replayed("well")
    assert (well.returncode, well.stderr) == (0, "")
    assert "extracts.cps_principal_offence_outcomes: 43 rows, equal" in well.stdout
    with attached(home.settings) as connection:
        connection.execute("delete from lake.extracts.cps_principal_offence_outcomes where row_number = 7")
    changed = replayed("changed")
    assert changed.returncode == 1
    assert "DIFFERS (0 rows only in the live lake, 1 only in the new one)" in changed.stdout
    assert "the archive does not lead to the live lake" in changed.stderr
