"""Staging a supplier's file: all text to typed Parquet, on a locked connection, in a process of its own.

Belongs here: what the reading process does (matching headers, casts, tokens, answering jobs). Does not belong here: how
a format is opened (``extracts.formats``), what a job says (``extracts.staging_jobs``), how the process is started and
watched (``extracts.reader``), rules (``expectations``).

Imports little besides DuckDB and the standard library, so that the process starts fast. Nothing that it says holds a
value of the file: codes, column names of the contract and line numbers only.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from extracts.encrypted import EncryptedFileError
from extracts.formats import Desk, mended_source, source_of
from extracts.locked_connection import LockedConnections
from extracts.process_guards import forbid_core_dumps, limit_this_process
from extracts.sql import literal
from extracts.staging_jobs import ARCHIVE_DAMAGED, MACHINE_FAULT, StagedFile, StagingError, StagingJob
from extracts.unpacking import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extracts.formats import Source
    from extracts.staging_jobs import ColumnPlan

_UNFINISHED = "staged.parquet"
_MOST_COLUMNS = 2_000
_NEEDS_MEMORY = "reading the file needs more memory than is allowed; send it in parts"
# DuckDB passes on the system's words, and no number.
_SYSTEM_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
_INTEGER = r"[+-]?\d+(\.0*)?"
# What every row of a staged file has besides the contract's columns; derivations and rules may use it.
_NORMALISED = {"urn": "normalised_urn", "crime": "normalised_crime_reference"}
_CONSTANTS = ("delivery_number", "file_id", "file_period_start", "file_period_end", "supplier_code", "as_of")


class _NeedsMendingError(Exception):
    """The text cannot be read as it is; with mended line endings or another encoding it may."""


def stage(job: StagingJob, connections: LockedConnections) -> StagedFile:
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
        try:
            with _desk(job, folder, connections) as desk:
                return _staged(desk, source_of(desk))
        except _NeedsMendingError:
            # Found by the reading itself: checking every file beforehand would read it twice. On another connection:
            # what DuckDB met may have ended the database of this one.
            with _desk(job, folder, connections) as desk:
                return _staged(desk, mended_source(desk, desk.source))
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


@contextmanager
def _desk(job: StagingJob, folder: Path, connections: LockedConnections) -> Iterator[Desk]:
    with connections.open(job, folder / _UNFINISHED) as connection:
        yield Desk.of(job, folder, connection)


def _staged(desk: Desk, source: Source) -> StagedFile:
    chosen, drifted, undeclared = _match_headers(desk.job, source.header)
    rows, references = _write(desk, source, chosen)
    return StagedFile(rows, undeclared, drifted, source.repairs, references)


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


def _write(desk: Desk, source: Source, chosen: dict[str, int]) -> tuple[int, str | None]:
    """Write the staged file, and the encrypted file of references where there are any; returns rows and the latter."""
    job = desk.job
    has_references = any(column.case_reference for column in job.columns)
    if has_references and not (job.token_key and job.hand_over_key):
        raise StagingError("NO_KEY", "the file holds case references, and there is no key to make tokens of them")
    # It becomes visible under its name only when it is whole.
    unfinished, kept = desk.folder / _UNFINISHED, Path(f"{job.target}.references")
    is_small, connection = desk.connection.is_small, desk.connection.duckdb
    output = desk.connection.staged.path if is_small else str(unfinished)
    options = "(format parquet, compression zstd, use_tmp_file false)"
    typed = _typed_query(job, source, chosen)
    try:
        if has_references and is_small:
            connection.execute(f"create or replace temp table typed as from {typed}")
            typed = "typed"
        query = f"select {_stored_columns(job)} from {typed}"
        row = connection.execute(f"copy ({query}) to {literal(output)} {options}").fetchone()
        if is_small:
            desk.connection.staged.copy_to(unfinished)
        if has_references:
            # Of a large file a second reading: keeping its rows would take memory that grows with them.
            query = _references_query(job, typed)
            connection.execute(f"copy ({query}) to {literal(desk.connection.references.path)} {options}")
            desk.connection.references.save(kept, bytes.fromhex(job.hand_over_key))
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


def _references_query(job: StagingJob, typed: str) -> str:
    """Every case reference that has a token, with it, as the vault keeps it: nothing can ask for one without."""
    parts = []
    for column in _references(job):
        # Of a URN its first two characters, which a token follows from: the vault finds by scope what it knows.
        scope = column.reference_scope or f"left({_normalised(column)}, 2)"
        parts.append(
            f"select '{column.case_reference}' as entity, {column.stored_as} as token,"
            f" {scope} as scope, {_normalised(column)} as original from row"
        )
    return f"with row as (from {typed}) select * from ({' union all '.join(parts)}) where token is not null"


def _references(job: StagingJob) -> list[ColumnPlan]:
    return [column for column in job.columns if column.case_reference]


def _token(column: ColumnPlan) -> str:
    if column.case_reference == "urn":
        return f"token_of_normalised_urn({_normalised(column)})"
    return f"token_of_normalised_crime({column.reference_scope}, {_normalised(column)})"


def _normalised(column: ColumnPlan) -> str:
    """Name of a column of the query that no contract's column can have, as the next one."""
    return f'"{column.name} normalised"'


def _parsed(column: ColumnPlan) -> str:
    return f'"{column.name} parsed"'


