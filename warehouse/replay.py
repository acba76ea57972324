"""Replay: a home made anew from the archive and the keys alone, and whether it equals the live one.

Belongs here: receiving once more what the journal lists, and comparing two lakes row by row. Does not belong here:
receiving itself (``warehouse.intake``), and whether one home agrees with itself (``warehouse.verification``).

What the journal lists is received in its order, together where it was received together, on the day of then and with
people's decisions, by the code and the contracts of now. Everything is compared but clock times, the code's version and
the log of who opened the vault.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Self

from extracts.contract import all_contracts
from warehouse import decisions, journal
from warehouse.archive import ArchiveError
from warehouse.arrival import FromArchive
from warehouse.intake import receive_arrivals
from warehouse.keys import read_keys
from warehouse.lake import ALIAS, LakeError, attach_beside, reading
from warehouse.linkage import link
from warehouse.linkage.scope import is_linked_delivery_changed
from warehouse.schema import LEDGER, LINKAGE, columns_of, extract_columns, prepare_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    import duckdb

    from rasso.settings import Settings
    from warehouse.arrival import Arrival
    from warehouse.journal import HandOver
    from warehouse.record import ReceiptOutcome

_REBUILT = "rebuilt"
# Of claims, builds, publications and openings of the vault the archive knows nothing, nor of how often was linked.
_LEDGER = (
    *("delivery", "delivery_file", "decision", "reprocessing", "waiver"),
    *("stage_outcome", "quarantined_row", "rule_result"),
)
_LINKS = ("crime_case_link", "unlinked_referral")
_NOT_COMPARED = {"received_at", "finished_at", "started_at", "ended_at", "decided_at", "code_version", "run_id"}


class ReplayError(ValueError):
    """A replay that cannot begin; nothing was changed, and the message says what to do."""


@dataclass(frozen=True, slots=True)
class TableComparison:
    """One table in both lakes: rows of the live one, and how many rows only one of them has."""

    table: str
    rows: int
    only_live: int
    only_rebuilt: int

    @property
    def is_equal(self) -> bool:
        """Whether both have the same rows, each as often."""
        return not self.only_live and not self.only_rebuilt


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a replay.

    ``tables`` is empty where there is no live lake to compare with. ``is_linked_alike`` is False where the live lake
    holds deliveries that are not linked yet; links are not compared then. ``other_code`` counts the live deliveries
    that other versions of the code received.
    """

    receipts: int
    tables: tuple[TableComparison, ...]
    is_linked_alike: bool
    other_code: int

    @property
    def is_equal(self) -> bool:
        """Whether every table that was compared is equal."""
        return all(table.is_equal for table in self.tables)


def replay(
    settings: Settings, into: Path, on_receipt: Callable[[int, int, ReceiptOutcome], None] | None = None
) -> Replay:
    """Make a home in a new folder from this home's archive and keys, and compare it with this home.

    The new home is whole: it has the archive (linked where both are on one disk, else copied) and the journal, and can
    take the place of one that was lost. The live home is not changed.

    Args:
        settings: of the live home; its lake may be lost.
        into: folder that is made; must be missing or empty.
        on_receipt: called after each receipt with how many are done, of how many, and its outcome.

    Raises:
        ReplayError: the folder is in use, or there is nothing to replay.
        ArchiveError: the journal or an archived file is damaged.
        KeysError: there is no key, or it is another one.
        IntakeError: something could not be received through a fault of ours.
    """
    keys = read_keys(settings)
    entries, unreadable = journal.entries(settings, keys)
    if unreadable:
        raise ArchiveError(f"the journal has {len(unreadable)} entries that cannot be read; rasso verify names them")
    receipts = [entry for entry in entries if isinstance(entry, journal.HandOver)]
    if not receipts:
        raise ReplayError(f"the journal in {settings.archive} lists nothing that was received")
    rebuilt = _new_home(settings, into)
    decisions.take_up(rebuilt)
    made = _Made.of(entries)
    done = 0

    def show(outcome: ReceiptOutcome) -> None:
        nonlocal done
        done += 1
        if on_receipt:
            on_receipt(done, len(receipts), outcome)

    for day, groups in _by_day(receipts):
        arrivals = [[made.arrival(entry) for entry in group] for group in groups]
        _receive(rebuilt.model_copy(update={"as_of": day}), arrivals, show)
    link(rebuilt, read_keys(rebuilt))
    if not _has_lake(settings):
        return Replay(len(receipts), (), is_linked_alike=True, other_code=0)
    prepare_home(settings)  # a contract may have a new column
    return compare(settings, rebuilt, len(receipts))


@dataclass(frozen=True, slots=True)
class _Made:
    """What people decided, by what receipts name it by."""

    decisions: dict[str, journal.Decision]
    requests: dict[str, journal.Reprocessing]
    waivers: dict[str, journal.Waiver]

    @classmethod
    def of(cls, entries: Sequence[journal.Entry]) -> Self:
        """Sort the journal's entries."""
        return cls(
            {entry.hand_over_id: entry for entry in entries if isinstance(entry, journal.Decision)},
            {entry.receipt_id: entry for entry in entries if isinstance(entry, journal.Reprocessing)},
            {entry.waiver_id: entry for entry in entries if isinstance(entry, journal.Waiver)},
        )

    def arrival(self, entry: HandOver) -> FromArchive:
        """A receipt once more."""
        return FromArchive.replayed(
            entry,
            self.decisions[entry.release_of] if entry.release_of else None,
            self.requests.get(entry.hand_over_id),
            [decisions.waiver_row(self.waivers[waiver_id]) for waiver_id in entry.waivers],
        )


