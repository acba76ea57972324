"""The ledger: what arrived, what became of it, who claims what.

Belongs here: reading and writing the tables of the lake's schema ``ledger``. Does not belong here: deciding what
becomes of a delivery (``warehouse.intake``). Every write happens inside a transaction that the caller opened.
"""

from __future__ import annotations

import getpass
import os
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from extracts.period import Period
from warehouse.lake import ALIAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    import duckdb


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One hand-over and its terminal outcome: accepted, held, rejected or duplicate.

    ``reprocess_of`` is the hand-over by which the delivery was received first, where it was received again.
    """

    hand_over_id: str
    delivery_id: str | None
    supplier: str
    delivery_name: str
    sent_at: datetime | None
    received_at: datetime
    finished_at: datetime
    state: str
    reason_code: str | None
    reason: str | None
    is_synthetic: bool
    code_version: str
    reprocess_of: str | None = None


@dataclass(frozen=True, slots=True)
class SuppliedFile:
    """An extract that a supplier sent for some months; ``outcome`` is received, held or rejected."""

    supplier: str
    kind: str
    period_start: date
    period_end: date
    outcome: str
    is_synthetic: bool


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of a hand-over. ``rows_found`` stand in the file; ``rows_in`` were taken in (0 unless accepted)."""

    hand_over_id: str
    delivery_id: str
    file_id: int
    file_name: str
    kind: str
    period_start: date
    period_end: date
    sha256: str
    byte_count: int
    rows_declared: int | None
    rows_found: int | None
    rows_in: int
    rows_loaded: int
    rows_quarantined: int
    rows_duplicate: int
    contract_version: str


@dataclass(frozen=True, slots=True)
class StageRow:
    """What one stage did to one file."""

    hand_over_id: str
    delivery_id: str | None
    file_id: int | None
    stage: str
    status: str
    started_at: datetime
    ended_at: datetime
    rows_in: int | None
    rows_loaded: int | None
    rows_quarantined: int | None
    rows_duplicate: int | None
    code_version: str
    contract_version: str | None
    message_code: str | None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """What a person decided about a held delivery; ``release_id`` is the hand-over by which it is received."""

    hand_over_id: str
    verdict: str
    reason: str
    actor: str
    decided_at: datetime
    release_id: str | None


@dataclass(frozen=True, slots=True)
class ReprocessingRow:
    """That the delivery of a hand-over is received again, as the hand-over ``receipt_id``."""

    receipt_id: str
    hand_over_id: str
    reason: str
    actor: str
    decided_at: datetime


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

    ``is_release``: it is itself what came of a decision. ``is_replaced``: it was received again since.
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


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file of a hand-over that may be received again; ``first_id`` is the first receipt of its delivery."""

    first_id: str
    supplier: str
    kind: str | None
    period: Period | None


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule over one kind of one hand-over."""

    hand_over_id: str
    delivery_id: str
    kind: str
    rule_id: str
    dimension: str
    severity: str
    tested_count: int
    failed_count: int


Operation = Literal["collection", "alteration", "consultation", "disclosure", "combination", "erasure"]


@dataclass(frozen=True, slots=True)
class ProcessingRow:
    """One operation on personal data, as the Data Protection Act 2018 s.62 wants it logged: never with the data."""

    logged_at: datetime
    operation: Operation
    data_set: str
    sha256: str | None
    row_count: int
    actor: str
    purpose: str

    @classmethod
    def of(
        cls, operation: Operation, data_set: str, row_count: int, purpose: str, sha256: str | None = None
    ) -> ProcessingRow:
        """What the user of this process does now."""
        try:
            actor = getpass.getuser()
        except (OSError, KeyError):  # a user id that has no name here
            actor = str(os.geteuid())
        return cls(now(), operation, data_set, sha256, row_count, actor, purpose)


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that was accepted before."""

    delivery_id: str
    supplier: str
    kind: str
    sha256: str
    period: Period
    rows_found: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the rows accepted last have come."""

    is_built: bool
    is_published: bool
    is_build_failed: bool
    has_rows: bool


# Hand-overs that count: of those by which one delivery was received, and received again, the last that was accepted,
# and the last of all. Others were replaced. (stg_ledger__deliveries says the same.)
STANDING = f"""(
    select hand_over_id from {ALIAS}.ledger.delivery
    qualify row_number() over (
        partition by coalesce(reprocess_of, hand_over_id) order by finished_at desc, hand_over_id
    ) = 1
    or state = 'accepted' and row_number() over (
        partition by coalesce(reprocess_of, hand_over_id), state order by finished_at desc, hand_over_id
    ) = 1
)"""


