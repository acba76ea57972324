"""File formats: opening a supplier's CSV, Parquet or XLSX file, packed or not, in a form that DuckDB reads.

Belongs here: telling formats apart, encodings, line endings, finding the header. Does not belong here: what is made of
its columns (``extracts.staging``), what the connection that reads it may touch (``extracts.locked_connection``), how
large it may be unpacked (``extracts.unpacking``), how it lies encrypted on disk (``extracts.encrypted``).

Nothing that it says holds a value of the file, and what it writes on the way lies encrypted on disk.
"""

from __future__ import annotations

import csv
import gzip
import io
import shutil
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self, cast

import duckdb

from extracts.encrypted import EncryptedFileError, EncryptedFileSystem, Scratch
from extracts.sql import literal
from extracts.staging_jobs import StagingError
from extracts.unpacking import TooLargeError, check_gzip, check_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from extracts.locked_connection import LockedConnection
    from extracts.staging_jobs import StagingJob

_MOST_ROWS = 100_000_000  # of a Parquet file, which can repeat one row as often as it likes
_HEAD_BYTES = 1 << 20
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_WORKBOOK = 1 << 30  # bytes of a workbook when it is unpacked: its texts are kept in memory


@dataclass(frozen=True, slots=True)
class Input:
    """A file's bytes, whether they lie plain or encrypted on disk: for Python as a stream, for DuckDB by address."""

    address: str
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True, slots=True)
class Source:
    """A file in a form that DuckDB reads: the relation's SQL, its header, and what had to be repaired.

    The relation's columns are ``c0``, ``c1`` and so on, all of them text, and it has a row for each row of the file, in
    its order. ``header`` holds the names that the file gives them. ``can_be_mended``: where reading the relation fails,
    ``mended_source`` may make one that can be read.
    """

    relation: str
    header: tuple[str, ...]
    repairs: tuple[str, ...]
    can_be_mended: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """Where one job is done: its connection, an encrypted scratch for what is mended, a folder for both."""

    job: StagingJob
    folder: Path
    connection: LockedConnection
    scratch: Scratch
    source: Input

    @classmethod
    def of(cls, job: StagingJob, folder: Path, connection: LockedConnection) -> Self:
        """A desk for one job in a folder that exists, is empty, and belongs to this job alone.

        Raises:
            EncryptedFileError: the job's file lies in the archive and cannot be decrypted.
        """
        files = connection.files
        path = Path(job.source)
        if not job.source_key:
            source = Input(str(path), lambda: path.open("rb"))
        else:
            address = files.grant(path, bytes.fromhex(job.source_key))
            source = Input(address, lambda: cast("IO[bytes]", files.stream(address)))
        return cls(job, folder, connection, Scratch(folder, files), source)

    @property
    def files(self) -> EncryptedFileSystem:
        """The files that may be read."""
        return self.connection.files

    def mended(self, name: str) -> Input:
        """A file of the scratch."""
        address = self.scratch.address(name)
        return Input(address, lambda: cast("IO[bytes]", self.files.stream(address)))


def source_of(desk: Desk) -> Source:
    """The job's file, whose format its first bytes tell; what is seen at once to need mending is mended.

    Raises:
        StagingError: it is damaged, empty or no table, or has no header.
        TooLargeError: it holds more than it may when it is unpacked.
        EncryptedFileError: the archived file cannot be decrypted.
        MemoryError, OSError: this machine refused memory, or to read or write.
    """
    with desk.source.open() as file:
        magic = file.read(4)
    if magic == b"PAR1":
        return _parquet_source(desk)
    if magic == b"PK\x03\x04":
        return _xlsx_source(desk)
    return _csv_source(desk, desk.source, is_gzip=magic[:2] == _GZIP)


def _parquet_source(desk: Desk) -> Source:
    quoted = literal(desk.source.address)
    try:
        connection = desk.connection.duckdb
        described = connection.execute(f"describe select * from read_parquet({quoted})").fetchall()
        ((rows,),) = connection.execute(f"select num_rows from parquet_file_metadata({quoted})").fetchall()
    except duckdb.Error as error:
        if desk.files.fault:  # the archive is at fault and not the supplier
            raise desk.files.fault from error
        raise StagingError("UNREADABLE_FILE", "the Parquet file cannot be read; send it again") from error
    if rows > _MOST_ROWS:
        raise StagingError("TOO_LARGE", f"the file says that it has more than {_MOST_ROWS:,} rows; send it in parts")
    names = tuple(row[0] for row in described)
    columns = ", ".join(f"cast({_identifier(name)} as varchar) as c{index}" for index, name in enumerate(names))
    relation = f"(select {columns} from read_parquet({quoted}))"
    return Source(relation, names, ())


