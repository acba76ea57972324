"""A supplier's outbox: which of its deliveries a record goes into, and in which state.

Belongs here: the meaning of a period. A delivery for some months holds every record created or changed in them, one row
per record, as it was at the end. Does not belong here: what a record looks like (``crimes``, ``cases``, ``panels``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from extracts.synthetic.calibration import calibration
from extracts.synthetic.files import open_delivery
from extracts.synthetic.plan import KINDS_BY_GROUP, PlannedDelivery, Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class Record(Protocol):
    """Something that a supplier tells of, at different times in different states."""

    @property
    def days(self) -> Sequence[int | None]:
        """The day on which it was created, then those on which it changed; None for what never happens."""

    def cells(self, state_day: int) -> list[str]:
        """The row that describes it at the end of a day."""


class Outbox:
    """The deliveries of one supplier, open for rows.

    ``repeats`` are made of the others' bytes when those are closed. ``rows_expected`` are those of a kind in a month.
    """

    def __init__(
        self,
        root: Path,
        group: str,
        regular: Sequence[PlannedDelivery],
        extra: Sequence[PlannedDelivery],
        rows_expected: Callable[[str], float],
    ) -> None:
        kinds = KINDS_BY_GROUP[group]
        self.regular = [open_delivery(root, plan, kinds) for plan in regular]
        self.extra = [
            open_delivery(root, plan, kinds if plan.purpose is Purpose.resupply else kinds[:1])
            for plan in extra
            if plan.purpose in (Purpose.resupply, Purpose.other_month)
        ]
        self.repeats = [plan for plan in extra if plan.purpose not in (Purpose.resupply, Purpose.other_month)]
        self.first, self.last = regular[0].start, regular[-1].end
        self._place = {day: place for place, plan in enumerate(regular) for day in range(plan.start, plan.end + 1)}
        self._state_days = [plan.state_day for plan in regular]
        least_months = calibration().number("deliveries", "carry_in_from_months")
        least_rows = calibration().number("deliveries", "carry_in_from_rows")
        months = regular[0].months
        self._carried = {
            kind for kind in kinds if months >= least_months and rows_expected(kind) * months >= least_rows
        }
        self._resupply = next((plan for plan in extra if plan.purpose is Purpose.resupply), None)

    def put(self, kind: str, record: Record, *, is_carried: bool = False, is_spare: bool = True) -> None:
        """Write a record into every delivery that it belongs into.

        ``is_carried``: it belongs to a case that was open when the first delivery begins.
        """
        days = record.days
        created = days[0]
        assert created is not None
        if created > self.last:
            return
        place = self._place
        places = {place[day] for day in days if day in place}
        if is_carried and created < self.first and kind in self._carried:
            places.add(0)
        for number in sorted(places):
            self.regular[number].files[kind].write(record.cells(self._state_days[number]), is_spare)
        for delivery in self.extra:
            plan = delivery.plan
            if kind in delivery.files and any(day is not None and plan.start <= day <= plan.end for day in days):
                delivery.files[kind].write(record.cells(plan.state_day), is_spare=True)

    def holds(self, kind: str, day: int, is_carried: bool) -> bool:
        """Whether a record created on a day and never changed is delivered at all."""
        return day in self._place or (is_carried and day < self.first and kind in self._carried)

    def revised_on(self, created: int) -> int | None:
        """The day from which a record of a month that is sent again may read differently."""
        plan = self._resupply
        return plan.state_day if plan is not None and plan.start <= created <= plan.end else None