# Files that were sent again after they had been loaded, and name the file that was: with the same bytes a supplier says
# again, and last, what it had said. (stg_ledger__delivery_files says the same.)
SENT_AGAIN = f"""(
    select again.hand_over_id, again.sent_at, again.finished_at, loaded_file.kind, loaded_file.delivery_id,
        loaded_file.file_id
    from {ALIAS}.ledger.delivery as again
    inner join {ALIAS}.ledger.delivery_file as again_file on again.hand_over_id = again_file.hand_over_id
    inner join {ALIAS}.ledger.delivery_file as loaded_file
        on again_file.kind = loaded_file.kind
        and again_file.sha256 = loaded_file.sha256
        and again_file.period_start = loaded_file.period_start
        and again_file.period_end = loaded_file.period_end
    inner join {ALIAS}.ledger.delivery as loaded
        on loaded_file.hand_over_id = loaded.hand_over_id
        and again.supplier = loaded.supplier
    where again.state in ('accepted', 'duplicate')
        and again_file.rows_duplicate > 0
        and loaded.state = 'accepted'
        and loaded_file.rows_in > loaded_file.rows_duplicate
        and again.sent_at > loaded.sent_at
)"""


class ClaimLostError(Exception):
    """Somebody else took the delivery over: this worker's lease had run out."""


def now() -> datetime:
    """The time as the ledger keeps it: UTC, without a zone."""
    return without_zone(datetime.now(UTC))


def without_zone(moment: datetime) -> datetime:
    """A moment with a zone as the ledger keeps it."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def insert_deliveries(connection: duckdb.DuckDBPyConnection, rows: Sequence[DeliveryRow]) -> None:
    """Record terminal outcomes."""
    _insert(connection, "delivery", rows)


def insert_files(connection: duckdb.DuckDBPyConnection, rows: Sequence[FileRow]) -> None:
    """Record a hand-over's files."""
    _insert(connection, "delivery_file", rows)


def insert_stages(connection: duckdb.DuckDBPyConnection, rows: Sequence[StageRow]) -> None:
    """Record what each stage did."""
    _insert(connection, "stage_outcome", rows)


def insert_rules(connection: duckdb.DuckDBPyConnection, rows: Sequence[RuleRow]) -> None:
    """Record rule results."""
    _insert(connection, "rule_result", rows)


def insert_decisions(connection: duckdb.DuckDBPyConnection, rows: Sequence[DecisionRow]) -> None:
    """Record what people decided."""
    _insert(connection, "decision", rows)


def insert_reprocessings(connection: duckdb.DuckDBPyConnection, rows: Sequence[ReprocessingRow]) -> None:
    """Record what is to be received again."""
    _insert(connection, "reprocessing", rows)


