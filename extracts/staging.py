"""Reading a supplier's file: all text to typed Parquet, on a locked connection, in a process of its own.

Belongs here: what happens inside the reading process (formats, encodings, headers, casts). Does not belong here: how
that process is started and watched (``extracts.reader``), rules (``expectations``).

Imports little besides DuckDB and the standard library, so that the process starts fast. Nothing that it says holds a
value of the file: codes, column names of the contract and line numbers only.
"""

from __future__ import annotations

import csv
import ctypes
import errno
import gzip
import io
import json
import os
import re
import resource
import shutil
import signal
import sys
import zlib
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, cast

import duckdb

from extracts.core_dumps import forbid_core_dumps
from extracts.encrypted import EncryptedFileError, EncryptedFileSystem, MemoryFile, Scratch
from extracts.tokens import MACROS, token_macros
from extracts.unpacking import TooLargeError, check_gzip, check_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

# Codes of faults that are ours and not the supplier's: the file is to be read again, once they are mended.
ARCHIVE_DAMAGED = "ARCHIVE_DAMAGED"
MACHINE_FAULT = "MACHINE_FAULT"
OUR_FAULTS = frozenset({ARCHIVE_DAMAGED, MACHINE_FAULT})

_ADDRESS_SPACE = 4 << 30  # bytes; of a reader at work about one
_MOST_COLUMNS = 2_000
_MOST_ROWS = 100_000_000  # of a Parquet file, which can repeat one row as often as it likes
_PR_SET_PDEATHSIG = 1
_HEAD_BYTES = 1 << 20
_CHUNK = 1 << 20
_SMALL = 8 << 20  # bytes of a file that is read once by one thread and kept in memory, rather than read twice
_GZIP = b"\x1f\x8b"
_WORKBOOK = 1 << 30  # bytes of a workbook when it is unpacked: its texts are kept in memory
_NEEDS_MEMORY = "reading the file needs more memory than is allowed; send it in parts"
# DuckDB passes on the system's words, and no number.
_SYSTEM_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
_INTEGER = r"[+-]?\d+(\.0*)?"
# What every row of a staged file has besides the contract's columns; derivations and rules may use it.
_NORMALISED = {"urn": "normalised_urn", "crime": "normalised_crime_reference"}
_CONSTANTS = ("delivery_number", "file_id", "file_period_start", "file_period_end", "supplier_code", "as_of")


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """How one column is read; see ``extracts.contract.Column``."""

    name: str
    sql_type: str
    is_required: bool
    headers: tuple[str, ...]
    derivation: str | None
    allowed: tuple[str, ...]
    null_markers: tuple[str, ...]
    nil_markers: tuple[str, ...]
    thousands_separator: str
    has_percent_sign: bool
    is_upper_case: bool
    separator: str
    case_reference: str | None
    reference_scope: str | None

    @property
    def stored_as(self) -> str:
        """Name of the column in the staged file; see ``extracts.contract.Column``."""
        return f"{self.name}_token" if self.case_reference else self.name


@dataclass(frozen=True, slots=True)
class StagingJob:
    """One file to stage. ``period_start``, ``period_end`` (the manifest's) and ``as_of`` are ISO dates.

    Keys are hexadecimal text, which reaches the process through its standard input only. ``source_key`` opens this
    one file of the archive; empty for a plain file. ``token_key`` makes tokens of case references, and
    ``hand_over_key`` encrypts the references on their way to the vault; without them no file that has any is staged.
    """

    source: str
    target: str
    delivery_number: int
    file_id: int
    period_start: str
    period_end: str
    as_of: str
    supplier_code: str
    own_force_codes: tuple[str, ...]
    columns: tuple[ColumnPlan, ...]
    ignored_headers: tuple[str, ...]
    places: Mapping[str, str]
    source_key: str = field(repr=False)
    token_key: str = field(repr=False)
    hand_over_key: str = field(repr=False)
    memory_limit: str
    unpacked_limit: int
    threads: int


