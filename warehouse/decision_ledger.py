"""The ledger's tables of what people decided: decisions about held deliveries, requests to receive again, waivers.

Belongs here: reading and writing those tables. Does not belong here: what may be decided (``warehouse.decisions``,
``warehouse.reprocessing``, ``warehouse.waivers``). Every write happens inside a transaction that the caller opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from extracts.period import Period
from warehouse.journal import Decided, Decision, Reprocessing, Waiver
from warehouse.lake import ALIAS
from warehouse.ledger import STANDING, insert_tuples

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    import duckdb

# The ledger's columns are fields and ids of the journal's entries, by the same names.
_TABLES: dict[type[Decided], tuple[str, tuple[str, ...]]] = {
    Decision: ("decision", ("hand_over_id", "verdict", "reason", "actor", "decided_at", "release_id")),
    Reprocessing: ("reprocessing", ("receipt_id", "hand_over_id", "reason", "actor", "decided_at")),
    Waiver: ("waiver", ("waiver_id", "supplier", "rule_id", "expires_on", "reason", "actor", "decided_at")),
}


@dataclass(frozen=True, slots=True)
class WaiverRow:
    """That a rule holds no delivery of a supplier up to and including a day."""

    waiver_id: str
    supplier: str
    rule_id: str
    expires_on: date
    reason: str
    actor: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class NamedDelivery:
    """A delivery that somebody names, its outcome, and what was decided about it.

    ``is_release``: it is itself what came of a decision. ``is_replaced``: it was received again since;
    ``is_asked_for``: it waits to be.
    """

    hand_over_id: str
    supplier: str
    delivery_name: str
    state: str
    reason_code: str | None
    reason: str | None
    verdict: str | None
    actor: str | None
    is_release: bool
    is_replaced: bool
    is_asked_for: bool


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file of a hand-over that may be received again; ``first_id`` is the first receipt of its delivery."""

    first_id: str
    supplier: str
    kind: str | None
    period: Period | None


def insert_decided(connection: duckdb.DuckDBPyConnection, made: Sequence[Decided]) -> None:
    """Record what people decided, each in the table of its kind."""
    for kind, (table, columns) in _TABLES.items():
        rows = [tuple(getattr(entry, column) for column in columns) for entry in made if isinstance(entry, kind)]
        insert_tuples(connection, table, columns, rows)


def recorded_decisions(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """What people decided, by the names of the journal's entries (``warehouse.journal``)."""
    rows = connection.execute(
        f"""
        select hand_over_id || '.decision' from {ALIAS}.ledger.decision
        union all select receipt_id || '.reprocessing' from {ALIAS}.ledger.reprocessing
        union all select waiver_id || '.waiver' from {ALIAS}.ledger.waiver
        """
    ).fetchall()
    return {row[0] for row in rows}


def open_receipts(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What people wanted received from the archive and is not yet: hand-over id of the receipt, name of the entry.

    In the order in which they asked, and of what was asked for at once in that in which it was received before.
    """
    rows = connection.execute(
        f"""
        with wanted as (
            select release_id as receipt_id, hand_over_id, hand_over_id || '.decision' as entry, decided_at
            from {ALIAS}.ledger.decision where verdict = 'release'
            union all
            select receipt_id, hand_over_id, receipt_id || '.reprocessing', decided_at from {ALIAS}.ledger.reprocessing
        )
        select wanted.receipt_id, wanted.entry
        from wanted
        left join {ALIAS}.ledger.delivery as former on wanted.hand_over_id = former.hand_over_id
        anti join {ALIAS}.ledger.delivery as received on wanted.receipt_id = received.hand_over_id
        order by wanted.decided_at, former.finished_at, wanted.receipt_id
        """
    ).fetchall()
    return dict(rows)


def times_asked(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How often each hand-over was asked for once more; those that never were are left out."""
    rows = connection.execute(f"select hand_over_id, count(*) from {ALIAS}.ledger.reprocessing group by all").fetchall()
    return dict(rows)


def waivers_on(connection: duckdb.DuckDBPyConnection, suppliers: Iterable[str], day: date) -> list[WaiverRow]:
    """Waivers for these suppliers that have not expired on a day. Of several of one rule the last decided holds."""
    rows = connection.execute(
        f"""
        with newest as (
            select * from {ALIAS}.ledger.waiver where list_contains(?, supplier)
            qualify row_number() over (partition by supplier, rule_id order by decided_at desc, waiver_id) = 1
        )
        select {", ".join(WaiverRow.__slots__)} from newest where expires_on >= ? order by supplier, rule_id
        """,
        [list(suppliers), day],
    ).fetchall()
    return [WaiverRow(*row) for row in rows]


def files_received(connection: duckdb.DuckDBPyConnection) -> list[ReceivedFile]:
    """Every file that was accepted, held or rejected, in the order of receipt.

    Left out are duplicates, what a person decided about (a release stands for what was held), and what waits to be
    received again.
    """
    rows = connection.execute(
        f"""
        select distinct
            coalesce(delivery.reprocess_of, delivery.hand_over_id) as first_id,
            delivery.supplier, file.kind, file.period_start, file.period_end, delivery.finished_at
        from {ALIAS}.ledger.delivery as delivery
        left join {ALIAS}.ledger.delivery_file as file on delivery.hand_over_id = file.hand_over_id
        left join {ALIAS}.ledger.decision as decision on delivery.hand_over_id = decision.hand_over_id
        where delivery.hand_over_id in {STANDING}
            and delivery.state <> 'duplicate'
            and decision.verdict is null
            and first_id not in (
                select hand_over_id from {ALIAS}.ledger.reprocessing
                where receipt_id not in (select hand_over_id from {ALIAS}.ledger.delivery)
            )
        order by delivery.finished_at, first_id, file.kind, file.period_start
        """
    ).fetchall()
    return [
        ReceivedFile(first_id, supplier, kind, Period(start, end) if start else None)
        for first_id, supplier, kind, start, end, _ in rows
    ]


def deliveries_called(connection: duckdb.DuckDBPyConnection, name: str) -> list[NamedDelivery]:
    """Hand-overs whose id begins with a text, or that are called so (supplier/delivery), oldest first."""
    rows = connection.execute(
        f"""
        select
            delivery.hand_over_id, delivery.supplier, delivery.delivery_name, delivery.state, delivery.reason_code,
            delivery.reason, decision.verdict, decision.actor,
            delivery.hand_over_id in (
                select release_id from {ALIAS}.ledger.decision where release_id is not null
            ) as is_release,
            delivery.hand_over_id not in {STANDING} as is_replaced,
            coalesce(delivery.reprocess_of, delivery.hand_over_id) in (
                select hand_over_id from {ALIAS}.ledger.reprocessing
                where receipt_id not in (select hand_over_id from {ALIAS}.ledger.delivery)
            ) as is_asked_for
        from {ALIAS}.ledger.delivery as delivery
        left join {ALIAS}.ledger.decision as decision on delivery.hand_over_id = decision.hand_over_id
        where starts_with(delivery.hand_over_id, ?) or delivery.supplier || '/' || delivery.delivery_name = ?
        order by delivery.received_at, delivery.hand_over_id
        """,
        [name, name],
    ).fetchall()
    return [NamedDelivery(*row) for row in rows]