def _new_home(settings: Settings, into: Path) -> Settings:
    # Never the live catalogue, and the key where it lies.
    rebuilt = settings.model_copy(update={"home": into, "catalog": "", "key_file": settings.key_file})
    if rebuilt.root.exists() and any(rebuilt.root.iterdir()):
        raise ReplayError(f"the folder {into} is not empty; name a new one")
    if rebuilt.root.is_relative_to(settings.root):
        raise ReplayError(f"the folder {into} lies in the home that is replayed; name one beside it")
    rebuilt.prepare()
    shutil.copytree(settings.archive, rebuilt.archive, copy_function=_link_or_copy, dirs_exist_ok=True)
    prepare_home(rebuilt)
    return rebuilt


def _link_or_copy(source: str, target: str) -> None:
    """Archived files are replaced and never written in place, so that two homes may share one."""
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)


def _by_day(receipts: Sequence[HandOver]) -> Iterator[tuple[date, list[list[HandOver]]]]:
    """The receipts in their order, those that were received together together, by the day on which they were judged."""
    ordered = sorted(receipts, key=lambda entry: (entry.concluded_at, entry.supplier, entry.delivery_name))
    groups = [list(group) for _, group in groupby(ordered, key=lambda entry: (entry.concluded_at, entry.as_of))]
    for day, of_day in groupby(groups, key=lambda group: group[0].as_of):
        yield day, list(of_day)


def _receive(
    settings: Settings, groups: Sequence[Sequence[FromArchive]], on_outcome: Callable[[ReceiptOutcome], None]
) -> None:
    place = {arrival.hand_over_id: number for number, group in enumerate(groups) for arrival in group}

    def as_then(_: Settings, held: Sequence[Arrival]) -> list[list[Arrival]]:
        ordered = sorted(held, key=lambda arrival: place[arrival.hand_over_id])
        return [list(group) for _, group in groupby(ordered, key=lambda arrival: place[arrival.hand_over_id])]

    receive_arrivals(settings, [arrival for group in groups for arrival in group], on_outcome, together=as_then)


def compare(settings: Settings, other: Settings, receipts: int) -> Replay:
    """Compare the lakes of two homes; that of the second has its catalogue in SQLite."""
    with reading(settings) as connection:
        attach_beside(connection, other, _REBUILT)
        linked = "linkage.linked_delivery"
        _, only_rebuilt = _difference(connection, linked, ["delivery_id"], _REBUILT, ALIAS)
        is_linked = not only_rebuilt and not is_linked_delivery_changed(connection)
        tables = tuple(_comparisons(connection, with_links=is_linked))
        ((other_code,),) = connection.execute(
            f"""
            select count(*) from {ALIAS}.ledger.delivery
            where code_version not in (select code_version from {_REBUILT}.ledger.delivery)
            """
        ).fetchall()
    return Replay(receipts, tables, is_linked_alike=is_linked, other_code=other_code)


def _has_lake(settings: Settings) -> bool:
    try:
        with reading(settings):
            return True
    except LakeError:
        return False


def _comparisons(connection: duckdb.DuckDBPyConnection, *, with_links: bool) -> Iterator[TableComparison]:
    wanted = {f"ledger.{name}": list(columns_of(LEDGER[name])) for name in _LEDGER}
    wanted |= {f"extracts.{contract.kind}": list(extract_columns(contract)) for contract in all_contracts().values()}
    if with_links:
        wanted |= {f"linkage.{name}": list(columns_of(LINKAGE[name])) for name in _LINKS}
    for table, columns in wanted.items():
        compared = [column for column in columns if column not in _NOT_COMPARED]
        rows, only_live = _difference(connection, table, compared, ALIAS, _REBUILT)
        _, only_rebuilt = _difference(connection, table, compared, _REBUILT, ALIAS)
        yield TableComparison(table, rows, only_live, only_rebuilt)


def _difference(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], ours: str, theirs: str
) -> tuple[int, int]:
    """Rows of a table in one lake, and how many of them the other lake has not, or not as often.

    Rows are compared by a hash of all their values, written as text: sixteen bytes a row, whatever its width.
    """
    row = f"md5_number(struct_pack({', '.join(f'{column} := {column}' for column in columns)})::varchar)"
    counted = "select {row} as row_hash, count(*) as count from {lake}.{table} group by all"
    ((rows, missing),) = connection.execute(
        f"""
        select
            coalesce(sum(ours.count), 0)::bigint,
            coalesce(sum(greatest(ours.count - coalesce(theirs.count, 0), 0)), 0)::bigint
        from ({counted.format(row=row, lake=ours, table=table)}) as ours
        left join ({counted.format(row=row, lake=theirs, table=table)}) as theirs using (row_hash)
        """
    ).fetchall()
    return rows, missing
