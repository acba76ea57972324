"""Supply: what each supplier owes by the calendar, month by month, and what came.

Belongs here: comparing the ledger with the calendar of deliveries, and the page that shows it. Does not belong here:
what is due (``extracts.calendar``), and single deliveries (``warehouse.status``).

A month is expected of an extract from the first month on that any supplier's accepted delivery of that extract covers:
a home that begins in 2021 misses nothing of 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from expectations.pages import write_page
from extracts.calendar import due_extracts
from extracts.suppliers import all_suppliers
from warehouse import ledger
from warehouse.lake import ask
from warehouse.revisions import PAGE as REVISIONS_PAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb

    from rasso.settings import Settings

PAGE = "suppliers.html"
_TEMPLATE = Path(__file__).with_name(PAGE)
SHOWN_MONTHS = 12

RECEIVED, DUE, HELD, REJECTED, LATE, MISSING = "received", "due", "held", "rejected", "late", "missing"
WELL = "ok"  # as the grid says for received: the months have to stand beside one another
MEANING = {  # the gravest last: it stands for a month of which one extract is so
    RECEIVED: "all that was due came and was accepted",
    DUE: "the day on which it is due has not passed",
    HELD: "it came, and waits for a decision",
    REJECTED: "what came was rejected, and nothing has replaced it",
    LATE: "nothing came by the day on which it was due",
    MISSING: "nothing came, and the month after it was due as well",
}
_GRAVITY = {state: rank for rank, state in enumerate(MEANING)}


@dataclass(frozen=True, slots=True)
class Overdue:
    """An extract of a month that is not there although it should be."""

    supplier: str
    kind: str
    month: date
    due_date: date
    state: str


@dataclass(frozen=True, slots=True)
class Month:
    """One month of one supplier: the state of each extract that is due or came; none where nothing is."""

    month: date
    states: Mapping[str, str]

    @property
    def state(self) -> str:
        """The gravest of them; empty where there is none."""
        return max(self.states.values(), key=_GRAVITY.__getitem__, default="")

    @property
    def label(self) -> str:
        """The state, and how many extracts are in it where not all are; short where all is well."""
        count = sum(state == self.state for state in self.states.values())
        word = WELL if self.state == RECEIVED else self.state
        return word if count == len(self.states) else f"{word} {count}/{len(self.states)}"


@dataclass(frozen=True, slots=True)
class Supply:
    """The grid of suppliers and months on a day, and everything that is overdue, the longest due first."""

    as_of: date
    months: tuple[date, ...]
    suppliers: Mapping[str, tuple[Month, ...]]
    overdue: tuple[Overdue, ...]
    is_synthetic: bool

    @property
    def late(self) -> tuple[Overdue, ...]:
        """What became overdue since the month before was due: to be asked for now."""
        return tuple(one for one in self.overdue if one.state != MISSING)

    def as_json(self) -> dict[str, object]:
        """The same for machines."""
        return {
            "as_of": self.as_of.isoformat(),
            "suppliers": {
                supplier: {f"{month.month:%Y-%m}": dict(month.states) for month in months}
                for supplier, months in self.suppliers.items()
            },
            "overdue": [
                {
                    "supplier": one.supplier,
                    "kind": one.kind,
                    "month": f"{one.month:%Y-%m}",
                    "due_date": one.due_date.isoformat(),
                    "state": one.state,
                }
                for one in self.overdue
            ],
        }


def current_supply(settings: Settings) -> Supply:
    """What came of what is due, as of the home's day.

    Raises:
        LakeError: the catalogue cannot be reached at this moment.
    """
    return ask(settings, lambda connection: supply_of(connection, settings.as_of))


def watch(settings: Settings) -> tuple[Overdue, ...]:
    """Write the page of suppliers, and return what is late: to be asked for now."""
    supply = current_supply(settings)
    write_supply_page(settings, supply)
    return supply.late


def supply_of(connection: duckdb.DuckDBPyConnection, as_of: date, shown_months: int = SHOWN_MONTHS) -> Supply:
    """Compare the ledger with the calendar, on a connection to the lake."""
    files = ledger.files_by_outcome(connection)
    came: dict[tuple[str, str, date], str] = {}
    first: dict[str, date] = {}
    for file in files:
        for month in _months(file.period_start, file.period_end):
            key = (file.supplier, file.kind, month)
            came[key] = min(file.outcome, came.get(key, REJECTED), key=_GRAVITY.__getitem__)
            if file.outcome == RECEIVED:
                first[file.kind] = min(month, first.get(file.kind, month))
    states = came.copy()
    overdue: list[Overdue] = []
    newest = _before(as_of)
    for (supplier, kind), due in due_extracts().items():
        for month in _months(first[kind], newest) if kind in first else ():
            state, due_date = came.get((supplier, kind, month)), due.due_date(month)
            if state is None:
                state = _state_without(as_of, due_date, due.due_date(_after(month)))
                states[supplier, kind, month] = state
            if as_of > due_date and state in (REJECTED, LATE, MISSING):
                overdue.append(Overdue(supplier, kind, month, due_date, state))
    months = _shown(states, newest, shown_months)
    return Supply(
        as_of=as_of,
        months=months,
        suppliers=_grid(states, months),
        overdue=tuple(sorted(overdue, key=lambda one: (one.due_date, one.supplier, one.kind))),
        is_synthetic=any(file.is_synthetic for file in files),
    )


def in_words(overdue: Iterable[Overdue]) -> list[str]:
    """A line for each supplier, month and state, with its extracts; nothing of an extract."""
    lines: dict[tuple[str, date, date, str], list[str]] = {}
    for one in overdue:
        lines.setdefault((one.supplier, one.month, one.due_date, one.state), []).append(one.kind)
    return [
        f"{supplier}, {month:%Y-%m}: {', '.join(kinds)} ({state}, due on {due_date:%d %b %Y})"
        for (supplier, month, due_date, state), kinds in lines.items()
    ]


def write_supply_page(settings: Settings, supply: Supply) -> Path:
    """Write the page of suppliers; returns its path."""
    names = {supplier: known.name for supplier, known in all_suppliers().items()}
    revisions = REVISIONS_PAGE if (settings.reports / REVISIONS_PAGE).exists() else None
    shown = {"supply": supply, "names": names, "meaning": MEANING, "well": WELL, "revisions": revisions}
    return write_page(settings.reports / PAGE, _TEMPLATE, shown)


def _state_without(as_of: date, due_date: date, next_due_date: date) -> str:
    if as_of <= due_date:
        return DUE
    return LATE if as_of <= next_due_date else MISSING


def _shown(states: Iterable[tuple[str, str, date]], newest: date, count: int) -> tuple[date, ...]:
    """The last months up to the one before today; where all that came is older, up to the newest that came."""
    last = min(newest, max((month for _, _, month in states), default=newest))
    months = [last]
    while len(months) < count:
        months.append(_before(months[-1]))
    return tuple(reversed(months))


def _grid(states: Mapping[tuple[str, str, date], str], months: tuple[date, ...]) -> dict[str, tuple[Month, ...]]:
    """By supplier, in the register's order; those who are not in the register were rejected, and owe nothing."""
    by_place: dict[tuple[str, date], dict[str, str]] = {}
    for (supplier, kind, month), state in sorted(states.items()):
        by_place.setdefault((supplier, month), {})[kind] = state
    shown = [supplier for supplier in all_suppliers() if any((supplier, month) in by_place for month in months)]
    return {
        supplier: tuple(Month(month, by_place.get((supplier, month), {})) for month in months) for supplier in shown
    }


def _months(start: date, end: date) -> Iterable[date]:
    month = start.replace(day=1)
    while month <= end:
        yield month
        month = _after(month)


def _after(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _before(month: date) -> date:
    """The first day of the month before the one of a day."""
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