@dataclass(frozen=True, slots=True)
class StagedFile:
    """What was staged: rows, columns that were not read, headers that other releases used, repairs made.

    ``references`` is the encrypted Parquet file of the case references that became tokens; None where there are none.
    """

    row_count: int
    undeclared_columns: tuple[str, ...]
    drifted_columns: tuple[str, ...]
    repairs: tuple[str, ...]
    references: str | None = None


class StagingError(Exception):
    """A file that cannot be staged; ``code`` is stable, the message holds no value of the file."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _NeedsMendingError(Exception):
    """The text cannot be read as it is; with mended line endings or another encoding it may."""


@dataclass(frozen=True, slots=True)
class _Input:
    """A file's bytes, whether they lie plain or encrypted on disk: for Python as a stream, for DuckDB by address."""

    address: str
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True, slots=True)
class _Source:
    """A file in a form that DuckDB reads: the relation's SQL, its header, and what had to be repaired."""

    relation: str
    header: tuple[str, ...]
    address: str
    repairs: tuple[str, ...]
    can_be_mended: bool = False


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where one job is done: the files that may be read, an encrypted scratch for what is mended, a folder for both."""

    job: StagingJob
    folder: Path
    files: EncryptedFileSystem
    scratch: Scratch
    source: _Input

    @classmethod
    def of(cls, job: StagingJob, folder: Path) -> Self:
        files = EncryptedFileSystem()
        path = Path(job.source)
        if not job.source_key:
            source = _Input(str(path), lambda: path.open("rb"))
        else:
            address = files.grant(path, bytes.fromhex(job.source_key))
            source = _Input(address, lambda: cast("IO[bytes]", files.stream(address)))
        return cls(job, folder, files, Scratch(folder, files), source)

    @property
    def is_small(self) -> bool:
        """Whether the file is read fast whatever is done, so that preparing for it is what counts."""
        return Path(self.job.source).stat().st_size <= _SMALL

    def mended(self, name: str) -> _Input:
        """A file of the scratch."""
        address = self.scratch.address(name)
        return _Input(address, lambda: cast("IO[bytes]", self.files.stream(address)))


def stage(job: StagingJob) -> StagedFile:
    """Read one file into typed Parquet, row by row in its order: the contract's columns and ``unparsed_columns``.

    A row's number is its place in the Parquet file; numbering the rows here would make reading single-threaded.
    ``unparsed_columns`` names, separated by ``|``, the columns whose text did not parse; their value is null. Besides,
    every row has ``delivery_number``, ``file_id``, ``file_period_start``, ``file_period_end``, ``supplier_code`` and
    ``as_of``. Case references are stored as tokens; the references themselves go, encrypted, to a file of their own.

    Raises:
        StagingError: the file is no table of the contract.
    """
    folder = Path(job.target + ".tmp")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        desk = _Desk.of(job, folder)
        try:
            return _staged(desk, _source(desk))
        except _NeedsMendingError:
            # Found by the reading itself: checking every file beforehand would read it twice.
            return _staged(desk, _mended_source(desk, desk.source))
    except EncryptedFileError as error:
        raise StagingError(ARCHIVE_DAMAGED, f"the archived file cannot be read: {error}") from error
    except TooLargeError as error:
        raise StagingError("TOO_LARGE", f"{error}; send it in parts") from error
    except MemoryError as error:
        raise StagingError("TOO_LARGE", _NEEDS_MEMORY) from error
    except OSError as error:
        raise _of_this_machine(error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _staged(desk: _Desk, source: _Source) -> StagedFile:
    chosen, drifted, undeclared = _match_headers(desk.job, source.header)
    rows, references = _write(desk, source, chosen)
    return StagedFile(rows, undeclared, drifted, source.repairs, references)


def _source(desk: _Desk) -> _Source:
    with desk.source.open() as file:
        magic = file.read(4)
    if magic == b"PAR1":
        return _parquet_source(desk)
    if magic == b"PK\x03\x04":
        return _xlsx_source(desk)
    return _csv_source(desk, desk.source, is_gzip=magic[:2] == _GZIP)


def _parquet_source(desk: _Desk) -> _Source:
    literal = _literal(desk.source.address)
    try:
        with _locked(desk, [desk.source.address]) as connection:
            described = connection.execute(f"describe select * from read_parquet({literal})").fetchall()
            ((rows,),) = connection.execute(f"select num_rows from parquet_file_metadata({literal})").fetchall()
    except duckdb.Error as error:
        if desk.files.fault:  # the archive is at fault and not the supplier
            raise desk.files.fault from error
        raise StagingError("UNREADABLE_FILE", "the Parquet file cannot be read; send it again") from error
    if rows > _MOST_ROWS:
        raise StagingError("TOO_LARGE", f"the file says that it has more than {_MOST_ROWS:,} rows; send it in parts")
    names = tuple(row[0] for row in described)
    columns = ", ".join(f"cast({_identifier(name)} as varchar) as c{index}" for index, name in enumerate(names))
    relation = f"(select {columns} from read_parquet({literal}))"
    return _Source(relation, names, desk.source.address, ())


def _xlsx_source(desk: _Desk) -> _Source:
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
    return _Source(source.relation, source.header, source.address, ("read from the first sheet",))


@contextmanager
def _text_file(desk: _Desk, name: str) -> Iterator[IO[str]]:
    """A text file of the scratch: what a supplier sent is never written to disk as it reads."""
    with (
        desk.scratch.writing(name) as raw,
        io.TextIOWrapper(io.BufferedWriter(raw, _CHUNK), "utf-8", newline="") as out,
    ):
        yield out


def _csv_source(desk: _Desk, source: _Input, *, is_gzip: bool) -> _Source:
    head = _head(source, is_gzip=is_gzip)
    if is_gzip:
        with _reporting_damage(), source.open() as file:
            check_gzip(file, desk.job.unpacked_limit)
    if not head.strip():
        raise StagingError("EMPTY_FILE", "the file is empty")
    if _needed_repairs(head):
        return _mended_source(desk, source)
    return _text_source(source, is_gzip, head)


def _mended_source(desk: _Desk, source: _Input) -> _Source:
    """The file with mended line endings, as UTF-8; else as Windows-1252, which publishers' spreadsheets write."""
    with source.open() as file:
        is_gzip = file.read(2) == _GZIP
    repairs = _needed_repairs(_head(source, is_gzip=is_gzip)) or ["line endings mended"]
    try:
        mended = _mended(desk, source, "utf-8-sig", is_gzip=is_gzip)
    except UnicodeDecodeError:
        repairs = [repair for repair in repairs if "ending" not in repair] + ["converted from Windows-1252"]
        mended = _mended(desk, source, "cp1252", is_gzip=is_gzip)
    return _text_source(mended, False, _head(mended, is_gzip=False), tuple(repairs))


