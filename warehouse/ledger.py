"""The ledger: what arrived and what became of it.

Belongs here: reading and writing the tables of the lake's schema ``ledger``. Does not belong here: its tables of claims
(``warehouse.claims``) and of what people decided (``warehouse.decision_ledger``), and deciding what becomes of a
delivery (``warehouse.intake``). Every write happens inside a transaction that the caller opened.
"""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from extracts.period import Period
from warehouse.lake import ALIAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    import duckdb
    from _typeshed import DataclassInstance


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
class LoadedFile:
    """A file of a delivery that was accepted and counts.

    ``first_id`` is the hand-over by which the delivery was received first. ``has_rows_of_its_own``: its bytes were not
    loaded before.
    """

    delivery_id: str
    first_id: str
    supplier: str
    file_id: int
    kind: str
    sha256: str
    period: Period
    rows_found: int
    has_rows_of_its_own: bool


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
    select again.hand_over_id, again.supplier, again.sent_at, again.finished_at, loaded.sent_at as first_sent_at,
        again.delivery_id as said_by, again_file.file_id as said_as,
        loaded_file.kind, loaded_file.delivery_id, loaded_file.file_id, loaded_file.sha256, loaded_file.period_start
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

# Those of them after which something else may count, because the supplier had sent another file in between.
SAID_ANEW = f"""(
    select again.* from {SENT_AGAIN} as again
    where exists (
        select 1
        from {ALIAS}.ledger.delivery as other
        inner join {ALIAS}.ledger.delivery_file as other_file on other.hand_over_id = other_file.hand_over_id
        where other.state in ('accepted', 'duplicate')
            and other.supplier = again.supplier
            and other_file.kind = again.kind
            and (other_file.sha256 <> again.sha256 or other_file.period_start <> again.period_start)
            and other.sent_at between again.first_sent_at and again.sent_at
    )
)"""


def now() -> datetime:
    """The time as the ledger keeps it: UTC, without a zone."""
    return without_zone(datetime.now(UTC))


def without_zone(moment: datetime) -> datetime:
    """A moment with a zone as the ledger keeps it."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def insert_deliveries(connection: duckdb.DuckDBPyConnection, rows: Sequence[DeliveryRow]) -> None:
    """Record terminal outcomes."""
    insert(connection, "delivery", rows)


def insert_files(connection: duckdb.DuckDBPyConnection, rows: Sequence[FileRow]) -> None:
    """Record a hand-over's files."""
    insert(connection, "delivery_file", rows)


def insert_stages(connection: duckdb.DuckDBPyConnection, rows: Sequence[StageRow]) -> None:
    """Record what each stage did."""
    insert(connection, "stage_outcome", rows)


def insert_rules(connection: duckdb.DuckDBPyConnection, rows: Sequence[RuleRow]) -> None:
    """Record rule results."""
    insert(connection, "rule_result", rows)


def insert_processing(connection: duckdb.DuckDBPyConnection, rows: Sequence[ProcessingRow]) -> None:
    """Log operations on personal data."""
    insert(connection, "processing_log", rows)


def was_collected(connection: duckdb.DuckDBPyConnection, data_set: str) -> bool:
    """Whether something was ever put into a data set, by the log."""
    rows = connection.execute(
        f"select 1 from {ALIAS}.ledger.processing_log where operation = 'collection' and data_set = ? limit 1",
        [data_set],
    ).fetchall()
    return bool(rows)


def loaded_files(connection: duckdb.DuckDBPyConnection, suppliers: Iterable[str]) -> list[LoadedFile]:
    """Every file of these suppliers that was accepted and counts; what was held or rejected is examined anew."""
    rows = connection.execute(
        f"""
        select
            delivery.delivery_id, coalesce(delivery.reprocess_of, delivery.hand_over_id), delivery.supplier,
            file.file_id, file.kind, file.sha256, file.period_start, file.period_end,
            file.rows_found, file.rows_in > file.rows_duplicate
        from {ALIAS}.ledger.delivery_file as file
        inner join {ALIAS}.ledger.delivery as delivery on file.hand_over_id = delivery.hand_over_id
        where delivery.state = 'accepted'
            and delivery.hand_over_id in {STANDING}
            and list_contains(?, delivery.supplier)
        """,
        [list(suppliers)],
    ).fetchall()
    return [
        LoadedFile(delivery_id, first_id, supplier, file_id, kind, sha256, Period(start, end), found, has_rows)
        for delivery_id, first_id, supplier, file_id, kind, sha256, start, end, found, has_rows in rows
    ]


def accepted_natures(connection: duckdb.DuckDBPyConnection) -> set[bool]:
    """Whether synthetic figures were accepted, and whether real ones: the two are never added up together."""
    rows = connection.execute(
        f"select distinct is_synthetic from {ALIAS}.ledger.delivery where state = 'accepted'"
    ).fetchall()
    return {row[0] for row in rows}


def finished(connection: duckdb.DuckDBPyConnection, hand_over_ids: Iterable[str]) -> set[str]:
    """Which of these hand-overs already have their terminal outcome."""
    rows = connection.execute(
        f"select hand_over_id from {ALIAS}.ledger.delivery where list_contains(?, hand_over_id)",
        [list(hand_over_ids)],
    ).fetchall()
    return {row[0] for row in rows}


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
            where state = 'accepted' or hand_over_id in (select hand_over_id from {SAID_ANEW})
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


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[DataclassInstance]) -> None:
    """Append rows, dataclasses with the columns of a table, to one of the ledger's tables."""
    if rows:
        columns = [field.name for field in fields(rows[0])]
        values = attrgetter(*columns)  # not ``astuple``, which copies every value
        insert_tuples(connection, table, columns, [values(row) for row in rows])


def insert_tuples(
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