def _stored_columns(job: StagingJob) -> str:
    return ", ".join([*_CONSTANTS, "unparsed_columns", *(column.stored_as for column in job.columns)])


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


def _typed_query(job: StagingJob, source: Source, chosen: dict[str, int]) -> str:
    """The file's rows with everything that is stored or kept of them, and the references, which are not stored.

    Each step names what the next one needs more than once: DuckDB writes a macro and an alias out wherever they are
    used, and without its optimizer computes them as often. Not in a "with": what stands there is kept in memory.
    """
    sent = [column for column in job.columns if column.derivation is None]
    parsed = [column for column in sent if column.sql_type != "varchar" or column.allowed]
    failures = [
        f"case when {column.name} is not null and {_is_bad(column)} then '{column.name}' end" for column in parsed
    ]
    steps = [
        [f"{_trimmed(chosen.get(column.name))} as {column.name}" for column in sent],
        [f"{_text(column)} as {column.name}" for column in sent],
        ["*", *(f"{_value(column)} as {_parsed(column)}" for column in parsed)],
        [
            f"{job.delivery_number}::integer as delivery_number",
            f"{job.file_id}::integer as file_id",
            f"date '{job.period_start}' as file_period_start",
            f"date '{job.period_end}' as file_period_end",
            f"{literal(job.supplier_code)} as supplier_code",
            f"date '{job.as_of}' as as_of",
            (f"nullif(concat_ws('|', {', '.join(failures)}), '')" if failures else "null::varchar")
            + " as unparsed_columns",
            *(f"{_parsed(column)} as {column.name}" if column in parsed else column.name for column in sent),
        ],
        ["*", *(f"{column.derivation} as {column.name}" for column in job.columns if column.derivation is not None)],
        [
            "*",
            *(
                f"{_NORMALISED[str(column.case_reference)]}({column.name}) as {_normalised(column)}"
                for column in _references(job)
            ),
        ],
        ["*", *(f"{_token(column)} as {column.stored_as}" for column in _references(job))],
    ]
    query = source.relation
    for columns in steps:
        query = f"(select {', '.join(columns)} from {query})"
    return query


def _trimmed(index: int | None) -> str:
    if index is None:
        return "null::varchar"
    # A plain trim of every value took half of the time of reading a large file; few values need one.
    return f"case when c{index} like ' %' or c{index} like '% ' then trim(c{index}) else c{index} end"


def _text(column: ColumnPlan) -> str:
    """A column's trimmed text: null where it is empty or a marker for null, zero where a marker stands for nil."""
    nulls = [f"when {literal(marker)} then null" for marker in ("", *column.null_markers)]
    nils = [f"when {literal(marker)} then '0'" for marker in column.nil_markers]
    text = f"case {column.name} {' '.join([*nulls, *nils])} else {column.name} end"
    if column.is_upper_case:
        text = f"upper({text})"
    if column.thousands_separator:
        text = f"replace({text}, {literal(column.thousands_separator)}, '')"
    if column.has_percent_sign:
        text = f"trim(rtrim({text}, '%'))"
    return text


def _value(column: ColumnPlan) -> str:
    """The value of a text that is to be a number, a date or one of the allowed codes; null where it is none."""
    if column.allowed:
        codes = ", ".join(literal(code) for code in column.allowed)
        # Not "in (…)": a long list becomes a join, which loses the order of the rows.
        if column.separator:
            parts = f"string_split({column.name}, {literal(column.separator)})"
            return f"case when list_has_all([{codes}], {parts}) then {column.name} end"
        return f"try_cast({column.name} as enum ({codes}))::varchar"
    if column.sql_type == "bigint":
        # A plain cast would round 1.5 to 2.
        return f"case when regexp_full_match({column.name}, '{_INTEGER}') then try_cast({column.name} as bigint) end"
    return f"try_cast({column.name} as {column.sql_type})"


def _is_bad(column: ColumnPlan) -> str:
    value = _parsed(column)
    return f"{value} is null" if column.sql_type != "double" else f"coalesce(not isfinite({value}), true)"


def place_keys(aliases: Mapping[str, str]) -> dict[str, str]:
    """The aliases as spelled, and once more without case, punctuation and spaces, as ``place_code`` looks them up."""
    plain = {re.sub(r"[^a-z]", "", name.lower().replace("&", "and")): code for name, code in aliases.items()}
    return {**plain, **aliases}


def normalised_header(header: str) -> str:
    """A header without case, punctuation and surrounding space: ``Financial Year`` is ``financial_year``."""
    return re.sub(r"[^a-z0-9]+", "_", header.casefold()).strip("_")


def main(starter: int, largest_file: int) -> None:
    """Stage one job per line of standard input; answer each with one line of JSON.

    Args:
        starter: id of the process that started this one, which ends with it.
        largest_file: bytes of the largest file that reading may write.
    """
    forbid_core_dumps()
    limit_this_process(starter, largest_file)
    duckdb.connect().close()  # the first connection of a process is slow; nobody waits for this one
    connections = LockedConnections()
    for line in sys.stdin:
        try:
            staged = stage(StagingJob.from_document(json.loads(line)), connections)
            answer: dict[str, Any] = {"staged": asdict(staged)}
        except StagingError as error:
            answer = {"code": error.code, "message": str(error)}
        except Exception as error:  # noqa: BLE001 - unknown is an error: say its kind, never its text
            answer = {"code": "UNREADABLE_FILE", "message": f"the file cannot be read ({type(error).__name__})"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
