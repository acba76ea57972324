"""One measure in one area over time: which periods are charted, which of them count, and what the latest one says.

Belongs here: choosing among an edition's values. Does not belong here: arithmetic of limits
(``scorecards.process_limits``), words (``scorecards.words``) and drawing (``scorecards.charts``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from scorecards.edition import NATIONAL_KEY, Area, Edition, EditionError, Measure, Value
from scorecards.process_limits import Assessment, Reading, Signal, assess, reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MONTHS = {"month": 1, "quarter": 3, "rolling_year": 12}
YEAR = "rolling_year"
RECEIVED = frozenset({"complete", "partial", "below_minimum"})
NO_LEAST_CENTRE = -math.inf
LEAST_CENTRE_PROTECTED = 30.0  # below it, counts rounded to base 5 are too coarse for signals


@dataclass(frozen=True, slots=True)
class Moment:
    """One period of a charted series: its value row, if there is one, and what its signal says."""

    value: Value | None
    position: int
    signal: Signal | None
    reading: Reading

    @property
    def counts(self) -> bool:
        """Whether the period takes part in limits and signals."""
        return self.value is not None and is_firm(self.value)


@dataclass(frozen=True, slots=True)
class Series:
    """One measure in one area. ``moments`` run without holes from the first to the last received period."""

    measure: Measure
    area: Area
    grain: str
    moments: tuple[Moment, ...]
    assessment: Assessment
    values: tuple[Value, ...]
    years: tuple[Value, ...]
    breakdowns: Mapping[str, tuple[Value, ...]]

    @property
    def latest(self) -> Value | None:
        """The latest received value of the charted grain."""
        return _latest(self.values)

    @property
    def latest_year(self) -> Value | None:
        """The latest received rolling year."""
        return _latest(self.years)

    @property
    def is_applicable(self) -> bool:
        """Whether the measure exists for the area in any period."""
        rows = (*self.values, *self.years, *(row for rows in self.breakdowns.values() for row in rows))
        return any(row.status != "not_applicable" for row in rows)

    @property
    def judged(self) -> Moment | None:
        """The latest period that takes part in signals."""
        return next((moment for moment in reversed(self.moments) if moment.counts), None)

    @property
    def reading(self) -> Reading:
        """What the latest signal says."""
        if self.assessment.limits is None or self.judged is None:
            return Reading.NOT_ASSESSED
        return self.judged.reading

    @property
    def missing_since(self) -> tuple[Value, ...]:
        """Periods after the latest received one for which nothing was received."""
        latest = self.latest
        return tuple(
            value
            for value in self.values
            if value.status == "no_data_received" and (latest is None or value.end > latest.end)
        )

    def year_ending_with(self, value: Value) -> Value | None:
        """The rolling year that ends in the same month as another one."""
        return next((year for year in self.years if year.end == value.end), None)


class SeriesBook:
    """All series of an edition, each made once."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self._least_centre = LEAST_CENTRE_PROTECTED if edition.release.is_protected else NO_LEAST_CENTRE
        self._known: dict[tuple[tuple[str, str], str], Series | None] = {}

    def of(self, area: Area, measure: Measure) -> Series | None:
        """The series of a measure in an area, or None where the edition has no row of it."""
        key = (area.key, measure.measure_id)
        if key not in self._known:
            rows = self._edition.values.get(area.key, {}).get(measure.measure_id)
            self._known[key] = series_of(area, measure, rows, self._least_centre) if rows else None
        return self._known[key]

    def national(self, measure: Measure) -> Series | None:
        """The series for England and Wales."""
        return self.of(self._edition.areas[NATIONAL_KEY], measure)


def series_of(area: Area, measure: Measure, rows: Iterable[Value], least_centre: float = NO_LEAST_CENTRE) -> Series:
    """Make the series of one measure in one area from its rows, which come ordered by breakdown, grain and end."""
    by_breakdown = {name: tuple(group) for name, group in groupby(rows, key=lambda row: row.breakdown)}
    whole = by_breakdown.pop("", ())
    grain = charted_grain(whole or tuple(row for group in by_breakdown.values() for row in group))
    values = tuple(row for row in whole if row.grain == grain)
    slots = _slots(values, MONTHS[grain])
    # A count is judged by its size; a rate has no least centre.
    least = least_centre if measure.shape == "count" else NO_LEAST_CENTRE
    assessment = assess(
        [slot.value if slot is not None and is_firm(slot) else None for slot in slots], least_centre=least
    )
    return Series(
        measure=measure,
        area=area,
        grain=grain,
        moments=tuple(_moments(slots, assessment, measure)),
        assessment=assessment,
        values=values,
        years=tuple(row for row in whole if row.grain == YEAR),
        breakdowns=by_breakdown,
    )


def finest_grain(rows: Iterable[Value]) -> str:
    """The shortest period for which there are rows."""
    grains = {row.grain for row in rows}
    return next((grain for grain in MONTHS if grain in grains), YEAR)


def charted_grain(rows: Sequence[Value]) -> str:
    """The shortest period in which a figure can be shown half of the time; where there is none, the shortest.

    Of the months of a small area many have too few cases for a rate; their chart would be empty.
    """
    for grain in MONTHS:
        received = [row for row in rows if row.grain == grain and row.status in RECEIVED]
        if grain != YEAR and sum(row.value is not None for row in received) * 2 >= max(len(received), 1):
            return grain
    return finest_grain(rows)


def is_firm(value: Value) -> bool:
    """Whether a value is complete, so that it may be judged."""
    return value.status == "complete" and value.value is not None


def drawn(moment: Moment) -> float | None:
    """What a line shows of a period: its value where that is complete."""
    return moment.value.value if moment.value is not None and is_firm(moment.value) else None


def _latest(values: tuple[Value, ...]) -> Value | None:
    return next((value for value in reversed(values) if value.status in RECEIVED), None)


def _slots(values: tuple[Value, ...], step: int) -> list[Value | None]:
    received = [index for index, value in enumerate(values) if value.status in RECEIVED]
    if not received:
        return []
    kept = values[received[0] : received[-1] + 1]
    first = _month(kept[0])
    slots: list[Value | None] = [None] * ((_month(kept[-1]) - first) // step + 1)
    for value in kept:
        place, rest = divmod(_month(value) - first, step)
        if rest or slots[place] is not None:
            raise EditionError(f"{value.measure_id}: the period that ends on {value.end} overlaps another one")
        slots[place] = value
    return slots


def _month(value: Value) -> int:
    return value.end.year * 12 + value.end.month - 1


def _moments(slots: list[Value | None], assessment: Assessment, measure: Measure) -> Iterable[Moment]:
    for position, (slot, signal) in enumerate(zip(slots, assessment.signals, strict=True)):
        is_judged = assessment.limits is not None and slot is not None and is_firm(slot)
        said = reading(signal, measure.direction) if is_judged else Reading.NOT_ASSESSED
        yield Moment(slot, position, signal, said)