def _text_source(source: _Input, is_gzip: bool, head: bytes, repairs: tuple[str, ...] = ()) -> _Source:
    header = _csv_header(head)
    columns = ", ".join(f"'c{index}': 'varchar'" for index in range(len(header)))
    relation = (
        f"read_csv({_literal(source.address)}, auto_detect=false, header=true, delim=',', quote='\"', escape='\"', "
        f"columns={{{columns}}}, compression='{'gzip' if is_gzip else 'none'}')"
    )
    return _Source(relation, header, source.address, repairs, can_be_mended=not repairs)


def _head(source: _Input, *, is_gzip: bool) -> bytes:
    with _reporting_damage(), _opened(source, is_gzip=is_gzip) as file:
        return file.read(_HEAD_BYTES)


@contextmanager
def _reporting_damage() -> Iterator[None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise StagingError("UNREADABLE_FILE", "the gzip file is damaged; send it again") from error


@contextmanager
def _opened(source: _Input, *, is_gzip: bool) -> Iterator[IO[bytes]]:
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


def _mended(desk: _Desk, source: _Input, encoding: str, *, is_gzip: bool) -> _Input:
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


def _match_headers(job: StagingJob, header: tuple[str, ...]) -> tuple[dict[str, int], tuple[str, ...], tuple[str, ...]]:
    """Position of each contract column, columns found under another release's header, and what is not declared."""
    if len(header) > _MOST_COLUMNS:
        raise StagingError("TOO_MANY_COLUMNS", f"the file has more than {_MOST_COLUMNS:,} columns")
    positions: dict[str, int] = {}
    for index, name in enumerate(header):
        if normalised_header(name) in positions:
            raise StagingError(
                "DUPLICATE_HEADER",
                f"two columns have the same header (columns {positions[normalised_header(name)] + 1} and {index + 1})",
            )
        positions[normalised_header(name)] = index
    chosen: dict[str, int] = {}
    drifted = []
    for column in job.columns:
        found = [alias for alias in column.headers if normalised_header(alias) in positions]
        if len(found) > 1:
            raise StagingError("AMBIGUOUS_HEADER", f"two columns of the file stand for {column.name}")
        if found:
            chosen[column.name] = positions[normalised_header(found[0])]
            if found[0] != column.headers[0]:
                drifted.append(column.name)
        elif column.is_required:
            wanted = column.headers[0] or "(an empty header)"
            raise StagingError("MISSING_COLUMN", f"the column {wanted} is missing")
    ignored = [re.compile(pattern) for pattern in job.ignored_headers]
    undeclared = [
        index + 1
        for index, name in enumerate(header)
        if index not in chosen.values() and not any(pattern.fullmatch(name) for pattern in ignored)
    ]
    # By position and not by name: a header that no contract knows may hold anything.
    return chosen, tuple(drifted), tuple(f"column {position}" for position in undeclared)


def _write(desk: _Desk, source: _Source, chosen: dict[str, int]) -> tuple[int, str | None]:
    """Write the staged file, and the encrypted file of references where there are any; returns rows and the latter."""
    job = desk.job
    has_references = any(column.case_reference for column in job.columns)
    if has_references and not (job.token_key and job.hand_over_key):
        raise StagingError("NO_KEY", "the file holds case references, and there is no key to make tokens of them")
    # A file on disk, not a plain COPY: it becomes visible under its name only when it is whole.
    unfinished, kept = desk.folder / "staged.parquet", Path(f"{job.target}.references")
    typed = _typed_query(job, source, chosen)
    try:
        with (
            MemoryFile() as references,
            _locked(desk, [source.address, str(unfinished), references.path]) as connection,
        ):
            _prepare(connection, job, is_small=desk.is_small)
            if has_references and desk.is_small:
                connection.execute(f"create temp table typed as {typed}")
                typed = "select * from typed"
            query = f"select {_stored_columns(job)} from ({typed})"
            copied = f"copy ({query}) to {_literal(str(unfinished))} (format parquet, compression zstd)"
            row = connection.execute(copied).fetchone()
            if has_references:
                # Of a large file a second reading: keeping its rows would take memory that grows with them.
                query = _references_query(job, typed)
                options = "(format parquet, compression zstd, use_tmp_file false)"
                connection.execute(f"copy ({query}) to {_literal(references.path)} {options}")
                references.save(kept, bytes.fromhex(job.hand_over_key))
    except duckdb.Error as error:
        if desk.files.fault:
            raise desk.files.fault from error
        if source.can_be_mended:
            raise _NeedsMendingError from error
        raise _unreadable(error) from error
    rows = int(row[0]) if row else 0
    if rows == 0:
        raise StagingError("EMPTY_FILE", "the file has a header and no rows")
    unfinished.replace(job.target)
    return rows, str(kept) if has_references else None


def _prepare(connection: duckdb.DuckDBPyConnection, job: StagingJob, *, is_small: bool) -> None:
    """Functions that a contract's derivations may use, then the lock."""
    if any("place_code(" in (column.derivation or "") for column in job.columns):
        connection.execute(f"set variable places = map({_list(job.places)}, {_list(job.places.values())})")
        connection.execute(_PLACE_CODE)
    if is_small:
        # A projection of some forty columns: to optimise it takes longer than to read a few hundred rows.
        connection.execute("pragma disable_optimizer")
    connection.execute(f"create macro own_force(code) as list_contains({_list(job.own_force_codes)}::varchar[], code)")
    connection.execute(token_macros(bytes.fromhex(job.token_key)) if job.token_key else MACROS)
    connection.execute("set lock_configuration = true")


def _references_query(job: StagingJob, typed: str) -> str:
    """Every case reference that has a token, with it, as the vault keeps it: nothing can ask for one without."""
    parts = []
    for column in (column for column in job.columns if column.case_reference):
        normalised = f"{_NORMALISED[str(column.case_reference)]}({column.name})"
        # Of a URN its first two characters, which a token follows from: the vault finds by scope what it knows.
        scope = column.reference_scope or f"left({normalised}, 2)"
        parts.append(
            f"select '{column.case_reference}' as entity, {_token(column)} as token,"
            f" {scope} as scope, {normalised} as original from row"
        )
    return f"with row as ({typed}) select * from ({' union all '.join(parts)}) where token is not null"


def _token(column: ColumnPlan) -> str:
    if column.case_reference == "urn":
        return f"token_of_urn({column.name})"
    return f"token_of_crime({column.reference_scope}, {column.name})"


def _stored_columns(job: StagingJob) -> str:
    columns = [
        f"{_token(column)} as {column.stored_as}" if column.case_reference else column.name for column in job.columns
    ]
    return ", ".join([*_CONSTANTS, "unparsed_columns", *columns])


def _of_this_machine(error: OSError) -> StagingError:
    """What the system refused while our own files were written: of too large a file the supplier is told."""
    if error.errno == errno.EFBIG:
        return StagingError("TOO_LARGE", "reading the file writes more than is allowed; send it in parts")
    return StagingError(MACHINE_FAULT, f"this machine refused to read or write ({error.strerror or 'no reason given'})")


def _unreadable(error: duckdb.Error) -> StagingError:
    """DuckDB's message quotes the line that it could not read; only the line's number is passed on."""
    for number in _SYSTEM_REFUSALS:  # an error of another kind may quote the file, which may hold these words
        if isinstance(error, duckdb.IOException) and os.strerror(number) in str(error):
            return _of_this_machine(OSError(number, os.strerror(number)))
    line = re.search(r"Line:\s*(\d+)", str(error))
    if isinstance(error, duckdb.OutOfMemoryException):
        return StagingError("TOO_LARGE", _NEEDS_MEMORY)
    where = f" at line {line[1]}" if line else ""
    return StagingError("UNREADABLE_FILE", f"the file cannot be read as a table{where}; send it again")


def _typed_query(job: StagingJob, source: _Source, chosen: dict[str, int]) -> str:
    texts, values, failures = [], [], []
    for column in (column for column in job.columns if column.derivation is None):
        index = chosen.get(column.name)
        texts.append(f"{_text(column, index)} as {column.name}")
        value = _value(column)
        values.append(f"{value} as {column.name}")
        if column.sql_type != "varchar" or column.allowed:
            failures.append(
                f"case when {column.name} is not null and {_is_bad(column, value)} then '{column.name}' end"
            )
    derived = [f"{column.derivation} as {column.name}" for column in job.columns if column.derivation is not None]
    unparsed = f"nullif(concat_ws('|', {', '.join(failures)}), '')" if failures else "null::varchar"
    return f"""
        with
        texts as (
            select
                {job.delivery_number}::integer as delivery_number,
                {job.file_id}::integer as file_id,
                date '{job.period_start}' as file_period_start,
                date '{job.period_end}' as file_period_end,
                {_literal(job.supplier_code)} as supplier_code,
                date '{job.as_of}' as as_of,
                {", ".join(texts)}
            from {source.relation}
        ),
        typed as (
            select
                {", ".join(_CONSTANTS)},
                {unparsed} as unparsed_columns,
                {", ".join(values)}
            from texts
        )
        select *, {", ".join(derived) or "null as none_derived"} from typed
    """


def _text(column: ColumnPlan, index: int | None) -> str:
    """A column's text: trimmed, null where it is empty or a marker for null, zero where a marker stands for nil."""
    if index is None:
        return "null::varchar"
    # A plain trim of every value took half of the time of reading a large file; few values need one.
    trimmed = f"case when c{index} like ' %' or c{index} like '% ' then trim(c{index}) else c{index} end"
    text = f"nullif({trimmed}, '')"
    for marker in column.null_markers:
        text = f"nullif({text}, {_literal(marker)})"
    for marker in column.nil_markers:
        text = f"case when {text} = {_literal(marker)} then '0' else {text} end"
    if column.is_upper_case:
        text = f"upper({text})"
    if column.thousands_separator:
        text = f"replace({text}, {_literal(column.thousands_separator)}, '')"
    if column.has_percent_sign:
        text = f"trim(rtrim({text}, '%'))"
    return text


def _value(column: ColumnPlan) -> str:
    if column.allowed:
        codes = ", ".join(_literal(code) for code in column.allowed)
        # Not "in (…)": a long list becomes a join, which loses the order of the rows.
        if column.separator:
            parts = f"string_split({column.name}, {_literal(column.separator)})"
            return f"case when list_has_all([{codes}], {parts}) then {column.name} end"
        return f"try_cast({column.name} as enum ({codes}))::varchar"
    if column.sql_type == "varchar":
        return column.name
    if column.sql_type == "bigint":
        # A plain cast would round 1.5 to 2.
        return f"case when regexp_full_match({column.name}, '{_INTEGER}') then try_cast({column.name} as bigint) end"
    return f"try_cast({column.name} as {column.sql_type})"


def _is_bad(column: ColumnPlan, value: str) -> str:
    return f"({value}) is null" if column.sql_type != "double" else f"coalesce(not isfinite({value}), true)"


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


def place_keys(aliases: Mapping[str, str]) -> dict[str, str]:
    """The aliases as spelled, and once more without case, punctuation and spaces, as ``place_code`` looks them up."""
    plain = {re.sub(r"[^a-z]", "", name.lower().replace("&", "and")): code for name, code in aliases.items()}
    return {**plain, **aliases}


def _locked(desk: _Desk, addresses: list[str]) -> duckdb.DuckDBPyConnection:
    """A connection that can touch nothing but the given addresses and downloads nothing."""
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "memory_limit": desk.job.memory_limit,
            "threads": 1 if desk.is_small else desk.job.threads,  # several files are read at a time
            "preserve_insertion_order": True,
            "temp_directory": "",  # what does not fit into memory would be written as it reads
        }
    )
    connection.register_filesystem(desk.files)
    # Written out and not bound: to bind a list, DuckDB imports pandas, which takes longer than most files.
    connection.execute(f"set allowed_paths = {_list(addresses)}")
    connection.execute(f"set allowed_directories = {_list([str(desk.folder)])}")
    connection.execute("set enable_external_access = false")
    return connection


