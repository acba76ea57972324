"""The vault: the originals of case references, in an encrypted database of their own.

Belongs here: putting references in, and opening them for a step that needs them. Does not belong here: making tokens
(``extracts.tokens``), comparing references (``warehouse.linkage``), keys (``warehouse.keys``).

Two doors lead into it, and both are logged (``ledger.processing_log``): ``remember`` takes in what staging replaced by
tokens, and ``originals`` opens the vault, read-only, to the linking step. DuckDB lets in either one process that writes
or several that read; a lock between processes keeps to that.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
import fasteners

from extracts.encrypted import EncryptedFileError, EncryptedFileSystem, file_key
from extracts.sql import literal
from warehouse import ledger
from warehouse.lake import attached, configuration, load_extension, reading, transaction, writer_lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rasso.settings import Settings
    from warehouse.keys import Keys

ALIAS = "vault"
TABLE = f"{ALIAS}.reference"
COLUMNS = "entity varchar, token varchar, scope varchar, original varchar, key_version integer"

# Locks between processes do not hold between threads of one.
_one_thread = threading.RLock()


class VaultError(Exception):
    """The vault cannot be opened, or what is to be put in cannot be read; the message says what to do."""


def check_vault(settings: Settings, keys: Keys) -> None:
    """See whether the vault can be opened, before anything is read that is to be put in; makes none.

    Raises:
        VaultError: it is missing or cannot be opened.
    """
    path = _path(settings)
    if not path.exists():
        _check_not_lost(settings)
        return
    with _lock(settings).read_lock(), _one_thread, duckdb.connect(config=configuration(settings)) as connection:
        _attach(connection, path, keys, "read_only")
        try:
            connection.execute(f"select count(*) from {TABLE}").fetchall()
        except duckdb.Error as error:
            raise VaultError(_reason(error, path)) from None


def remember(settings: Settings, keys: Keys, files: Sequence[Path], files_key: bytes) -> list[ledger.ProcessingRow]:
    """Put in references that the reading process handed over in encrypted files; what is there already stays as it is.

    To be called before the rows that hold the tokens are committed, so that no token is ever without its original.
    Returns the rows for the processing log, which the caller commits together with those rows.

    Raises:
        VaultError: the vault or a file cannot be opened. Nothing was put in.
    """
    if not files:
        return []
    with _lock(settings).write_lock(), _one_thread, duckdb.connect(config=configuration(settings)) as connection:
        addresses = _granted(connection, files, files_key)
        _make(settings, keys)
        _attach(connection, _path(settings), keys)
        try:
            with transaction(connection):
                handed_over = _insert(connection, addresses, keys.current)
        except duckdb.Error as error:
            raise VaultError(f"references could not be put into the vault ({type(error).__name__})") from None
    return [ledger.ProcessingRow.of("collection", TABLE, handed_over, "keep originals apart from what is counted")]


@contextmanager
def originals(settings: Settings, keys: Keys, purpose: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the lake, for writing, on which the vault is attached read-only as ``vault.reference``.

    Entering is logged in the lake before a reference can be read; so the caller must not hold ``writer_lock`` then.
    ``purpose`` says what for, in words without data.

    Raises:
        VaultError: the vault cannot be opened.
    """
    with _lock(settings).write_lock(), _one_thread:
        _make(settings, keys)
    with _lock(settings).read_lock(), _one_thread, attached(settings) as connection:
        _attach(connection, _path(settings), keys, "read_only")
        (count,) = connection.execute(f"select count(*) from {TABLE}").fetchall()[0]
        with writer_lock(settings), transaction(connection):
            ledger.insert_processing(connection, [ledger.ProcessingRow.of("consultation", TABLE, count, purpose)])
        yield connection


