"""Claims: one worker has a delivery, and what it does not finish is somebody else's."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from warehouse import claims
from warehouse.intake import IntakeError, receive_deliveries, waiting_batches
from warehouse.lake import attached, transaction, writer_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb
    from conftest import Home

    from rasso.settings import Settings
    from warehouse.record import ReceiptOutcome

HOUR = timedelta(hours=1)
RAN_OUT = timedelta(seconds=-1)


class Worker:
    """A worker that claims on a connection of its own."""

    def __init__(self, name: str, connection: duckdb.DuckDBPyConnection) -> None:
        self.name, self.connection = name, connection

    def register(self, *hand_over_ids: str) -> None:
        """Make hand-overs known."""
        with transaction(self.connection):
            claims.register(self.connection, [(hand_over_id, "supplier", "name") for hand_over_id in hand_over_ids])

    def claim(self, *hand_over_ids: str, lease: timedelta = HOUR) -> list[str]:
        """Claim hand-overs; returns what is this worker's now."""
        with transaction(self.connection):
            return claims.claim(self.connection, hand_over_ids, self.name, lease)

    def close(self, hand_over_id: str) -> None:
        """Close a claim."""
        with transaction(self.connection):
            claims.close_claims(self.connection, [hand_over_id], self.name)

    def give_back(self) -> None:
        """Give back what is not closed."""
        with transaction(self.connection):
            claims.give_back(self.connection, self.name)


@pytest.fixture(scope="module")
def workers(shared_home: Home) -> Iterator[tuple[Worker, Worker]]:
    with attached(shared_home.settings) as first, attached(shared_home.settings) as second:
        yield Worker("first", first), Worker("second", second)


Pair = tuple[Worker, Worker]


def test_a_claimed_delivery_is_not_claimed_by_another(workers: Pair) -> None:
    first, second = workers
    first.register("held")

    assert (first.claim("held"), second.claim("held")) == (["held"], [])


def test_a_worker_gets_what_nobody_holds_and_in_the_order_that_it_asked(workers: Pair) -> None:
    first, second = workers
    first.register("a", "b", "c")
    first.claim("b")

    assert second.claim("c", "b", "a") == ["c", "a"]


def test_a_delivery_is_registered_once(workers: Pair, shared_home: Home) -> None:
    first, second = workers
    first.register("once")
    second.register("once")

    assert shared_home.rows("select count(*) from lake.ledger.claim where hand_over_id = 'once'") == [(1,)]


def test_a_lease_that_ran_out_is_taken_over(workers: Pair) -> None:
    first, second = workers
    first.register("left behind")
    first.claim("left behind", lease=RAN_OUT)

    assert second.claim("left behind") == ["left behind"]


def test_a_claim_that_was_taken_over_cannot_be_closed_by_who_lost_it(workers: Pair) -> None:
    first, second = workers
    first.register("lost")
    first.claim("lost", lease=RAN_OUT)
    second.claim("lost")

    with pytest.raises(claims.ClaimLostError):
        first.close("lost")
    second.close("lost")


def test_a_closed_claim_is_nobody_s_any_more(workers: Pair) -> None:
    first, second = workers
    first.register("done")
    first.claim("done", lease=RAN_OUT)
    first.close("done")

    assert (first.claim("done"), second.claim("done")) == ([], [])
    with pytest.raises(claims.ClaimLostError):
        first.close("done")


def test_what_is_given_back_can_be_claimed_and_what_is_done_stays_done(workers: Pair) -> None:
    first, second = workers
    first.register("unfinished", "finished")
    first.claim("unfinished", "finished")
    first.close("finished")
    first.give_back()

    assert second.claim("unfinished", "finished") == ["unfinished"]


def test_a_worker_gives_back_only_its_own(workers: Pair) -> None:
    first, second = workers
    first.register("mine")
    first.claim("mine")
    second.give_back()

    assert second.claim("mine") == []


def _unclaimed(home: Home) -> list[tuple[str]]:
    return home.rows(
        "select delivery_name from lake.ledger.claim where worker is null and not is_done order by delivery_name"
    )


def test_a_delivery_whose_claim_is_lost_loads_nothing_and_the_others_are_received(
    home: Home, months: list[bytes]
) -> None:
    home.land("1 first", {"a.csv": (months[0], "2016-01")})
    home.land("2 taken over", {"a.csv": (months[1], "2016-02")})
    home.land("3 last", {"a.csv": (months[2], "2016-03")})
    (batch,) = waiting_batches(home.settings)

    def take_over(outcome: ReceiptOutcome) -> None:
        if outcome.delivery_name == "1 first":
            with writer_lock(home.settings), attached(home.settings) as connection, transaction(connection):
                connection.execute("update lake.ledger.claim set worker = 'other' where delivery_name = '2 taken over'")

    with pytest.raises(IntakeError, match=r"2 taken over \(ClaimLostError\)"):
        receive_deliveries(home.settings, batch, take_over)

    accepted = home.rows("select delivery_name, state from lake.ledger.delivery order by delivery_name")
    assert accepted == [("1 first", "accepted"), ("3 last", "accepted")]
    assert home.rows("select count(*) from lake.extracts.cps_principal_offence_outcomes") == [(86,)]
    assert [path.name for path in home.settings.landing.glob("*/*")] == ["2 taken over"]


def test_what_a_stopped_worker_did_not_finish_is_received_by_the_next(home: Home, months: list[bytes]) -> None:
    for number in (1, 2, 3):
        home.land(f"{number}", {"a.csv": (months[number], f"2016-0{number}")})
    (batch,) = waiting_batches(home.settings)

    def stop(_outcome: ReceiptOutcome) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        receive_deliveries(home.settings, batch, stop)

    assert _unclaimed(home) == [("2",), ("3",)]
    assert {name: outcome.state for name, outcome in home.receive().items()} == {"2": "accepted", "3": "accepted"}
    assert home.rows("select count(*) from lake.extracts.cps_principal_offence_outcomes") == [(129,)]


def test_a_fault_of_ours_leaves_a_delivery_waiting_until_it_is_mended(home: Home, months: list[bytes]) -> None:
    home.land("waits", {"a.csv": (months[0], "2016-01")})
    in_the_way = home.settings.reports / "cps-headquarters"
    in_the_way.write_text("a file where a folder has to be", encoding="utf-8")

    with pytest.raises(IntakeError, match="cps-headquarters/waits"):
        home.receive()
    assert home.rows("select count(*) from lake.ledger.delivery") == [(0,)]
    assert _unclaimed(home) == [("waits",)]

    in_the_way.unlink()
    assert home.receive()["waits"].is_accepted


RECEIVE = """
import sys
from pathlib import Path
from rasso.settings import Settings
from warehouse.intake import receive_deliveries
print("ready", flush=True)
sys.stdin.readline()
for outcome in receive_deliveries(Settings(home=Path(sys.argv[1])), sys.argv[2:]):
    print(outcome.delivery_name)
"""


def _start(settings: Settings, batch: list[str]) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", RECEIVE, str(settings.root), *batch]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_receive_the_same_deliveries_share_them(home: Home) -> None:
    names = {f"empty {number}" for number in range(4)}
    for name in names:
        home.land(name, {"a.csv": (b"", "2016-01")})
    (batch,) = waiting_batches(home.settings)
    processes = [_start(home.settings, batch) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    received = [process.communicate(timeout=60)[0].splitlines() for process in processes]

    assert sorted(name for lines in received for name in lines) == sorted(names)
    assert home.rows("select count(*), count(distinct delivery_name) from lake.ledger.delivery") == [(4, 4)]
