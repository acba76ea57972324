"""Claims: who works on which hand-over, and for how long.

Belongs here: taking, keeping and giving back claims, and when a worker is gone. Does not belong here: what is done with
what was claimed (``warehouse.intake``).
"""

from __future__ import annotations

import os
import secrets
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import psutil

from warehouse import ledger
from warehouse.lake import ALIAS, transaction, writer_lock

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from rasso.settings import Settings
    from warehouse.arrival import Arrival

_at_work: set[str] = set()  # this process's own workers


class ClaimLostError(Exception):
    """Somebody else took the delivery over: this worker's lease had run out."""


class Claims:
    """Claims on arrivals for as long as a process works on them; what it did not finish is given back."""

    def __init__(
        self, settings: Settings, connection: duckdb.DuckDBPyConnection, worker: str, arrivals: Sequence[Arrival]
    ) -> None:
        self._settings, self._connection, self._worker, self._arrivals = settings, connection, worker, arrivals
        self.held: list[Arrival] = []

    def __enter__(self) -> Self:
        _at_work.add(self._worker)
        by_id = {arrival.hand_over_id: arrival for arrival in self._arrivals}
        lease = timedelta(seconds=self._settings.lease_seconds)
        with writer_lock(self._settings), transaction(self._connection):
            for worker in claiming_workers(self._connection):
                if _has_ended(worker):
                    give_back(self._connection, worker)
            register(self._connection, [(a.hand_over_id, a.supplier, a.name) for a in self._arrivals])
            mine = claim(self._connection, list(by_id), self._worker, lease)
        self.held = [by_id[hand_over_id] for hand_over_id in mine]
        return self

    def __exit__(self, *_error: object) -> None:
        _at_work.discard(self._worker)  # first: where the catalogue is down, nothing is given back
        with writer_lock(self._settings), transaction(self._connection):
            give_back(self._connection, self._worker)


def new_worker() -> str:
    """A name for a worker of this process that no other has, here or elsewhere."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def register(connection: duckdb.DuckDBPyConnection, arrivals: Sequence[tuple[str, str, str]]) -> None:
    """Give each hand-over that is not known yet an unclaimed row: (hand_over_id, supplier, delivery name)."""
    known = {row[0] for row in connection.execute(f"select hand_over_id from {ALIAS}.ledger.claim").fetchall()}
    fresh = [(*arrival, False) for arrival in arrivals if arrival[0] not in known]
    ledger.insert_tuples(connection, "claim", ("hand_over_id", "supplier", "delivery_name", "is_done"), fresh)


def claim(
    connection: duckdb.DuckDBPyConnection, hand_over_ids: Sequence[str], worker: str, lease: timedelta
) -> list[str]:
    """Claim what nobody holds, or whose lease has run out; returns what is now this worker's.

    A conditional update of one row: where two workers try at once, DuckLake reports the conflict to the loser, which
    two plain inserts would not.
    """
    moment = ledger.now()
    connection.execute(
        f"""
        update {ALIAS}.ledger.claim
        set worker = ?, claimed_at = ?, lease_until = ?
        where list_contains(?, hand_over_id)
            and not is_done
            and (worker is null or lease_until < ?)
        """,
        [worker, moment, moment + lease, list(hand_over_ids), moment],
    )
    rows = connection.execute(
        f"""
        select distinct hand_over_id from {ALIAS}.ledger.claim
        where worker = ? and not is_done and list_contains(?, hand_over_id)
        """,
        [worker, list(hand_over_ids)],
    ).fetchall()
    mine = {row[0] for row in rows}
    return [hand_over_id for hand_over_id in hand_over_ids if hand_over_id in mine]


def close_claims(connection: duckdb.DuckDBPyConnection, hand_over_ids: Sequence[str], worker: str) -> None:
    """Close claims in the transaction that loads; each must still be this worker's.

    Raises:
        ClaimLostError: one is not.
    """
    row = connection.execute(
        f"""
        update {ALIAS}.ledger.claim set is_done = true
        where list_contains(?, hand_over_id) and worker = ? and not is_done
        """,
        [list(hand_over_ids), worker],
    ).fetchone()
    if not row or row[0] != len(hand_over_ids):
        raise ClaimLostError(", ".join(hand_over_ids))


def claiming_workers(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Who holds claims that are not done."""
    rows = connection.execute(
        f"select distinct worker from {ALIAS}.ledger.claim where worker is not null and not is_done"
    ).fetchall()
    return [row[0] for row in rows]


def give_back(connection: duckdb.DuckDBPyConnection, worker: str) -> None:
    """Give back what this worker claimed and did not finish, so that the next sweep need not wait for the lease."""
    connection.execute(
        f"update {ALIAS}.ledger.claim set worker = null, lease_until = null where worker = ? and not is_done",
        [worker],
    )


def _has_ended(worker: str) -> bool:
    """Whether a worker of this machine is gone; of another machine we cannot know, and its lease must run out."""
    host, _, pid = worker.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname():
        return False
    if int(pid) == os.getpid():
        return worker not in _at_work
    try:
        return psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE  # dead, and nobody asked what of
    except psutil.NoSuchProcess:
        return True
