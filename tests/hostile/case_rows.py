"""One small good extract of a case kind, and for each rule of its contract the one change that trips it.

Belongs here: the record that the tables of hostile rows are written in, and changes that every kind knows. Does not
belong here: rows (``case_rows_police``, ``case_rows_cps``, ``case_rows_panels``), running rules (``test_case_rules``).

The good extracts belong together: what one refers to (a crime, a receipt) stands in the good extract of a kind named in
``refers_to``. Rows are counted as a supplier counts them: 1 is the first below the header, 0 the file as a whole.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from small_extracts import SmallExtract

from extracts.period import Period

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Change = Callable[[SmallExtract], None]

MANY = 12  # bad rows: more than the 10 that the share of quarantined rows always lets pass


@dataclass(frozen=True, slots=True)
class Hostile:
    """One change to a good extract, and what must come of it.

    ``rows`` are the row numbers that the rule must name, no fewer and no more; empty for our own checks of a whole
    file, which name none. ``companions`` are other rules that cannot but fail too; say why where you give one.
    ``usual_rows`` is how many rows a month the supplier's earlier files held; None where there are no earlier files.
    """

    change: Change
    rows: tuple[int, ...]
    companions: frozenset[str] = frozenset()
    usual_rows: int | None = None


@dataclass(frozen=True, slots=True)
class CaseRows:
    """One kind: its good extract as CSV, header first, and a hostile change for each rule id."""

    kind: str
    supplier: str
    period: str
    text: str
    hostile: Mapping[str, Hostile]
    refers_to: tuple[str, ...] = field(default=())

    def good_extract(self) -> SmallExtract:
        """A fresh copy of the good extract."""
        header, *rows = csv.reader(io.StringIO(self.text.strip() + "\n"))
        return SmallExtract(self.supplier, self.kind, Period.parse(self.period), header, rows)


def cell(header: str, text: str, row: int = 1) -> Hostile:
    """Another text in one cell."""
    return cells({header: text}, row)


def cells(texts: Mapping[str, str], row: int = 1) -> Hostile:
    """Other texts in one row, where one alone would break another rule as well."""

    def change(extract: SmallExtract) -> None:
        for header, text in texts.items():
            extract.put(header, text, row - 1)

    return Hostile(change, (row,))


def row_twice(row: int, of_rows: int, texts: Mapping[str, str] | None = None) -> Hostile:
    """A row once more at the end of a good extract of so many rows, with other texts outside of its key."""

    def change(extract: SmallExtract) -> None:
        assert len(extract.rows) == of_rows
        extract.rows.append(list(extract.rows[row - 1]))
        for header, text in (texts or {}).items():
            extract.put(header, text, len(extract.rows) - 1)

    return Hostile(change, (row, of_rows + 1))


def many_bad_rows(companion: str, header: str, text: str, key: str, keys: Callable[[int], str]) -> Hostile:
    """Copies of the first row, each with a key of its own and the same bad text.

    Args:
        companion: the rule that keeps the bad rows out; without one, no row is quarantined.
        header: where the bad text stands.
        text: the bad text.
        key: the column that tells the copies apart.
        keys: the key of the copy with this number, 1 to ``MANY``.
    """

    def change(extract: SmallExtract) -> None:
        for number in range(1, MANY + 1):
            extract.rows.append(list(extract.rows[0]))
            extract.put(key, keys(number), len(extract.rows) - 1)
            extract.put(header, text, len(extract.rows) - 1)

    return Hostile(change, (), companions=frozenset({companion}))


def one_row_too_many_declared() -> Hostile:
    """The manifest declares a row that the file does not hold."""

    def change(extract: SmallExtract) -> None:
        extract.declared_rows = len(extract.rows) + 1

    return Hostile(change, ())


def far_fewer_rows_than_usual() -> Hostile:
    """The file as it is, where the supplier's earlier files held a thousand rows a month."""
    return Hostile(lambda _: None, (), usual_rows=1000)


def other_period(text: str) -> Hostile:
    """The manifest names another period; the file as a whole is at fault."""

    def change(extract: SmallExtract) -> None:
        extract.period = Period.parse(text)

    return Hostile(change, (0,))


def many_rows_of_other_period(text: str, key: str, keys: Callable[[int], str]) -> Hostile:
    """As ``other_period``, in a file with enough rows to judge: copies of the first one, each with a key of its own."""

    def change(extract: SmallExtract) -> None:
        extract.period = Period.parse(text)
        for number in range(1, MANY + 1):
            extract.rows.append(list(extract.rows[0]))
            extract.put(key, keys(number), len(extract.rows) - 1)

    return Hostile(change, (0,))


def at_fault_as_a_whole(hostile: Hostile) -> Hostile:
    """The same change where the rule names the file and not the row."""
    return replace(hostile, rows=(0,))


def trips_also(rule_id: str, hostile: Hostile) -> Hostile:
    """The same change where another rule cannot but fail with it; say why beside it."""
    return replace(hostile, companions=hostile.companions | {rule_id})


def in_period(text: str, hostile: Hostile) -> Hostile:
    """The same change in a file whose manifest names another period."""

    def change(extract: SmallExtract) -> None:
        extract.period = Period.parse(text)
        hostile.change(extract)

    return replace(hostile, change=change)
