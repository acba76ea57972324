"""The calendar: every case-level extract is due from everybody who sends it, on a day of the month after."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from extracts.calendar import CalendarError, DueExtract, due_extracts
from extracts.contract import all_contracts
from extracts.suppliers import all_suppliers

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "- {kinds: [police_crimes], suppliers: [kent-police], day_due: 12}\n"


def test_every_extract_is_due_from_everybody_who_sends_it_but_publishers() -> None:
    """A contract that nobody put into the calendar would be missed by nobody."""
    sent = {(supplier, kind) for kind, contract in all_contracts().items() for supplier in contract.suppliers}
    publishers = {supplier for supplier, known in all_suppliers().items() if known.group == "publisher"}
    assert set(due_extracts()) == {(supplier, kind) for supplier, kind in sent if supplier not in publishers}


@pytest.mark.parametrize(
    ("day_due", "month", "expected"),
    [
        (12, date(2020, 11, 1), date(2020, 12, 12)),
        (12, date(2020, 12, 31), date(2021, 1, 12)),
        (31, date(2021, 1, 1), date(2021, 2, 28)),
        (31, date(2020, 1, 1), date(2020, 2, 29)),
        (1, date(2020, 11, 30), date(2020, 12, 1)),
    ],
)
def test_a_month_is_due_on_a_day_of_the_month_after(day_due: int, month: date, expected: date) -> None:
    assert DueExtract("kent-police", "police_crimes", day_due).due_date(month) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("police_crimes", "horoscopes"), "no contract for the kind horoscopes"),
        (GOOD.replace("kent-police", "atlantis-police"), "atlantis-police is no supplier"),
        (GOOD.replace("kent-police", "cps-wessex"), "police_crimes is not sent by cps-wessex"),
        (GOOD.replace("kent-police", "kent-police, force"), ""),
        (GOOD + GOOD, "police_crimes of kent-police is due twice"),
        (GOOD.replace("12", "0"), "greater than or equal to 1"),
        (GOOD.replace("12", "32"), "less than or equal to 31"),
        (GOOD.replace("day_due", "due_day"), "due_day"),
        ("- [", "calendar.yaml is not as it should be"),
        ("kinds: police_crimes", "calendar.yaml is not as it should be"),
    ],
)
def test_a_calendar_that_contradicts_itself_or_a_contract_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "calendar.yaml"
    path.write_text(text, encoding="utf-8")
    if not words:  # a supplier that is named by its group as well is due once
        assert len(due_extracts(path)) == len(all_contracts()["police_crimes"].suppliers)
        return
    with pytest.raises(CalendarError, match=words):
        due_extracts(path)
