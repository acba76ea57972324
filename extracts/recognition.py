"""Recognising loose files: which contract a file keeps and which months it covers, by its content.

Belongs here: finding kind and period for a person who hands over a folder. Does not belong here: any knowledge of
single file names; only a contract's own patterns are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import duckdb

from extracts.contract import all_contracts
from extracts.delivery import DeliveryError, stated_period
from extracts.names import shown
from extracts.period import Period
from extracts.reader import FileToRead
from extracts.staging_jobs import StagingError

if TYPE_CHECKING:
    from pathlib import Path

    from extracts.contract import Contract
    from extracts.reader import Reader

_ANY_TIME = Period(date(1900, 1, 1), date(2999, 12, 31))


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file, who sends such files, what kind it is and which months it covers."""

    path: Path
    supplier: str
    kind: str
    period: Period


def recognise(path: Path, reader: Reader, scratch: Path) -> Recognised:
    """Find the one contract that a file keeps.

    Args:
        path: the file.
        reader: the process that reads it.
        scratch: a folder for what is staged on the way.

    Raises:
        DeliveryError: no contract or more than one fits, or the months cannot be told.
    """
    found = []
    # A file that many may send does not say who sent it, and a case reference is read with keys only.
    contracts = [contract for contract in all_contracts().values() if len(contract.suppliers) == 1]
    for contract in contracts:
        staged = scratch / f"{contract.kind}.parquet"
        try:
            reader.stage(FileToRead(path, staged, contract, 1, _ANY_TIME, contract.suppliers[0]))
        except StagingError:
            continue
        found.append((contract, staged))
    if len(found) != 1:
        kinds = ", ".join(contract.kind for contract, _ in found) or "no contract"
        raise DeliveryError("NOT_RECOGNISED", f"{shown(path.name)} fits {kinds}; hand it over with: rasso deliver")
    contract, staged = found[0]
    return Recognised(path, contract.suppliers[0], contract.kind, _period(path, contract, staged))


def _period(path: Path, contract: Contract, staged: Path) -> Period:
    stated = stated_period(contract, path.name)
    if stated:
        return stated
    with duckdb.connect() as connection:
        row = connection.execute(
            "select min(period_start), max(period_end) from read_parquet(?)", [str(staged)]
        ).fetchone()
    if not row or row[0] is None or row[0] == _ANY_TIME.start:
        raise DeliveryError(
            "NO_PERIOD", f"{shown(path.name)} does not say which months it covers; use: rasso deliver --period"
        )
    return Period(row[0], row[1])
