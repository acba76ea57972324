"""The lake: connections to DuckLake and the lock that lets one writer in at a time.

Belongs here: attaching the lake, snapshots, transactions. Does not belong here: which tables there are
(``warehouse.schema``) and what their rows mean (``warehouse.ledger``).
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import duckdb
import fasteners

from extracts.sql import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rasso.settings import Settings

Answer = TypeVar("Answer")

ALIAS = "lake"
_BUSY_SECONDS = 30.0
_ASK_AGAIN_SECONDS = 0.2


class LakeError(Exception):
    """The lake cannot be opened: it does not exist yet, or its catalogue cannot be reached."""


class LakeBusyError(LakeError):
    """A SQLite catalogue that somebody is writing to at this moment; the next look succeeds."""


def is_busy(error: BaseException) -> bool:
    """Whether an error says that the catalogue is being written to at this moment."""
    return isinstance(error, LakeBusyError) or (isinstance(error, duckdb.Error) and "locked" in str(error))


@contextmanager
def reading(settings: Settings, snapshot: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on which the lake is attached read-only as ``lake``, at a recorded snapshot or at the newest.

    Raises:
        LakeError: there is no lake yet, no such snapshot, or its catalogue cannot be reached.
    """
    options = ["read_only"] if snapshot is None else ["read_only", f"snapshot_version {snapshot:d}"]
    with _connect(settings) as connection:
        _attach(connection, settings, options)
        yield connection


@contextmanager
def attached(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on which the lake is attached for writing as ``lake``; commit only under ``writer_lock``.

    Small rows are written to Parquet and never into the catalogue (``data_inlining_row_limit 0``): the catalogue may
    be kept where the data may not.
    """
    with _connect(settings) as connection:
        _attach(connection, settings, ["data_inlining_row_limit 0"])
        yield connection


def ask(settings: Settings, question: Callable[[duckdb.DuckDBPyConnection], Answer]) -> Answer:
    """The answer of a reading connection; a catalogue that is being written to is asked again, for that passes.

    Raises:
        LakeError: the catalogue cannot be reached.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            with reading(settings) as connection:
                return question(connection)
        except (LakeError, duckdb.Error) as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(_ASK_AGAIN_SECONDS)


def attach_beside(connection: duckdb.DuckDBPyConnection, settings: Settings, alias: str) -> None:
    """Attach the lake of another home, whose catalogue is SQLite, read-only beside the one that is attached.

    Raises:
        LakeError: it cannot be opened.
    """
    load_extension(connection, "sqlite_scanner")
    _attach(connection, settings, ["read_only"], alias)


@contextmanager
def writing(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """As ``attached``, being the only writer for as long as the connection lives."""
    with writer_lock(settings), attached(settings) as connection:
        yield connection


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what the body did, all of it or nothing."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


@contextmanager
def writer_lock(settings: Settings) -> Iterator[None]:
    """Be the only writer of this home; waits for the others. Not re-entrant.

    A SQLite catalogue refuses concurrent commits; and with any catalogue a dbt build, which is many snapshots, must not
    see rows arrive half-way. Reading and validating files needs no lock.
    """
    with fasteners.InterProcessLock(str(settings.lake / "writer.lock")):
        yield


def newest_snapshot(connection: duckdb.DuckDBPyConnection) -> int:
    """Number of the lake's newest snapshot."""
    row = connection.execute(f"select max(snapshot_id) from ducklake_snapshots('{ALIAS}')").fetchone()
    assert row is not None  # an aggregate without groups has one row
    return int(row[0])


def configuration(settings: Settings) -> dict[str, str | bool | int | float | list[str]]:
    """Limits and folders of a DuckDB connection of this home."""
    return {
        "autoinstall_known_extensions": False,
        # Else DuckDB computes the signature of a hundred megabytes with each connection, which takes longer than most
        # queries. They come from wheels whose hashes were checked when they were installed, and lie beside our code.
        "allow_unsigned_extensions": True,
        "memory_limit": settings.memory_limit,
        "threads": settings.threads,
        "temp_directory": str(settings.lake / "temp"),
    }


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load one of DuckDB's extensions from the wheel that it came with; nothing is downloaded."""
    connection.execute(f"load {literal(str(extension(name)))}")


def extension(name: str) -> Path:
    """Where the binary of an extension lies in its installed package."""
    package = find_spec(f"duckdb_extension_{name}")
    assert package is not None  # pyproject.toml names it
    assert package.origin is not None
    return Path(package.origin).parent / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"


def extensions_of(settings: Settings) -> tuple[str, str]:
    """The extensions that a connection to this home's lake needs."""
    return ("ducklake", "postgres_scanner" if settings.catalog_uri.startswith("postgres:") else "sqlite_scanner")


@contextmanager
def _connect(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config=configuration(settings)) as connection:
        for name in extensions_of(settings):
            load_extension(connection, name)
        yield connection


def data_folder(settings: Settings) -> dict[str, str | bool]:
    """Options of an attached lake: where the files lie that the catalogue names.

    A SQLite catalogue lies in the home, and the home may have been moved or restored elsewhere: the folder beside it
    counts, not the one in which it was made. A catalogue on a server that was made for another folder is another
    home's, and is refused.
    """
    return {"data_path": str(settings.lake / "data")} | ({} if settings.catalog else {"override_data_path": True})


def _attach(
    connection: duckdb.DuckDBPyConnection, settings: Settings, options: Sequence[str], alias: str = ALIAS
) -> None:
    lies_in = (
        name if value is True else f"{name} {literal(str(value))}" for name, value in data_folder(settings).items()
    )
    catalog = literal(f"ducklake:{settings.catalog_uri}")
    try:
        connection.execute(f"attach {catalog} as {alias} ({', '.join([*lies_in, *options])})")
    except duckdb.Error as error:
        # DuckDB's own words name the whole address of the catalogue.
        where = "the database that RASSO_CATALOG names" if settings.catalog else f"the files in {settings.lake}"
        kind = type(error).__name__
        if is_busy(error):
            raise LakeBusyError("the lake is being written to at this moment; ask again") from None
        raise LakeError(f"the lake cannot be opened ({kind}); check {where}, or receive a delivery first") from None
