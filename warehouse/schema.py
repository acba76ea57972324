"""Tables of the lake: the ledger, and one table per contract.

Belongs here: which tables and columns there are. Does not belong here: what is written to them (``warehouse.ledger``,
``warehouse.loading``). Marts are made by dbt (``transforms``).
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from extracts.contract import all_contracts
from warehouse.lake import ALIAS, transaction, writing

if TYPE_CHECKING:
    import duckdb

    from extracts.contract import Contract
    from rasso.settings import Settings

# DuckLake has no primary keys: uniqueness is a test (transforms/tests).
LEDGER = {
    "claim": """
        hand_over_id varchar, supplier varchar, delivery_name varchar, worker varchar,
        claimed_at timestamp, lease_until timestamp, is_done boolean
    """,
    "delivery": """
        hand_over_id varchar, delivery_id varchar, supplier varchar, delivery_name varchar,
        sent_at timestamp, received_at timestamp, finished_at timestamp,
        state varchar, reason_code varchar, reason varchar, is_synthetic boolean, code_version varchar,
        reprocess_of varchar
    """,
    "delivery_file": """
        hand_over_id varchar, delivery_id varchar, file_id integer, file_name varchar, kind varchar,
        period_start date, period_end date, sha256 varchar, byte_count bigint,
        rows_declared bigint, rows_found bigint, rows_in bigint, rows_loaded bigint, rows_quarantined bigint,
        rows_duplicate bigint, contract_version varchar
    """,
    "decision": """
        hand_over_id varchar, verdict varchar, reason varchar, actor varchar, decided_at timestamp, release_id varchar
    """,
    "reprocessing": """
        receipt_id varchar, hand_over_id varchar, reason varchar, actor varchar, decided_at timestamp
    """,
    "waiver": """
        waiver_id varchar, supplier varchar, rule_id varchar, expires_on date, reason varchar, actor varchar,
        decided_at timestamp
    """,
    "stage_outcome": """
        hand_over_id varchar, delivery_id varchar, file_id integer, stage varchar, status varchar,
        started_at timestamp, ended_at timestamp,
        rows_in bigint, rows_loaded bigint, rows_quarantined bigint, rows_duplicate bigint,
        code_version varchar, contract_version varchar, message_code varchar
    """,
    "quarantined_row": "delivery_id varchar, file_id integer, row_number bigint, rule_ids varchar",
    "rule_result": """
        hand_over_id varchar, delivery_id varchar, kind varchar, rule_id varchar, dimension varchar, severity varchar,
        tested_count bigint, failed_count bigint
    """,
    "build": """
        build_id varchar, lake_snapshot bigint, started_at timestamp, ended_at timestamp,
        status varchar, code_version varchar
    """,
    "publication": """
        release_id varchar, build_id varchar, lake_snapshot bigint, published_at timestamp, code_version varchar,
        content_sha256 varchar
    """,
    "processing_log": """
        logged_at timestamp, operation varchar, data_set varchar, sha256 varchar, row_count bigint,
        actor varchar, purpose varchar
    """,
}

# Tokens, methods and probabilities only; one row per referral, in the one table or in the other.
LINKAGE = {
    "crime_case_link": """
        force_code varchar, crime_reference_token varchar, urn_token varchar,
        referral_urn_token varchar, referral_urn_suffix varchar, referral_crime_reference_token varchar,
        suspect_number bigint, submission_type varchar, submitted_date date,
        method varchar, urn_method varchar, crime_method varchar, probability double, run_id varchar
    """,
    "unlinked_referral": """
        force_code varchar, crime_reference_token varchar, urn_token varchar,
        referral_urn_token varchar, referral_urn_suffix varchar, referral_crime_reference_token varchar,
        suspect_number bigint, submission_type varchar, submitted_date date,
        urn_method varchar, crime_method varchar, run_id varchar
    """,
    "linked_delivery": "delivery_id varchar, run_id varchar",
    "link_run": """
        run_id varchar, started_at timestamp, ended_at timestamp, lake_snapshot bigint, is_full boolean,
        delivery_count bigint, referral_count bigint, exact_count bigint, repaired_count bigint,
        probabilistic_count bigint, unlinked_count bigint, threshold double,
        method_version varchar, splink_version varchar, code_version varchar
    """,
}


def prepare_home(settings: Settings) -> None:
    """Make the folders and the lake's tables; changes nothing that is already there."""
    settings.prepare()
    with writing(settings) as connection:
        prepare_lake(connection)
    if not settings.catalog:
        _let_readers_in(settings)


def _let_readers_in(settings: Settings) -> None:
    """Have SQLite keep a write-ahead log, with which nobody who reads the catalogue waits for a commit.

    Without it a build, which is a commit per table, can keep a reader out for as long as it takes. The file keeps it.
    """
    with (
        contextlib.suppress(sqlite3.OperationalError),  # somebody has the catalogue open: the next one to come does it
        contextlib.closing(sqlite3.connect(settings.lake / "catalog.sqlite")) as catalogue,
    ):
        catalogue.execute("pragma journal_mode = wal")


def prepare_lake(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing: schemas, ledger tables, one table per contract, new columns of a contract."""
    existing = _existing_columns(connection)
    wanted = {("ledger", name): columns_of(columns) for name, columns in LEDGER.items()}
    wanted |= {("linkage", name): columns_of(columns) for name, columns in LINKAGE.items()}
    wanted |= {("extracts", contract.kind): extract_columns(contract) for contract in all_contracts().values()}
    if all(columns.keys() <= existing.get(table, set()) for table, columns in wanted.items()):
        return
    with transaction(connection):
        for schema in ("ledger", "extracts", "linkage"):
            connection.execute(f"create schema if not exists {ALIAS}.{schema}")
        for table, columns in wanted.items():
            _complete(connection, table, columns, existing.get(table, set()))


def extract_columns(contract: Contract) -> dict[str, str]:
    """Columns of a contract's table in the lake with their SQL types."""
    return {"delivery_id": "varchar", "file_id": "integer", "row_number": "bigint"} | {
        column.stored_as: column.sql_type for column in contract.columns
    }


def _complete(
    connection: duckdb.DuckDBPyConnection, table: tuple[str, str], columns: dict[str, str], existing: set[str]
) -> None:
    name = f"{ALIAS}.{table[0]}.{table[1]}"
    if not existing:
        definition = ", ".join(f"{column} {sql_type}" for column, sql_type in columns.items())
        connection.execute(f"create table {name} ({definition})")
        return
    for column, sql_type in columns.items():
        if column not in existing:
            connection.execute(f"alter table {name} add column {column} {sql_type}")


def _existing_columns(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], set[str]]:
    rows = connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where database_name = ?", [ALIAS]
    ).fetchall()
    tables: dict[tuple[str, str], set[str]] = {}
    for schema, table, column in rows:
        tables.setdefault((schema, table), set()).add(column)
    return tables


def columns_of(columns: str) -> dict[str, str]:
    """Names and SQL types of a table of ``LEDGER`` or ``LINKAGE``."""
    return dict(column.split() for column in columns.split(","))
