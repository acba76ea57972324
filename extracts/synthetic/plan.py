"""Which deliveries are written: who sends what, for which months, and when.

Belongs here: periods, names and times of deliveries, late ones and repeated ones. Does not belong here: rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from extracts.period import Period
from extracts.suppliers import all_suppliers
from extracts.synthetic.calibration import calibration
from extracts.synthetic.chance import Chance
from extracts.synthetic.months import first_day, last_day, month_number

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS_BY_GROUP = {
    "force": ("police_crimes", "police_referrals"),
    "cps_area": (
        "early_discussions",
        "cps_receipts",
        "cps_reviews",
        "cps_guidance_failures",
        "cps_information_requests",
        "cps_decisions",
        "cps_prosecution_outcomes",
    ),
    "joint_panel": ("panel_findings", "joint_meetings", "local_action_plan"),
}  # fmt: skip
_TITLES = {"force": "case-extract", "cps_area": "case-extract", "joint_panel": "panel-extract"}


class Layout(StrEnum):
    """How the months are cut into deliveries."""

    history = "history"
    monthly = "monthly"


class Purpose(StrEnum):
    """Why a delivery is sent."""

    regular = "regular"
    resupply = "resupply"
    cut_off = "cut_off"
    other_month = "other_month"
    same_bytes = "same_bytes"
    bad_rows = "bad_rows"


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """One delivery.

    ``start`` to ``end`` are the days whose records it holds, ``state_day`` the day at whose end they are described,
    ``declared`` the period that its manifest names.
    """

    supplier_id: str
    name: str
    purpose: Purpose
    declared: Period
    start: int
    end: int
    state_day: int
    sent_at: datetime

    @property
    def months(self) -> int:
        """Months that its manifest names."""
        return month_number(self.declared.end) - month_number(self.declared.start) + 1


def regular_deliveries(supplier_id: str, months: Period, layout: Layout, is_late: bool) -> list[PlannedDelivery]:
    """The deliveries of one supplier in order of their periods.

    A late supplier sends its next to last delivery weeks after the others, still before its last one.
    """
    periods = _periods(months, layout)
    sent = [_sent_at(supplier_id, period) for period in periods]
    if is_late and len(periods) > 1:
        sent[-2] += timedelta(days=int(calibration().number("deliveries", "late_days")))
    return [
        _delivery(supplier_id, Purpose.regular, (period, period), period.end.toordinal(), moment)
        for period, moment in zip(periods, sent, strict=True)
    ]


def resupply(regular: Sequence[PlannedDelivery], months: Period) -> PlannedDelivery | None:
    """A past month sent again with what is known by then; None where there is no past month to repeat."""
    last = month_number(months.end)
    month = last - 3
    if month < month_number(months.start) or len(regular) < 2:
        return None
    before_last = regular[-2]
    moment = before_last.sent_at + timedelta(days=calibration().number("deliveries", "resupply_after_days"))
    period = _month(month)
    return _delivery(before_last.supplier_id, Purpose.resupply, (period, period), moment.date().toordinal() - 1, moment)


def defective(regular: Sequence[PlannedDelivery], purpose: Purpose, months: Period, number: int) -> PlannedDelivery:
    """An extra delivery that must be held; what it repeats is delivered soundly elsewhere."""
    last = regular[-1]
    moment = last.sent_at + timedelta(days=1, hours=2, minutes=number)
    content = declared = _month(month_number(months.end))
    if purpose is Purpose.other_month:
        content = _month(max(month_number(months.start), month_number(months.end) - 4))
    if purpose is Purpose.same_bytes:
        declared = _month(month_number(months.end) - 1)
    return _delivery(last.supplier_id, purpose, (declared, content), last.state_day, moment)


def _periods(months: Period, layout: Layout) -> list[Period]:
    first, last = month_number(months.start), month_number(months.end)
    if layout is Layout.monthly or first == last:
        return [_month(month) for month in range(first, last + 1)]
    return [Period(months.start, date.fromordinal(last_day(last - 1))), _month(last)]


def _month(month: int) -> Period:
    return Period(date.fromordinal(first_day(month)), date.fromordinal(last_day(month)))


def _sent_at(supplier_id: str, period: Period) -> datetime:
    """About the tenth of the month after the period, in office hours; it hangs on supplier and period alone."""
    chance = Chance("sent", supplier_id, str(period))
    month = first_day(month_number(period.end) + 1)
    day = month + int(calibration().number("deliveries", "sent_on_day")) - 1 + chance.between(-2, 1)
    return datetime.combine(date.fromordinal(day), datetime.min.time(), UTC) + timedelta(
        hours=chance.between(8, 16), minutes=chance.between(0, 59)
    )


def _delivery(
    supplier_id: str, purpose: Purpose, periods: tuple[Period, Period], state_day: int, sent_at: datetime
) -> PlannedDelivery:
    """A delivery of the second period that is declared as one of the first."""
    declared, content = periods
    title = _TITLES[all_suppliers()[supplier_id].group]
    suffix = "" if purpose is Purpose.regular else "-again"
    return PlannedDelivery(
        supplier_id=supplier_id,
        name=f"{sent_at:%Y%m%dT%H%M%SZ}-{title}{suffix}",
        purpose=purpose,
        declared=declared,
        start=content.start.toordinal(),
        end=content.end.toordinal(),
        state_day=state_day,
        sent_at=sent_at,
    )