def _xlsx_source(desk: Desk) -> Source:
    import openpyxl  # only here: most deliveries are CSV or Parquet

    if not openpyxl.DEFUSEDXML:
        raise StagingError("UNREADABLE_FILE", "XLSX files are not read here; send CSV instead")
    try:
        with desk.source.open() as file:
            check_zip(file, min(desk.job.unpacked_limit, _WORKBOOK))
        with desk.source.open() as file, _text_file(desk, "sheet.csv") as out:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            rows = book.worksheets[0].iter_rows(values_only=True)
            csv.writer(out).writerows(["" if cell is None else str(cell) for cell in row] for row in rows)
    except (EncryptedFileError, TooLargeError, MemoryError):
        raise
    except Exception as error:  # the library raises many kinds; each means the same to a supplier
        if isinstance(error, OSError) and error.errno is not None:  # the system's own, of writing the sheet
            raise
        raise StagingError("UNREADABLE_FILE", "the XLSX file cannot be read; send CSV instead") from error
    source = _csv_source(desk, desk.mended("sheet.csv"), is_gzip=False)
    return Source(source.relation, source.header, ("read from the first sheet",))


@contextmanager
def _text_file(desk: Desk, name: str) -> Iterator[IO[str]]:
    """A text file of the scratch: what a supplier sent is never written to disk as it reads."""
    with (
        desk.scratch.writing(name) as raw,
        io.TextIOWrapper(io.BufferedWriter(raw, _CHUNK), "utf-8", newline="") as out,
    ):
        yield out


def _csv_source(desk: Desk, source: Input, *, is_gzip: bool) -> Source:
    head = _head(source, is_gzip=is_gzip)
    if is_gzip:
        with _reporting_damage(), source.open() as file:
            check_gzip(file, desk.job.unpacked_limit)
    if not head.strip():
        raise StagingError("EMPTY_FILE", "the file is empty")
    if _needed_repairs(head):
        return mended_source(desk, source)
    return _text_source(source, is_gzip, head)


def mended_source(desk: Desk, source: Input) -> Source:
    """The file with mended line endings, as UTF-8; else as Windows-1252, which publishers' spreadsheets write.

    ``source`` is a text file, packed with gzip or not. The mended file lies in the desk's scratch.

    Raises:
        StagingError: it is neither UTF-8 nor Windows-1252, is damaged, or has no header.
        EncryptedFileError: the archived file cannot be decrypted.
        MemoryError, OSError: this machine refused memory, or to read or write.
    """
    with source.open() as file:
        is_gzip = file.read(2) == _GZIP
    repairs = _needed_repairs(_head(source, is_gzip=is_gzip)) or ["line endings mended"]
    try:
        mended = _mended(desk, source, "utf-8-sig", is_gzip=is_gzip)
    except UnicodeDecodeError:
        repairs = [repair for repair in repairs if "ending" not in repair] + ["converted from Windows-1252"]
        mended = _mended(desk, source, "cp1252", is_gzip=is_gzip)
    return _text_source(mended, False, _head(mended, is_gzip=False), tuple(repairs))


def _text_source(source: Input, is_gzip: bool, head: bytes, repairs: tuple[str, ...] = ()) -> Source:
    header = _csv_header(head)
    columns = ", ".join(f"'c{index}': 'varchar'" for index in range(len(header)))
    relation = (
        f"read_csv({literal(source.address)}, auto_detect=false, header=true, delim=',', quote='\"', escape='\"', "
        f"columns={{{columns}}}, compression='{'gzip' if is_gzip else 'none'}')"
    )
    return Source(relation, header, repairs, can_be_mended=not repairs)


def _head(source: Input, *, is_gzip: bool) -> bytes:
    with _reporting_damage(), _opened(source, is_gzip=is_gzip) as file:
        return file.read(_HEAD_BYTES)


@contextmanager
def _reporting_damage() -> Iterator[None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise StagingError("UNREADABLE_FILE", "the gzip file is damaged; send it again") from error


@contextmanager
def _opened(source: Input, *, is_gzip: bool) -> Iterator[IO[bytes]]:
    with source.open() as raw:
        yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if is_gzip else raw


def _needed_repairs(head: bytes) -> list[str]:
    if b"\x00" in head:
        raise StagingError("NUL_BYTES", "the file holds NUL bytes: it is no text file")
    repairs = []
    if head.startswith(b"\xef\xbb\xbf"):
        repairs.append("byte order mark removed")
    if b"\r" in head.replace(b"\r\n", b""):
        repairs.append("line endings mended")
    return repairs


def _mended(desk: Desk, source: Input, encoding: str, *, is_gzip: bool) -> Input:
    try:
        with (
            _reporting_damage(),
            _opened(source, is_gzip=is_gzip) as raw,
            io.TextIOWrapper(raw, encoding=encoding, newline=None) as text,  # every line ending becomes \n
            _text_file(desk, "mended.csv") as out,
        ):
            shutil.copyfileobj(text, out, _CHUNK)
    except UnicodeDecodeError as error:
        if encoding != "cp1252":
            raise
        raise StagingError("UNKNOWN_ENCODING", "the text is neither UTF-8 nor Windows-1252; send UTF-8") from error
    return desk.mended("mended.csv")


def _csv_header(head: bytes) -> tuple[str, ...]:
    first = next(csv.reader(io.StringIO(head.decode("utf-8", errors="ignore"), newline="")), [])
    if not any(name.strip() for name in first):
        raise StagingError("MISSING_HEADER", "the first line names no columns")
    return tuple(name.strip() for name in first)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
