"""Status: what waits, what is still arriving, what was held and why, and that looking changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from extracts.delivery import MANIFEST
from warehouse import lake
from warehouse.lake import LakeError, newest_snapshot, reading
from warehouse.status import DeliveryStatus, Status, current_status

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from conftest import Home

    from rasso.settings import Settings


@pytest.fixture(scope="module")
def status(shared_home: Home, months: list[bytes]) -> Status:
    """One delivery in each state: accepted, held, rejected, duplicate, waiting, arriving."""
    shared_home.land("1 accepted", {"a.csv": (months[0], "2016-01")})
    shared_home.land("2 held", {"a.csv": (months[0], "2016-02")})
    shared_home.land("3 rejected", {"a.csv": (b"", "2016-03")})
    shared_home.land("4 duplicate", {"a.csv": (months[0], "2016-01")})
    shared_home.receive()
    shared_home.land("5 waiting", {"a.csv": (months[1], "2016-04")})
    (shared_home.land("6 arriving", {"a.csv": (months[2], "2016-05")}) / MANIFEST).unlink()
    return current_status(shared_home.settings)


def _row(status: Status, name: str) -> DeliveryStatus:
    (row,) = (row for row in status.deliveries if row.delivery_name == name)
    return row


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("1 accepted", "accepted"),
        ("2 held", "held"),
        ("3 rejected", "rejected"),
        ("4 duplicate", "duplicate"),
        ("5 waiting", "waiting"),
        ("6 arriving", "arriving"),
    ],
)
def test_a_delivery_is_shown_once_in_its_state(status: Status, name: str, state: str) -> None:
    assert _row(status, name).state == state


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("2 held", "has the same bytes as one for 2016-01"),
        ("3 rejected", "the file is empty"),
        ("4 duplicate", "were delivered before"),
        ("6 arriving", "it has no manifest.json yet"),
    ],
)
def test_a_delivery_that_was_not_accepted_has_a_reason(status: Status, name: str, words: str) -> None:
    assert words in (_row(status, name).reason or "")


def test_an_accepted_delivery_tells_its_rows_and_needs_no_reason(status: Status) -> None:
    row = _row(status, "1 accepted")

    assert (row.rows_loaded, row.rows_quarantined, row.reason, row.periods) == (43, 0, None, "2016-01")
    assert row.is_synthetic


@pytest.mark.parametrize("name", ["1 accepted", "2 held", "3 rejected", "4 duplicate"])
def test_a_concluded_delivery_names_its_report(status: Status, name: str) -> None:
    assert Path(_row(status, name).report or "absent").is_file()


def test_states_are_counted(status: Status) -> None:
    assert set(status.counts().values()) == {1}
    assert len(status.counts()) == 6
    assert status.notes[1] == "published release: none yet"


def test_status_for_machines_is_json(status: Status) -> None:
    document = json.loads(json.dumps(status.as_json()))

    assert document["counts"]["held"] == 1
    assert len(document["deliveries"]) == 6


def test_what_waits_comes_before_what_is_built(status: Status) -> None:
    assert status.stage == "receiving deliveries"


def test_looking_changes_nothing(status: Status, shared_home: Home) -> None:
    with reading(shared_home.settings) as connection:
        before = newest_snapshot(connection)

    assert current_status(shared_home.settings) == status

    with reading(shared_home.settings) as connection:
        assert newest_snapshot(connection) == before


def test_an_empty_home_says_so(home: Home) -> None:
    status = current_status(home.settings)

    assert (status.deliveries, status.release) == ((), None)
    assert status.notes[0] == "no delivery yet"


class Busy:
    """Stands in the way of the first looks at the lake, as a writer's commit does."""

    def __init__(self, looks: int, error: Exception) -> None:
        self.left, self.error = looks, error

    def __call__(self, settings: Settings) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A connection, or the fault."""
        if self.left:
            self.left -= 1
            raise self.error
        return reading(settings)


def test_a_catalogue_that_is_being_written_to_is_asked_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = Busy(2, duckdb.Error("Failed to prepare query: database is locked"))
    monkeypatch.setattr(lake, "reading", busy)
    assert current_status(settings).deliveries == ()
    assert busy.left == 0


def test_any_other_fault_of_the_catalogue_is_told_at_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Busy(2, LakeError("the lake cannot be opened"))
    monkeypatch.setattr(lake, "reading", busy)
    with pytest.raises(LakeError, match="cannot be opened"):
        current_status(settings)
    assert busy.left == 1
