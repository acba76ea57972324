"""Loading: staged rows into the lake, quarantined rows apart, ledger and rows in one transaction.

Belongs here: the SQL that moves rows. Does not belong here: deciding whether they may be loaded (``warehouse.intake``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extracts.sql import literal
from warehouse.lake import ALIAS
from warehouse.schema import extract_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

    from extracts.contract import Contract
    from warehouse.record import DeliveryRecord, FileRecord


_IDS = ("delivery_id", "file_id", "row_number")

# A row's number is its place in the staged file, which keeps the order of the supplier's.
_STAGED = """(
    select * exclude (file_row_number), file_row_number + 1 as row_number
    from read_parquet(?, file_row_number = true)
)"""


def begin_group(connection: duckdb.DuckDBPyConnection, files: Sequence[tuple[DeliveryRecord, FileRecord]]) -> None:
    """Begin a group of deliveries: whose files its batch numbers stand for, and no row quarantined yet."""
    connection.execute(
        """
        create or replace temp table group_file (
            batch_id integer, hand_over_id varchar, delivery_id varchar, file_id integer
        )
        """
    )
    rows = [(file.batch_id, d.arrival.hand_over_id, d.delivery_id, file.file_id) for d, file in files]
    if rows:
        marks = ", ".join(["(?, ?, ?, ?)"] * len(rows))
        connection.execute(f"insert into group_file values {marks}", [value for row in rows for value in row])
    connection.execute(
        "create or replace temp table quarantine (kind varchar, file_id integer, row_number bigint, rule_ids varchar)"
    )


def stage_batch(connection: duckdb.DuckDBPyConnection, table: str, staged: Sequence[Path]) -> None:
    """Bring the staged files of one kind into memory, where rules run over them."""
    connection.execute(
        f"create or replace temp table {table} as select * from {_STAGED}", [[str(path) for path in staged]]
    )


def quarantine_failed(connection: duckdb.DuckDBPyConnection, contract: Contract, failed_table: str) -> dict[int, int]:
    """Quarantine the rows that failed a rule of severity ``row``; returns how many, by file id."""
    rule_ids = [rule.rule_id for rule in contract.rules if rule.severity == "row"]
    connection.execute(
        f"""
        insert into quarantine
        select ?, file_id, row_number, string_agg(distinct rule_id, '|' order by rule_id)
        from {failed_table}
        where list_contains(?, rule_id)
        group by file_id, row_number
        """,
        [contract.kind, rule_ids],
    )
    rows = connection.execute(
        "select file_id, count(*) from quarantine where kind = ? group by all", [contract.kind]
    ).fetchall()
    return dict(rows)


def failed_rows(
    connection: duckdb.DuckDBPyConnection, failed_table: str, limit: int
) -> dict[str, dict[str, list[tuple[int, int]]]]:
    """The first row ids (file id, row number) of each failed rule by hand-over, for suppliers' feedback; no values."""
    rows = connection.execute(
        f"""
        select group_file.hand_over_id, failed.rule_id, group_file.file_id, failed.row_number
        from {failed_table} as failed
        inner join group_file on failed.file_id = group_file.batch_id
        qualify
            row_number() over (
                partition by group_file.hand_over_id, failed.rule_id order by group_file.file_id, failed.row_number
            ) <= ?
        order by all
        """,
        [limit],
    ).fetchall()
    by_delivery: dict[str, dict[str, list[tuple[int, int]]]] = {}
    for hand_over_id, rule_id, file_id, row_number in rows:
        by_delivery.setdefault(hand_over_id, {}).setdefault(rule_id, []).append((file_id, row_number))
    return by_delivery


def make_known(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    contract: Contract,
    staged: Sequence[Path],
    meant: tuple[str, str] | None,
) -> None:
    """Make a view of every row of a kind that the lake and the group hold, for rules that look references up.

    Args:
        connection: the writer's.
        name: of the view.
        contract: of the kind.
        staged: the group's files of the kind.
        meant: a scope that all of these references share with what they refer to (``Contract.scope_shared_with``), and
            the relation that refers. Rows of other scopes cannot be meant and are left out: a force's delivery reads
            the force's crimes and not those of the country.
    """
    columns = ", ".join(column.stored_as for column in contract.columns)
    paths = ", ".join(literal(str(path)) for path in staged)
    in_group = f" union all select {columns} from read_parquet([{paths}])" if staged else ""
    in_lake = f"select {columns} from {ALIAS}.extracts.{contract.kind}"
    if meant is not None:
        column, relation = meant
        scopes = connection.execute(f"select distinct {column} from {relation} where {column} is not null").fetchall()
        # Named one by one, since only then DuckLake leaves files of others unread.
        in_lake += f" where {column} in ({', '.join(literal(scope) for (scope,) in scopes) or 'null'})"
    connection.execute(f"create or replace temp view {name} as {in_lake}{in_group}")


def load(connection: duckdb.DuckDBPyConnection, contract: Contract, staged: Sequence[Path]) -> None:
    """Insert what is not quarantined; runs in the caller's transaction."""
    columns = ", ".join(extract_columns(contract))
    chosen = ", ".join(f"staged.{column}" for column in extract_columns(contract) if column not in _IDS)
    connection.execute(
        f"""
        insert into {ALIAS}.extracts.{contract.kind} ({columns})
        select group_file.delivery_id, group_file.file_id, staged.row_number, {chosen}
        from {_STAGED} as staged
        inner join group_file on staged.file_id = group_file.batch_id
        anti join (select * from quarantine where kind = ?) as kept_out
            on staged.file_id = kept_out.file_id and staged.row_number = kept_out.row_number
        """,
        [[str(path) for path in staged], contract.kind],
    )


def take_out(connection: duckdb.DuckDBPyConnection, deliveries_by_kind: Mapping[str, Sequence[str]]) -> None:
    """Delete what these deliveries loaded and had quarantined; runs in the caller's transaction."""
    for kind, delivery_ids in deliveries_by_kind.items():
        connection.execute(
            f"delete from {ALIAS}.extracts.{kind} where list_contains(?, delivery_id)", [list(delivery_ids)]
        )
    every_id = sorted({one for delivery_ids in deliveries_by_kind.values() for one in delivery_ids})
    if every_id:
        connection.execute(
            f"delete from {ALIAS}.ledger.quarantined_row where list_contains(?, delivery_id)", [every_id]
        )


def record_quarantine(connection: duckdb.DuckDBPyConnection, hand_over_ids: Sequence[str]) -> None:
    """Write the quarantined row ids of these hand-overs to the ledger; runs in the caller's transaction."""
    quarantined = """
        from quarantine
        inner join group_file on quarantine.file_id = group_file.batch_id
        where list_contains(?, group_file.hand_over_id)
    """
    row = connection.execute(f"select count(*) {quarantined}", [list(hand_over_ids)]).fetchone()
    if row and row[0]:  # an insert of nothing would still make a snapshot
        connection.execute(
            f"""
            insert into {ALIAS}.ledger.quarantined_row
            select group_file.delivery_id, group_file.file_id, quarantine.row_number, quarantine.rule_ids {quarantined}
            """,
            [list(hand_over_ids)],
        )
