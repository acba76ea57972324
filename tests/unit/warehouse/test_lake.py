"""The lake: all or nothing, and reading at a recorded snapshot."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import duckdb
import pytest
from conftest import KIND, Home

from extracts.contract import all_contracts
from rasso.settings import Settings
from warehouse.intake import waiting_batches
from warehouse.lake import LakeError, newest_snapshot, reading, transaction, writing
from warehouse.schema import LEDGER, extract_columns, prepare_home, prepare_lake

if TYPE_CHECKING:
    from pathlib import Path


TABLE = "lake.ledger.claim"


class InterruptionError(Exception):
    """Something that goes wrong inside a transaction."""


def _insert(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    connection.execute(f"insert into {TABLE} (hand_over_id) values (?)", [name])


def _count(home: Home, name: str, snapshot: int | None = None) -> int:
    ((count,),) = home.rows(f"select count(*) from {TABLE} where hand_over_id = ?", name, snapshot=snapshot)
    return int(count)


@pytest.mark.parametrize("error", [InterruptionError, KeyboardInterrupt, SystemExit])
def test_an_error_inside_a_transaction_leaves_nothing(shared_home: Home, error: type[BaseException]) -> None:
    def half(connection: duckdb.DuckDBPyConnection) -> None:
        with transaction(connection):
            _insert(connection, "half")
            connection.execute("create table lake.extracts.half (a integer)")
            raise error

    with writing(shared_home.settings) as connection, pytest.raises(error):
        half(connection)

    assert _count(shared_home, "half") == 0
    assert shared_home.rows("select count(*) from duckdb_tables() where table_name = 'half'") == [(0,)]


def test_a_statement_that_fails_inside_a_transaction_leaves_nothing_and_the_connection_usable(
    shared_home: Home,
) -> None:
    def failing(connection: duckdb.DuckDBPyConnection) -> None:
        with transaction(connection):
            _insert(connection, "before the fault")
            connection.execute("select * from lake.ledger.absent")

    with writing(shared_home.settings) as connection:
        with pytest.raises(duckdb.Error):
            failing(connection)
        with transaction(connection):
            _insert(connection, "after the fault")

    assert (_count(shared_home, "before the fault"), _count(shared_home, "after the fault")) == (0, 1)


def test_a_whole_transaction_is_one_snapshot(shared_home: Home) -> None:
    with writing(shared_home.settings) as connection:
        before = newest_snapshot(connection)
        with transaction(connection):
            _insert(connection, "one")
            _insert(connection, "two")

        assert newest_snapshot(connection) == before + 1


def test_a_reader_at_a_recorded_snapshot_does_not_see_later_rows(shared_home: Home) -> None:
    with writing(shared_home.settings) as connection:
        recorded = newest_snapshot(connection)
        with transaction(connection):
            _insert(connection, "later")

    assert _count(shared_home, "later", snapshot=recorded) == 0
    assert _count(shared_home, "later") == 1


def test_a_snapshot_that_is_not_there_is_an_error(shared_home: Home) -> None:
    with pytest.raises(LakeError), reading(shared_home.settings, 10_000):
        pass


def test_a_reader_does_not_wait_for_whoever_writes_to_the_catalogue(shared_home: Home) -> None:
    catalogue = shared_home.settings.lake / "catalog.sqlite"
    with closing(sqlite3.connect(catalogue, isolation_level=None)) as writer:
        writer.execute("begin exclusive")
        with reading(shared_home.settings) as connection:
            assert connection.execute("select count(*) from lake.ledger.delivery").fetchone() is not None
        writer.execute("rollback")


def test_a_reader_cannot_write(shared_home: Home) -> None:
    with reading(shared_home.settings) as connection, pytest.raises(duckdb.Error):
        _insert(connection, "by a reader")


def test_preparing_a_home_again_changes_nothing(shared_home: Home) -> None:
    with reading(shared_home.settings) as connection:
        before = newest_snapshot(connection)

    prepare_home(shared_home.settings)

    with reading(shared_home.settings) as connection:
        assert newest_snapshot(connection) == before


def test_a_home_that_was_moved_goes_on_where_it_is(home: Home, months: list[bytes], tmp_path: Path) -> None:
    home.land("before", {"a.csv": (months[0], "2014-04")})
    home.receive()
    home.settings.root.rename(tmp_path / "elsewhere")
    moved = Home(Settings(home=tmp_path / "elsewhere"))
    moved.land("after", {"a.csv": (months[1], "2014-05")})
    moved.receive()
    assert moved.rows(f"select count(*) from lake.extracts.{KIND}") == [(2 * 43,)]
    assert moved.verdict("after") == ("accepted", None)
    assert not home.settings.root.exists()


def test_a_column_that_a_contract_gained_is_added(shared_home: Home) -> None:
    column = next(reversed(LEDGER["publication"].split(","))).split()[0]
    with writing(shared_home.settings) as connection:
        connection.execute(f"alter table lake.ledger.publication drop column {column}")
        prepare_lake(connection)

    assert column in [row[0] for row in shared_home.rows("describe lake.ledger.publication")]


def test_only_the_owner_can_look_into_a_home(shared_home: Home) -> None:
    assert shared_home.settings.root.stat().st_mode & 0o077 == 0


def test_a_loaded_row_says_where_it_came_from() -> None:
    for_each = [list(extract_columns(contract))[:3] for contract in all_contracts().values()]

    assert all(columns == ["delivery_id", "file_id", "row_number"] for columns in for_each)


# ---- a process that ended between its commit and the emptying of the landing folder ---------------------------------


def test_a_folder_left_behind_after_its_commit_is_emptied_and_not_received_twice(
    shared_home: Home, months: list[bytes], tmp_path: Path
) -> None:
    folder = shared_home.land("once", {"a.csv": (months[0], "2016-01")})
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept)
    shared_home.receive()
    shutil.copytree(kept, folder)

    assert waiting_batches(shared_home.settings) == []

    assert not folder.exists()
    assert shared_home.rows("select state from lake.ledger.delivery") == [("accepted",)]
    assert shared_home.rows("select count(*) from lake.extracts.cps_principal_offence_outcomes") == [(43,)]
