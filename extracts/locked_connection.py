"""The connection on which a supplier's file is read: what DuckDB may touch there, and that no statement can widen it.

Belongs here: the limits and functions of such a connection, and when files share one. Does not belong here: what is
read on it (``extracts.formats``, ``extracts.staging``).

To open a database and teach it our functions takes longer than to read a few hundred rows. So small files of the
archive share one, one after the other, and on it no path of the disk may be touched at all: what is read is granted by
our own file system for one job and revoked after it, and what is written goes to two files that have no name. A
connection on which anything went wrong reads no other file, nor the same one again: an error in DuckDB may end all of
its database. A large file has a connection of its own, which may also write one path of the disk.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import duckdb

from extracts.encrypted import PROTOCOL, DiskFile, EncryptedFileSystem, MemoryFile
from extracts.sql import list_literal
from extracts.tokens import MACROS, token_macros

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from extracts.staging_jobs import StagingJob

_SMALL = 8 << 20  # bytes of a file that is read once by one thread and kept in memory, rather than read twice

# Publishers' names of places: as spelled, else without case, punctuation and footnote marks.
_PLACE_CODE = r"""
    create macro place_code(name) as coalesce(
        element_at(getvariable('places'), name)[1],
        element_at(
            getvariable('places'),
            regexp_replace(
                replace(lower(regexp_replace(name, '\[note[^\]]*\]', '', 'gi')), '&', 'and'), '[^a-z]', '', 'g'
            )
        )[1]
    )
"""
_OWN_FORCE = "create macro own_force(code) as list_contains(getvariable('own_force_codes')::varchar[], code)"


class LockedConnection:
    """A DuckDB connection that reads what ``files`` grants and writes ``staged`` and ``references``; a context manager.

    References lie in memory only. ``plain_paths`` are files of the disk that it may touch besides. For a small file
    nothing is optimised: of forty columns that takes longer than to read a few hundred rows. And one thread works:
    several files are read at a time.
    """

    def __init__(self, job: StagingJob, *, is_small: bool, plain_paths: Iterable[str] = ()) -> None:
        self.is_small = is_small
        self.limits = _limits(job)
        self.files = EncryptedFileSystem()
        with ExitStack() as stack:  # what was opened before an error is closed
            self.staged = stack.enter_context(DiskFile(Path(job.target).parent))
            self.references = stack.enter_context(MemoryFile())
            self.duckdb = stack.enter_context(self._connected(job))
            self._prepare(job, plain_paths)
            stack.callback(self.files.revoke)
            self._opened_things = stack.pop_all()

    def _connected(self, job: StagingJob) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "enable_external_file_cache": False,  # what was read for one file is not there for the next
                "memory_limit": job.memory_limit,
                "threads": 1 if self.is_small else job.threads,
                "preserve_insertion_order": True,
                "temp_directory": "",  # what does not fit into memory would be written as it reads
            }
        )

    def _prepare(self, job: StagingJob, plain_paths: Iterable[str]) -> None:
        """Functions that contracts may use, then the lock."""
        self.duckdb.execute(token_macros(bytes.fromhex(job.token_key)) if job.token_key else MACROS)
        self.duckdb.execute(f"{_PLACE_CODE}; {_OWN_FORCE}")
        if self.is_small:
            self.duckdb.execute("pragma disable_optimizer")
        # Where the file system comes later than the lock, DuckDB does not know it.
        self.duckdb.register_filesystem(self.files)
        # Written out and not bound: to bind a list, DuckDB imports pandas, which takes longer than most files.
        paths = [self.staged.path, self.references.path, *plain_paths]
        self.duckdb.execute(f"set allowed_paths = {list_literal(paths)}")
        self.duckdb.execute(f"set allowed_directories = {list_literal([f'{PROTOCOL}:///'])}")
        self.duckdb.execute("set enable_external_access = false")
        self.duckdb.execute("set lock_configuration = true")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End it, and forget what it read."""
        self._opened_things.close()

    def begin(self, job: StagingJob) -> None:
        """Tell the functions of contracts who sent the file: ``own_force(code)`` and ``place_code(name)``."""
        places = f"map({list_literal(job.places)}, {list_literal(job.places.values())})"
        uses_places = any("place_code(" in (column.derivation or "") for column in job.columns)
        self.duckdb.execute(f"set variable places = {places if uses_places else 'null'}")
        self.duckdb.execute(f"set variable own_force_codes = {list_literal(job.own_force_codes)}")

    def clear(self) -> None:
        """Leave nothing of a job's file to the next one: no table, no grant, no byte."""
        self.duckdb.execute("drop table if exists typed")
        self.files.revoke()
        self.staged.clear()
        self.references.clear()

    def serves(self, job: StagingJob) -> bool:
        """Whether it has the limits and the key that a job asks for."""
        return self.limits == _limits(job)


class LockedConnections:
    """Gives each job its connection, and keeps the one that small files share."""

    def __init__(self) -> None:
        self._kept: LockedConnection | None = None

    @contextmanager
    def open(self, job: StagingJob, large_output: Path) -> Iterator[LockedConnection]:
        """The connection of a job; that of a large file may write ``large_output``."""
        is_small = Path(job.source).stat().st_size <= _SMALL
        if is_small and job.source_key:
            with self._shared(job) as connection:
                yield connection
            return
        plain_paths = [*([] if job.source_key else [job.source]), *([] if is_small else [str(large_output)])]
        with LockedConnection(job, is_small=is_small, plain_paths=plain_paths) as connection:
            connection.begin(job)
            yield connection

    @contextmanager
    def _shared(self, job: StagingJob) -> Iterator[LockedConnection]:
        connection, self._kept = self._kept, None
        if connection is not None and not connection.serves(job):
            connection.close()
            connection = None
        if connection is None:
            connection = LockedConnection(job, is_small=True)
        try:
            connection.begin(job)
            yield connection
            connection.clear()
        except BaseException:
            connection.close()  # whatever went wrong on it, no other file meets it
            raise
        self._kept = connection


def _limits(job: StagingJob) -> tuple[str, int, str]:
    return job.memory_limit, job.threads, job.token_key
