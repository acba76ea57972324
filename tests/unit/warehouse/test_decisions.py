"""What people decide about held deliveries: kept in the journal, followed once, and never against what cannot be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from warehouse import decisions, journal
from warehouse.archive import ArchiveError
from warehouse.decisions import DecisionError, decide
from warehouse.intake import receive_deliveries, waiting_batches
from warehouse.keys import read_keys
from warehouse.lake import attached
from warehouse.status import current_status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from conftest import Home

RASSO = Path(sys.executable).with_name("rasso")
WHY = "The supplier confirmed the month by telephone."
WHO = "A. Steward"
HELD = "2 held"


def _with_one_held(home: Home, content: bytes) -> Home:
    home.land("1 accepted", {"a.csv": (content, "2016-01")})
    home.land(HELD, {"a.csv": (content, "2016-02")})
    home.receive()
    assert home.verdict(HELD) == ("held", "SAME_BYTES_OTHER_PERIOD")
    return home


@pytest.fixture(scope="session")
def content(months: list[bytes]) -> bytes:
    """A file with one bad row."""
    return months[0].replace(b"Lancashire", b"Atlantis")


@pytest.fixture
def held(home: Home, content: bytes) -> Home:
    """A home with an accepted month, and the same bytes for another month, which is held."""
    return _with_one_held(home, content)


@pytest.fixture(scope="module")
def still_held(shared_home: Home, content: bytes) -> Home:
    """The same for tests that change nothing."""
    return _with_one_held(shared_home, content)


def decided(home: Home, verdict: Literal["release", "reject"], name: str = f"cps-headquarters/{HELD}") -> str:
    """Decide; returns the id under which a release is received."""
    return decide(home.settings, name, verdict, reason=WHY, actor=WHO).receipt_id


def outcomes(home: Home) -> list[tuple[object, ...]]:
    """State, reason code and rows of every hand-over of the held delivery, the first one first."""
    return home.rows(
        """
        select delivery.state, delivery.reason_code, file.rows_in, file.rows_loaded, file.rows_quarantined
        from lake.ledger.delivery as delivery
        inner join lake.ledger.delivery_file as file on delivery.hand_over_id = file.hand_over_id
        where delivery.delivery_name = ? order by delivery.finished_at
        """,
        HELD,
    )


AS_HELD, AS_RELEASED = ("held", "SAME_BYTES_OTHER_PERIOD", 0, 0, 0), ("accepted", "RELEASED", 43, 42, 1)


# ---- what a decision does --------------------------------------------------------------------------------------------


def test_a_released_delivery_is_loaded_and_its_bad_rows_stay_out(held: Home) -> None:
    release_id = decided(held, "release")
    receive_deliveries(held.settings, [release_id])
    assert outcomes(held) == [AS_HELD, AS_RELEASED]
    assert held.rows("select verdict, release_id from lake.ledger.decision") == [("release", release_id)]
    ((reason,),) = held.rows("select reason from lake.ledger.delivery where reason_code = 'RELEASED'")
    released = f"released by {WHO}: {WHY.rstrip('.')}; "
    assert reason.startswith(released + "held before: file a.csv for 2016-02 has the same bytes")


def test_a_rejected_delivery_stays_out(held: Home) -> None:
    decided(held, "reject")
    assert waiting_batches(held.settings) == []
    assert outcomes(held) == [AS_HELD]
    assert held.rows("select verdict, release_id from lake.ledger.decision") == [("reject", None)]


@pytest.mark.parametrize(
    ("verdict", "states"), [("release", ["accepted", "released", "accepted"]), ("reject", ["accepted", "rejected"])]
)
def test_the_status_tells_what_became_of_it_and_who_decided(
    held: Home, verdict: Literal["release", "reject"], states: Sequence[str]
) -> None:
    decided(held, verdict)
    held.receive()
    rows = current_status(held.settings).deliveries
    assert [row.state for row in rows] == states
    assert f"{verdict.removesuffix('e')}ed by {WHO}: {WHY}" in str(rows[1].reason)


def test_the_sweep_receives_what_was_released(held: Home) -> None:
    release_id = decided(held, "release")
    assert waiting_batches(held.settings) == [[release_id]]
    assert held.receive()[HELD].is_accepted
    assert waiting_batches(held.settings) == []


def test_the_same_delivery_once_more_is_a_duplicate(held: Home, content: bytes) -> None:
    decided(held, "release")
    held.receive()
    held.land("3 again", {"a.csv": (content, "2016-02")})
    held.receive()
    assert held.verdict("3 again") == ("duplicate", "SAME_DELIVERY")


def test_nothing_plain_is_written_to_receive_it(held: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of the landing are gone, and nobody puts them there again."""
    release_id = decided(held, "release")
    shutil.rmtree(held.settings.landing)
    held.settings.landing.mkdir()
    monkeypatch.setattr("warehouse.archive.store", lambda *_: pytest.fail("a plain file was read"))
    receive_deliveries(held.settings, [release_id])
    assert outcomes(held)[-1] == AS_RELEASED