def normalised_header(header: str) -> str:
    """A header without case, punctuation and surrounding space: ``Financial Year`` is ``financial_year``."""
    return re.sub(r"[^a-z0-9]+", "_", header.casefold()).strip("_")


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_literal, texts))}]"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _job(document: dict[str, Any]) -> StagingJob:
    columns = tuple(ColumnPlan(**with_tuples(column)) for column in document.pop("columns"))
    return StagingJob(columns=columns, **with_tuples(document))


def with_tuples(document: Mapping[str, Any]) -> dict[str, Any]:
    """A record as JSON gives it back, its lists as the tuples that they were."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in document.items()}


def _limit_this_process(starter: int, largest_file: int) -> None:
    """Have the system refuse what no limit of DuckDB or of ours foresees, and end this process with its starter.

    Who takes up the work of a starter that was killed writes to the same places.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != starter:  # it was killed before it was watched
        sys.exit(os.EX_TEMPFAIL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))


def main(starter: int, largest_file: int) -> None:
    """Stage one job per line of standard input; answer each with one line of JSON.

    Args:
        starter: id of the process that started this one, which ends with it.
        largest_file: bytes of the largest file that reading may write.
    """
    forbid_core_dumps()
    _limit_this_process(starter, largest_file)
    duckdb.connect().close()  # the first connection of a process is slow; nobody waits for this one
    for line in sys.stdin:
        try:
            answer: dict[str, Any] = {"staged": asdict(stage(_job(json.loads(line))))}
        except StagingError as error:
            answer = {"code": error.code, "message": str(error)}
        except Exception as error:  # noqa: BLE001 - unknown is an error: say its kind, never its text
            answer = {"code": "UNREADABLE_FILE", "message": f"the file cannot be read ({type(error).__name__})"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
