"""Periods of whole months, as deliveries name them."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from extracts.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


class PeriodError(ValueError):
    """A text that names no period."""


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Whole months, from the first day of the first to the last day of the last."""

    start: date
    end: date

    def __str__(self) -> str:
        """As typed on the command line: ``2014-03`` or ``2017-04..2018-03``."""
        first, last = f"{self.start:%Y-%m}", f"{self.end:%Y-%m}"
        return first if first == last else f"{first}..{last}"

    @property
    def month_count(self) -> int:
        """How many months it has."""
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month + 1

    def overlaps(self, other: Period) -> bool:
        """Whether the two have a month in common."""
        return self.start <= other.end and other.start <= self.end

    @classmethod
    def of_month(cls, year: int, month: int) -> Period:
        """One calendar month.

        Raises:
            PeriodError: there is no such month.
        """
        if not _is_month(year, month):
            raise PeriodError(f"there is no month {year:04d}-{month:02d}")
        return cls(date(year, month, 1), _last_day(year, month))

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read ``2014-03`` or ``2017-04..2018-03``.

        Raises:
            PeriodError: the text is neither, or ends before it starts.
        """
        first, dots, last = text.strip().partition("..")
        months = [_MONTH.fullmatch(part) for part in (first, last if dots else first)]
        if not all(months):
            raise PeriodError(f"{shown(text)} is no period; write 2014-03 or 2017-04..2018-03")
        start, end = (cls.of_month(int(month[1]), int(month[2])) for month in months if month)
        if end.end < start.start:
            raise PeriodError(f"period {text} ends before it starts")
        return cls(start.start, end.end)


def period_in_file_name(name: str, patterns: Iterable[str]) -> Period | None:
    """The month that a file name states, by a contract's patterns; None where it states none.

    A pattern names ``year`` and either ``month`` (a number) or ``month_name`` (English, full or abbreviated to at
    least three letters: ``march``, ``Sep``).
    """
    for pattern in patterns:
        for found in re.finditer(pattern, name, re.IGNORECASE):
            parts = found.groupdict()
            month = _month_number(parts["month_name"]) if "month_name" in parts else int(parts["month"])
            if month is not None and _is_month(int(parts["year"]), month):
                return Period.of_month(int(parts["year"]), month)
    return None


def _is_month(year: int, month: int) -> bool:
    return 1 <= month <= 12 and 1900 <= year <= 2999


def _month_number(text: str) -> int | None:
    for number in range(1, 13):
        if calendar.month_name[number].lower().startswith(text.lower()):
            return number
    return None


def _last_day(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