def test_the_command_line_releases_and_says_what_became_of_it(held: Home) -> None:
    command = [str(RASSO), "release", f"cps-headquarters/{HELD}", "--reason", WHY, "--actor", WHO]
    environment = os.environ | {"RASSO_HOME": str(held.settings.root)}
    first, again = (
        subprocess.run(command, env=environment, capture_output=True, text=True, check=False) for _ in range(2)
    )
    assert (first.returncode, first.stderr) == (0, "")
    assert "received 1 delivery: 1 accepted" in first.stdout
    assert again.returncode == 1
    assert again.stderr.splitlines()[0].startswith("error: the delivery cps-headquarters/2 held was decided about")
    assert outcomes(held) == [AS_HELD, AS_RELEASED]


# ---- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cps-headquarters/9 unknown", "no delivery is called 'cps-headquarters/9 unknown'"),
        ("", "no delivery is called ''"),
        ("cps-headquarters/20AB1234520", "no delivery is called (name-withheld)"),
        ("cps-headquarters/1 accepted", "is accepted and not held; there is nothing to decide"),
    ],
)
def test_only_what_is_held_can_be_decided_about(still_held: Home, name: str, words: str) -> None:
    with pytest.raises(DecisionError) as refused:
        decided(still_held, "release", name)
    assert words in str(refused.value)


def test_a_delivery_is_decided_about_once(held: Home) -> None:
    decided(held, "reject")
    with pytest.raises(DecisionError, match=f"was decided about before: reject, by {WHO}"):
        decided(held, "release")


@pytest.mark.parametrize(
    ("reason", "actor", "words"),
    [
        ("ok", WHO, "the reason has 10 to 500 characters"),
        ("word " * 200, WHO, "the reason has 10 to 500 characters"),
        (WHY, " ", "the actor has 2 to 500 characters"),
        ("seen with the file 20AB1234520", WHO, "the reason reads like a case reference"),
        ("looks right \x1b[2J to me", WHO, "the reason holds characters that cannot be shown"),
    ],
)
def test_words_that_tell_nothing_or_too_much_are_refused(still_held: Home, reason: str, actor: str, words: str) -> None:
    with pytest.raises(DecisionError) as refused:
        decide(still_held.settings, f"cps-headquarters/{HELD}", "release", reason=reason, actor=actor)
    assert words in str(refused.value)
    assert waiting_batches(still_held.settings) == []


def test_what_no_decision_makes_right_is_not_released(held: Home, months: list[bytes]) -> None:
    held.land("3 real", {"a.csv": (months[1], "2016-03")}, is_synthetic=False)
    held.receive()
    assert held.verdict("3 real") == ("held", "MIXES_SYNTHETIC")
    with pytest.raises(DecisionError, match="cannot be released: this home holds synthetic figures"):
        decided(held, "release", "cps-headquarters/3 real")


def test_what_forbids_a_release_is_told_whatever_else_was_wrong(held: Home, content: bytes) -> None:
    held.land("3 twice wrong", {"a.csv": (content, "2016-03")}, is_synthetic=False)
    held.receive()
    assert held.verdict("3 twice wrong") == ("held", "MIXES_SYNTHETIC")
    with pytest.raises(
        DecisionError, match=r"cannot be released: this home .*; file a.csv for 2016-03 has the same bytes"
    ):
        decided(held, "release", "cps-headquarters/3 twice wrong")


