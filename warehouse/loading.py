"""Loading: staged rows into the lake, quarantined rows apart, ledger and rows in one transaction.

Belongs here: the SQL that moves rows. Does not belong here: deciding whether they may be loaded (``warehouse.intake``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.lake import ALIAS
from warehouse.schema import extract_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

    from extracts.contract import Contract


# A row's number is its place in the staged file, which keeps the order of the supplier's.
_STAGED = """(
    select * exclude (file_row_number), file_row_number + 1 as row_number
    from read_parquet(?, file_row_number = true)
)"""


def forget_quarantine(connection: duckdb.DuckDBPyConnection) -> None:
    """Begin a delivery: no row is quarantined yet."""
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
) -> dict[str, list[tuple[int, int]]]:
    """The first row ids (file id, row number) of each failed rule, for the supplier's feedback; no values."""
    rows = connection.execute(
        f"""
        select rule_id, file_id, row_number from {failed_table}
        qualify row_number() over (partition by rule_id order by file_id, row_number) <= ?
        order by rule_id, file_id, row_number
        """,
        [limit],
    ).fetchall()
    by_rule: dict[str, list[tuple[int, int]]] = {}
    for rule_id, file_id, row_number in rows:
        by_rule.setdefault(rule_id, []).append((file_id, row_number))
    return by_rule


def load(connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_id: str, staged: Sequence[Path]) -> None:
    """Insert what is not quarantined; runs in the caller's transaction."""
    columns = ", ".join(extract_columns(contract))
    chosen = ", ".join(f"staged.{column}" for column in extract_columns(contract) if column != "delivery_id")
    connection.execute(
        f"""
        insert into {ALIAS}.extracts.{contract.kind} ({columns})
        select ?, {chosen}
        from {_STAGED} as staged
        anti join (select * from quarantine where kind = ?) as kept_out using (file_id, row_number)
        """,
        [delivery_id, [str(path) for path in staged], contract.kind],
    )


def record_quarantine(connection: duckdb.DuckDBPyConnection, delivery_id: str) -> None:
    """Write the quarantined row ids to the ledger; runs in the caller's transaction."""
    row = connection.execute("select count(*) from quarantine").fetchone()
    if row and row[0]:
        connection.execute(
            f"insert into {ALIAS}.ledger.quarantined_row select ?, file_id, row_number, rule_ids from quarantine",
            [delivery_id],
        )