def insert_waivers(connection: duckdb.DuckDBPyConnection, rows: Sequence[WaiverRow]) -> None:
    """Record which rules hold whose deliveries no longer."""
    _insert(connection, "waiver", rows)


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
            delivery.hand_over_id not in {STANDING} as is_replaced
        from {ALIAS}.ledger.delivery as delivery
        left join {ALIAS}.ledger.decision as decision on delivery.hand_over_id = decision.hand_over_id
        where starts_with(delivery.hand_over_id, ?) or delivery.supplier || '/' || delivery.delivery_name = ?
        order by delivery.received_at, delivery.hand_over_id
        """,
        [name, name],
    ).fetchall()
    return [NamedDelivery(*row) for row in rows]


def insert_processing(connection: duckdb.DuckDBPyConnection, rows: Sequence[ProcessingRow]) -> None:
    """Log operations on personal data."""
    _insert(connection, "processing_log", rows)


def was_collected(connection: duckdb.DuckDBPyConnection, data_set: str) -> bool:
    """Whether something was ever put into a data set, by the log."""
    rows = connection.execute(
        f"select 1 from {ALIAS}.ledger.processing_log where operation = 'collection' and data_set = ? limit 1",
        [data_set],
    ).fetchall()
    return bool(rows)


def known_files(connection: duckdb.DuckDBPyConnection, hashes: Iterable[str]) -> list[KnownFile]:
    """Files with one of these contents that were accepted before."""
    rows = connection.execute(
        f"""
        select
            delivery.delivery_id, delivery.supplier, file.kind, file.sha256, file.period_start, file.period_end,
            file.rows_found
        from {ALIAS}.ledger.delivery_file as file
        inner join {ALIAS}.ledger.delivery as delivery on file.hand_over_id = delivery.hand_over_id
        where delivery.state = 'accepted'
            and delivery.hand_over_id in {STANDING}
            and file.rows_in > file.rows_duplicate
            and list_contains(?, file.sha256)
        """,
        [list(hashes)],
    ).fetchall()
    return [
        KnownFile(delivery_id, supplier, kind, sha256, Period(start, end), found)
        for delivery_id, supplier, kind, sha256, start, end, found in rows
    ]


def accepted_before(connection: duckdb.DuckDBPyConnection, delivery_ids: Iterable[str]) -> dict[str, dict[int, int]]:
    """Which of these deliveries were loaded before, and how many rows each of their files had, by file id.

    What was held or rejected before is examined anew: its contract may have been mended.
    """
    rows = connection.execute(
        f"""
        select delivery.delivery_id, file.file_id, max(file.rows_found)
        from {ALIAS}.ledger.delivery as delivery
        inner join {ALIAS}.ledger.delivery_file as file on delivery.hand_over_id = file.hand_over_id
        where delivery.state = 'accepted'
            and delivery.hand_over_id in {STANDING}
            and list_contains(?, delivery.delivery_id)
        group by all
        """,
        [list(delivery_ids)],
    ).fetchall()
    found: dict[str, dict[int, int]] = {}
    for delivery_id, file_id, row_count in rows:
        found.setdefault(delivery_id, {})[file_id] = row_count
    return found


def accepted_natures(connection: duckdb.DuckDBPyConnection) -> set[bool]:
    """Whether synthetic figures were accepted, and whether real ones: the two are never added up together."""
    rows = connection.execute(
        f"select distinct is_synthetic from {ALIAS}.ledger.delivery where state = 'accepted'"
    ).fetchall()
    return {row[0] for row in rows}


def usual_rows_per_month(
    connection: duckdb.DuckDBPyConnection, suppliers: Iterable[str], least_months: int
) -> dict[tuple[str, str], float]:
    """Mean rows per month of what was accepted, by supplier and kind; only where there are enough months of it."""
    rows = connection.execute(
        f"""
        with files as (
            select
                delivery.supplier,
                file.kind,
                file.rows_found,
                datediff('month', file.period_start, file.period_end) + 1 as months,
            from {ALIAS}.ledger.delivery_file as file
            inner join {ALIAS}.ledger.delivery as delivery on file.hand_over_id = delivery.hand_over_id
            where delivery.state = 'accepted'
                and delivery.hand_over_id in {STANDING}
                and file.rows_in > file.rows_duplicate
                and list_contains(?, delivery.supplier)
        )
        select supplier, kind, sum(rows_found) / sum(months) from files group by all having sum(months) >= ?
        """,
        [list(suppliers), least_months],
    ).fetchall()
    return {(supplier, kind): float(mean) for supplier, kind, mean in rows}


def finished(connection: duckdb.DuckDBPyConnection, hand_over_ids: Iterable[str]) -> set[str]:
    """Which of these hand-overs already have their terminal outcome."""
    rows = connection.execute(
        f"select hand_over_id from {ALIAS}.ledger.delivery where list_contains(?, hand_over_id)",
        [list(hand_over_ids)],
    ).fetchall()
    return {row[0] for row in rows}


def register(connection: duckdb.DuckDBPyConnection, arrivals: Sequence[tuple[str, str, str]]) -> None:
    """Give each hand-over that is not known yet an unclaimed row: (hand_over_id, supplier, delivery name)."""
    known = {row[0] for row in connection.execute(f"select hand_over_id from {ALIAS}.ledger.claim").fetchall()}
    fresh = [(*arrival, False) for arrival in arrivals if arrival[0] not in known]
    _insert_tuples(connection, "claim", ("hand_over_id", "supplier", "delivery_name", "is_done"), fresh)


def claim(
    connection: duckdb.DuckDBPyConnection, hand_over_ids: Sequence[str], worker: str, lease: timedelta
) -> list[str]:
    """Claim what nobody holds, or whose lease has run out; returns what is now this worker's.

    A conditional update of one row: where two workers try at once, DuckLake reports the conflict to the loser, which
    two plain inserts would not.
    """
    moment = now()
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


def newest_progress(connection: duckdb.DuckDBPyConnection) -> Progress:
    """Whether there is a build, and a publication of one, that began after the last delivery that changed anything.

    It was accepted, or said again what had been said: what counts may be another row.
    """
    row = connection.execute(
        f"""
        with
        accepted as (
            select max(finished_at) as last_at
            from {ALIAS}.ledger.delivery
            where state = 'accepted' or hand_over_id in (select hand_over_id from {SENT_AGAIN})
        ),
        builds as (
            select build.*, publication.release_id
            from {ALIAS}.ledger.build as build
            left join {ALIAS}.ledger.publication as publication on build.build_id = publication.build_id
            where build.started_at >= (select last_at from accepted)
        )
        select
            coalesce(bool_or(status = 'succeeded'), false),
            coalesce(bool_or(release_id is not null), false),
            coalesce(arg_max(status, started_at) <> 'succeeded', false),
            (select last_at is not null from accepted)
        from builds
        """
    ).fetchone()
    assert row is not None  # an aggregate without groups has one row
    return Progress(*row)


def files_by_outcome(connection: duckdb.DuckDBPyConnection) -> list[SuppliedFile]:
    """Who sent which extract for which months, and whether it was received, is held or was rejected.

    A delivery that was released is left out: its receipt stands for it.
    """
    rows = connection.execute(
        f"""
        select distinct
            delivery.supplier, file.kind, file.period_start, file.period_end,
            case
                when decision.verdict = 'reject' then 'rejected'
                when delivery.state in ('accepted', 'duplicate') then 'received'
                else delivery.state
            end as outcome,
            delivery.is_synthetic
        from {ALIAS}.ledger.delivery as delivery
        inner join {ALIAS}.ledger.delivery_file as file on delivery.hand_over_id = file.hand_over_id
        left join {ALIAS}.ledger.decision as decision on delivery.hand_over_id = decision.hand_over_id
        where decision.verdict is distinct from 'release' and delivery.hand_over_id in {STANDING}
        """
    ).fetchall()
    return [SuppliedFile(*row) for row in rows]


def report_index(connection: duckdb.DuckDBPyConnection) -> list[dict[str, object]]:
    """Every terminal outcome, newest first, as the index of validation reports lists them."""
    cursor = connection.execute(
        f"""
        select
            delivery.hand_over_id, delivery.supplier, delivery.delivery_name, delivery.received_at,
            case
                when delivery.hand_over_id not in {STANDING} then 'replaced'
                when decision.verdict = 'release' then 'released'
                when decision.verdict = 'reject' then 'rejected'
                else delivery.state
            end as state,
            case
                when decision.verdict is null then delivery.reason
                else concat(
                    if(decision.verdict = 'release', 'released', 'rejected'),
                    ' by ', decision.actor, ': ', decision.reason
                )
            end as reason,
            delivery.is_synthetic,
            string_agg(distinct file.kind, ', ' order by file.kind) as kinds,
            min(file.period_start) as period_start,
            max(file.period_end) as period_end,
            coalesce(sum(file.rows_loaded), 0)::bigint as rows_loaded,
            coalesce(sum(file.rows_quarantined), 0)::bigint as rows_quarantined
        from {ALIAS}.ledger.delivery as delivery
        left join {ALIAS}.ledger.delivery_file as file on delivery.hand_over_id = file.hand_over_id
        left join {ALIAS}.ledger.decision as decision on delivery.hand_over_id = decision.hand_over_id
        group by all
        order by delivery.received_at desc, delivery.hand_over_id
        """
    )
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[object]) -> None:
    if rows:
        _insert_tuples(connection, table, list(rows[0].__slots__), [astuple(row) for row in rows])  # type: ignore[attr-defined,call-overload]


def _insert_tuples(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> None:
    """One statement, because every insert into a DuckLake table makes a file; through Arrow, because of many rows."""
    if not rows:
        return
    arrays = {column: pa.array(values) for column, values in zip(columns, zip(*rows, strict=True), strict=True)}
    connection.register("new_ledger_row", pa.table(arrays))
    names = ", ".join(columns)
    connection.execute(f"insert into {ALIAS}.ledger.{table} ({names}) select {names} from new_ledger_row")
    connection.unregister("new_ledger_row")
