"""Days and months as numbers: a day is its ordinal, a month the number of months since year 0.

Belongs here: turning days into text, fast. Does not belong here: periods of deliveries (``extracts.period``).
"""

from __future__ import annotations

from datetime import date
from functools import cache


class DayTexts(dict[int, str]):
    """ISO dates by ordinal; made once each, because millions of cells are dates."""

    def __missing__(self, day: int) -> str:
        text = self[day] = date.fromordinal(day).isoformat()
        return text


DAY = DayTexts()


@cache
def year_of(day: int) -> int:
    """Calendar year of a day."""
    return date.fromordinal(day).year


def month_number(day: date) -> int:
    """Number of a day's month."""
    return day.year * 12 + day.month - 1


@cache
def first_day(month: int) -> int:
    """First day of a month."""
    return date(month // 12, month % 12 + 1, 1).toordinal()


def last_day(month: int) -> int:
    """Last day of a month."""
    return first_day(month + 1) - 1
