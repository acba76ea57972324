"""Process limits (XmR): the usual range of a measure's series and the signals that stand out of it.

Belongs here: the arithmetic of variation on plain sequences, in which a missing period is ``None``. Does not belong
here: which values of an edition count (``scorecards.series``), how they are drawn (``scorecards.charts``) or said
(``scorecards.words``).

Source: Wheeler, *Understanding Variation* (1993); lengths of runs as used by NHS England, Making Data Count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, pairwise
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIMIT_FACTOR = 2.66  # 3 / d2, with d2 = 1.128 for moving ranges of two points
SCREEN_FACTOR = 3.267  # D4 for moving ranges of two points: a range beyond it is itself out of control
RUN_LENGTH = 7
LEAST_POINTS = 7  # fewer say too little about the usual range
FIRM_POINTS = 13  # fewer give trial limits
NEAR_SHARE = 2 / 3  # "near a limit" begins at this share of the way from the centre
TOLERANCE = 1e-9  # of the centre: a mean of equal floats may miss them by the last bit


class Rule(StrEnum):
    """What makes a point stand out, in the order in which the rules are asked."""

    OUTSIDE = "outside"
    TREND = "trend"
    NEAR_LIMIT = "near_limit"
    SHIFT = "shift"


class Reading(StrEnum):
    """What a point's signal says once the measure's direction is known."""

    IMPROVEMENT = "improvement"
    CONCERN = "concern"
    HIGH = "high"
    LOW = "low"
    NO_CHANGE = "no_change"
    NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """Centre and natural limits of a series, in the unit of the series."""

    centre: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Signal:
    """Why a point stands out, and whether towards high or low values."""

    rule: Rule
    is_high: bool


@dataclass(frozen=True, slots=True)
class Assessment:
    """A series judged: limits (none below 7 points), whether they are trial limits, and a signal or none per point."""

    limits: ProcessLimits | None
    is_trial: bool
    signals: tuple[Signal | None, ...]


def assess(values: Sequence[float | None], *, least_centre: float = -math.inf) -> Assessment:
    """Limits and signals of a series, oldest value first, ``None`` where a period is missing.

    Args:
        values: one entry per period, without holes in time.
        least_centre: below this centre no signal is given (rounded counts of a protected edition are too coarse).
    """
    present = sum(value is not None for value in values)
    none = (None,) * len(values)
    if present < LEAST_POINTS:
        return Assessment(None, is_trial=False, signals=none)
    limits = process_limits(values)
    found = tuple(signals(values, limits)) if limits.centre >= least_centre else none
    return Assessment(limits, is_trial=present < FIRM_POINTS, signals=found)


def process_limits(values: Sequence[float | None], *, is_screened: bool = True) -> ProcessLimits:
    """Centre +- 2.66 x the mean moving range; a range is taken only between neighbours in time.

    Ranges of 3.267 times their mean or more are left out once, so that one shock does not widen the limits.

    Raises:
        ValueError: no value is present.
    """
    present = [value for value in values if value is not None]
    if not present:
        raise ValueError("process limits need at least one value")
    centre = fmean(present)
    ranges = [abs(late - early) for early, late in pairwise(values) if early is not None and late is not None]
    reach = LIMIT_FACTOR * _mean_range(ranges, is_screened=is_screened)
    return ProcessLimits(centre, centre - reach, centre + reach)


def signals(values: Sequence[float | None], limits: ProcessLimits) -> list[Signal | None]:
    """The first rule that each point breaks, or none. A missing period ends every run: nobody saw what happened.

    Limits without width (no variation is left to judge by) give no signal.
    """
    found: list[Signal | None] = [None] * len(values)
    slack = TOLERANCE * max(1.0, abs(limits.centre))
    if limits.upper - limits.centre <= slack:
        return found
    for stretch in _stretches(values):
        # The later rules write first, so that an earlier rule has the last word.
        for rule, points in (
            (Rule.SHIFT, _shifts(stretch, limits, slack)),
            (Rule.NEAR_LIMIT, _near_limit(stretch, limits, slack)),
            (Rule.TREND, _trends(stretch)),
            (Rule.OUTSIDE, _outside(stretch, limits, slack)),
        ):
            for index, is_high in points:
                found[index] = Signal(rule, is_high)
    return found


def reading(signal: Signal | None, direction: str) -> Reading:
    """What a signal means for a measure whose direction is 'more_is_better', 'less_is_better' or 'neither'."""
    if signal is None:
        return Reading.NO_CHANGE
    if direction == "neither":
        return Reading.HIGH if signal.is_high else Reading.LOW
    is_good = signal.is_high == (direction == "more_is_better")
    return Reading.IMPROVEMENT if is_good else Reading.CONCERN


Stretch = list[tuple[int, float]]


def _mean_range(ranges: Sequence[float], *, is_screened: bool) -> float:
    if not ranges:
        return 0.0
    mean = fmean(ranges)
    if not is_screened:
        return mean
    kept = [size for size in ranges if size < SCREEN_FACTOR * mean]
    return fmean(kept) if kept else 0.0


def _stretches(values: Sequence[float | None]) -> Iterator[Stretch]:
    for is_missing, group in groupby(enumerate(values), key=lambda pair: pair[1] is None):
        if not is_missing:
            yield [(index, value) for index, value in group if value is not None]


def _side(value: float, centre: float, slack: float) -> int:
    return (value > centre + slack) - (value < centre - slack)


def _outside(stretch: Stretch, limits: ProcessLimits, slack: float) -> Iterator[tuple[int, bool]]:
    for index, value in stretch:
        if value > limits.upper + slack:
            yield index, True
        elif value < limits.lower - slack:
            yield index, False


def _trends(stretch: Stretch) -> Iterator[tuple[int, bool]]:
    steps = [(late > early) - (late < early) for (_, early), (_, late) in pairwise(stretch)]
    start = 0
    for step, group in groupby(steps):
        length = len(list(group))
        if step and length + 1 >= RUN_LENGTH:
            for index, _ in stretch[start : start + length + 1]:
                yield index, step > 0
        start += length


def _near_limit(stretch: Stretch, limits: ProcessLimits, slack: float) -> Iterator[tuple[int, bool]]:
    reach = NEAR_SHARE * (limits.upper - limits.centre)
    for first in range(len(stretch) - 2):
        three = stretch[first : first + 3]
        sides = {_side(value, limits.centre, slack) for _, value in three}
        if len(sides) > 1 or 0 in sides:
            continue
        near = [index for index, value in three if abs(value - limits.centre) > reach + slack]
        if len(near) >= 2:
            yield from ((index, sides == {1}) for index in near)


def _shifts(stretch: Stretch, limits: ProcessLimits, slack: float) -> Iterator[tuple[int, bool]]:
    for side, group in groupby(stretch, key=lambda pair: _side(pair[1], limits.centre, slack)):
        run = list(group)
        if side and len(run) >= RUN_LENGTH:
            yield from ((index, side > 0) for index, _ in run)