def test_a_release_that_was_overtaken_stays_held_and_there_is_nothing_more_to_decide(
    home: Home, months: list[bytes]
) -> None:
    home.land(HELD, {"a.csv": (months[0], "2998-01")})
    home.receive()
    release_id = decided(home, "release")
    home.land("3 real", {"a.csv": (months[1], "2016-03")}, is_synthetic=False)
    home.receive()
    assert home.rows("select state, reason_code from lake.ledger.delivery where hand_over_id = ?", release_id) == [
        ("held", "MIXES_SYNTHETIC")
    ]
    for verdict in ("release", "reject"):
        with pytest.raises(DecisionError, match="was released and stays held all the same: this home holds real"):
            decided(home, verdict, release_id)


def test_two_held_deliveries_of_one_name_are_told_apart_by_their_ids(held: Home, content: bytes) -> None:
    held.land(HELD, {"a.csv": (content, "2016-02")})
    held.receive()
    with pytest.raises(DecisionError, match="2 held deliveries are called so") as refused:
        decided(held, "release")
    first, second = str(refused.value).rsplit(": ", 1)[1].split(", ")
    decided(held, "reject", first[:12])
    receive_deliveries(held.settings, [decided(held, "release", second)])
    assert outcomes(held)[-1] == AS_RELEASED


# ---- what a fault must not lose --------------------------------------------------------------------------------------


def test_a_decision_that_the_ledger_missed_is_taken_up_by_the_sweep(
    held: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        ledger = decisions.decision_ledger
        broken.setattr(ledger, "insert_decided", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            decided(held, "release")
    assert held.rows("from lake.ledger.decision") == []
    assert held.receive()[HELD].is_accepted
    assert held.rows("select verdict, actor, reason from lake.ledger.decision") == [("release", WHO, WHY)]


def _changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def _of_another_delivery(path: Path) -> None:
    """A decision that is whole and signed, but stands under the name of another delivery."""
    path.rename(path.with_name(f"{'0' * journal.ID_LENGTH}.decision"))


@pytest.mark.parametrize("spoil", [_changed, _of_another_delivery])
def test_a_decision_that_nobody_signed_is_refused(held: Home, spoil: object) -> None:
    decided(held, "release")
    with attached(held.settings) as connection:
        connection.execute("delete from lake.ledger.decision")
    (entry,) = (held.settings.archive / journal.FOLDER).glob("*.decision")
    assert callable(spoil)
    spoil(entry)
    with pytest.raises(ArchiveError, match="of the journal cannot be read"):
        waiting_batches(held.settings)
    assert outcomes(held) == [AS_HELD]


def test_a_hand_over_that_the_journal_has_lost_cannot_be_released(held: Home) -> None:
    for entry in (held.settings.archive / journal.FOLDER).glob("*.hand_over"):
        entry.unlink()
    with pytest.raises(ArchiveError, match="restore the archive from a copy of the home"):
        decided(held, "release")
    assert held.rows("from lake.ledger.decision") == []


# ---- the journal -----------------------------------------------------------------------------------------------------


def test_each_hand_over_is_in_the_journal_with_all_its_files(still_held: Home) -> None:
    keys = read_keys(still_held.settings)
    rows = still_held.rows("select hand_over_id, supplier, delivery_name from lake.ledger.delivery")
    assert len(rows) == 2
    for hand_over_id, supplier, name in rows:
        entry = journal.hand_over(still_held.settings, keys, hand_over_id)
        assert (entry.supplier, entry.delivery_name, entry.folders) == (supplier, name, (supplier, name))
        assert set(entry.files) == {"a.csv", "manifest.json"}
        assert all((still_held.settings.archive / sha256[:2] / sha256).exists() for sha256 in entry.files.values())


def test_the_journal_reads_as_nothing_without_the_key(still_held: Home) -> None:
    for path in (still_held.settings.archive / journal.FOLDER).iterdir():
        assert b"cps-headquarters" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