def _make(settings: Settings, keys: Keys) -> None:
    """Make an empty vault where there never was one, whole or not at all."""
    path = _path(settings)
    if path.exists():
        return
    _check_not_lost(settings)
    unfinished = path.with_name("unfinished.duckdb")
    for left in settings.vault.glob("unfinished.*"):  # of a process that was killed
        left.unlink()
    try:
        with duckdb.connect(config=configuration(settings)) as connection:
            _attach(connection, unfinished, keys)
            connection.execute(f"create table {TABLE} ({COLUMNS})")
            connection.execute(f"checkpoint {ALIAS}")  # closing does it as well, and says nothing where it cannot
    except duckdb.Error as error:
        raise VaultError(f"the vault {path} cannot be made ({type(error).__name__}); is there space?") from None
    unfinished.chmod(0o600)
    unfinished.replace(path)


def _check_not_lost(settings: Settings) -> None:
    """Refuse to begin with an empty vault where references were put in before: their tokens would mean nothing."""
    with reading(settings) as connection:
        if ledger.was_collected(connection, TABLE):
            raise VaultError(
                f"the vault {_path(settings)} is missing, and references were put into it before; restore the folder "
                f"{settings.vault} from a copy of the home"
            )


def _insert(connection: duckdb.DuckDBPyConnection, addresses: Sequence[str], key_version: int) -> int:
    """Insert what is new; returns how many references were handed over.

    An anti join: measured against a primary key, whose index is read and written with every opening, it was three times
    faster at ten times the history, in a sixth of the space. Rows lie sorted by scope, and the scopes of what came are
    named one by one, so that a force's delivery is compared with the references of that force.
    """
    # A null equals nothing: what has no token would be put in anew each time, and nothing could ask for it.
    files = ", ".join(literal(address) for address in addresses)
    source = f"(select * from read_parquet([{files}]) where token is not null)"
    came = connection.execute(f"select scope, count(*) from {source} group by scope").fetchall()
    # Vaults of earlier versions hold URNs without a scope.
    scopes = ", ".join(literal(scope) for scope in sorted({"", *(scope for scope, _ in came)}))
    connection.execute(
        f"""
        insert into {TABLE}
        select distinct on (entity, token) entity, token, scope, original, {key_version:d}
        from {source} anti join (from {TABLE} where scope in ({scopes})) as known using (entity, token)
        order by scope
        """
    )
    return sum(int(count) for _, count in came)


def _granted(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], files_key: bytes) -> list[str]:
    """Let a connection read the files that were handed over; returns their addresses."""
    reading = EncryptedFileSystem()
    try:
        addresses = [reading.grant(path, file_key(path, files_key)) for path in files]
    except (EncryptedFileError, FileNotFoundError) as error:
        raise VaultError(f"references that were handed over cannot be read: {error.strerror or error}") from None
    connection.register_filesystem(reading)
    return addresses


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, keys: Keys, mode: str = "read_write") -> None:
    load_extension(connection, "httpfs")  # its OpenSSL: DuckDB writes nothing encrypted without it
    # A query over originals that needs more memory than it may use writes them to a file meanwhile.
    connection.execute("set temp_file_encryption = true")
    options = f"encryption_key '{keys.vault.hex()}', encryption_cipher 'GCM', {mode}"
    try:
        connection.execute(f"attach {literal(str(path))} as {ALIAS} ({options})")
    except duckdb.Error as error:
        raise VaultError(_reason(error, path)) from None  # its own words may hold the statement, and that the key


def _reason(error: duckdb.Error, path: Path) -> str:
    if "Wrong encryption key" in str(error):
        return f"the vault {path} was made with another key; name its key file in RASSO_KEY_FILE"
    if "already attached" in str(error):
        return f"the vault {path} is open already in this process; close it first"
    return f"the vault {path} cannot be opened ({type(error).__name__}); it may be damaged: restore it from a copy"


def _lock(settings: Settings) -> fasteners.InterProcessReaderWriterLock:
    return fasteners.InterProcessReaderWriterLock(str(settings.vault / "vault.lock"))


def _path(settings: Settings) -> Path:
    return settings.vault / "vault.duckdb"
