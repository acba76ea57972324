"""Jobs of staging: what the reading process is asked to do, and what it answers.

Belongs here: records and codes that both sides of the process know, and how they come back from JSON. Does not belong
here: doing a job (``extracts.staging``), starting the process and waiting for its answer (``extracts.reader``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

# Codes of faults that are ours and not the supplier's: the file is to be read again, once they are mended.
ARCHIVE_DAMAGED = "ARCHIVE_DAMAGED"
MACHINE_FAULT = "MACHINE_FAULT"
OUR_FAULTS = frozenset({ARCHIVE_DAMAGED, MACHINE_FAULT})


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

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The job that ``dataclasses.asdict`` and JSON made this document of."""
        columns = tuple(ColumnPlan(**_with_tuples(column)) for column in document["columns"])
        return cls(**{**_with_tuples(document), "columns": columns})


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

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The answer that ``dataclasses.asdict`` and JSON made this document of."""
        return cls(**_with_tuples(document))


class StagingError(Exception):
    """A file that cannot be staged; ``code`` is stable, the message holds no value of the file."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _with_tuples(document: Mapping[str, Any]) -> dict[str, Any]:
    """A record as JSON gives it back, its lists as the tuples that they were."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in document.items()}
