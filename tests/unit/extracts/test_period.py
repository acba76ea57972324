"""Periods: what is typed, what is printed, and what a file's name states."""

from __future__ import annotations

from datetime import date

import pytest

from extracts.contract import all_contracts
from extracts.period import Period, PeriodError, period_in_file_name

MONTH_IN_NAME = all_contracts()["cps_principal_offence_outcomes"].period_patterns


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2014-03", date(2014, 3, 1), date(2014, 3, 31)),
        ("2016-02", date(2016, 2, 1), date(2016, 2, 29)),
        ("2015-12", date(2015, 12, 1), date(2015, 12, 31)),
        ("2017-04..2018-03", date(2017, 4, 1), date(2018, 3, 31)),
        ("2017-04..2017-04", date(2017, 4, 1), date(2017, 4, 30)),
        (" 2014-03 ", date(2014, 3, 1), date(2014, 3, 31)),
    ],
)
def test_a_period_is_whole_months(text: str, start: date, end: date) -> None:
    assert Period.parse(text) == Period(start, end)


@pytest.mark.parametrize("text", ["2014-03", "2017-04..2018-03"])
def test_a_period_is_printed_as_it_is_typed(text: str) -> None:
    assert str(Period.parse(text)) == text


def test_a_single_month_typed_as_a_range_is_printed_as_a_month() -> None:
    assert str(Period.parse("2017-04..2017-04")) == "2017-04"


@pytest.mark.parametrize(
    "text",
    [
        "", "2014", "2014-3", "2014-00", "2014-13", "14-03", "2014-03-01", "0000-01", "1899-12", "3000-01",
        "march 2014", "2014/03", "2014-03.2014-04", "..2014-03", "2014-03..2014-04..2014-05", "2018-03..2017-04",
    ],
)  # fmt: skip
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(PeriodError):
        Period.parse(text)


def test_a_refusal_quotes_no_more_than_the_start_of_the_text() -> None:
    with pytest.raises(PeriodError) as refusal:
        Period.parse("x" * 10_000)

    assert len(str(refusal.value)) < 150


def test_periods_are_ordered_by_their_start() -> None:
    texts = ["2018-01", "2016-12", "2017-04..2018-03"]

    assert [str(period) for period in sorted(map(Period.parse, texts))] == ["2016-12", "2017-04..2018-03", "2018-01"]


@pytest.mark.parametrize(
    ("name", "period"),
    [
        ("principal_offence_category_march_2014.csv", "2014-03"),
        ("Principal_Offence_Category_March_2014.CSV", "2014-03"),
        ("outcomes_Sep_2014.csv", "2014-09"),
        ("outcomes_sept-2014.csv", "2014-09"),
        ("outcomes_SEPTEMBER 2014.csv", "2014-09"),
        ("outcomes may 2015 (revised).csv", "2015-05"),
        ("outcomes_2014-09.csv", "2014-09"),
        ("december_2017.csv.gz", "2017-12"),
        ("category_2014_june_2015.csv", "2015-06"),
    ],
)
def test_a_file_name_states_its_month_in_many_spellings(name: str, period: str) -> None:
    assert period_in_file_name(name, MONTH_IN_NAME) == Period.parse(period)


@pytest.mark.parametrize(
    "name",
    ["outcomes.csv", "outcomes_2014.csv", "ma_2014.csv", "marching_2014.csv", "outcomes_2014-13.csv", "march.csv"],
)
def test_a_file_name_without_a_month_states_none(name: str) -> None:
    assert period_in_file_name(name, MONTH_IN_NAME) is None


def test_a_contract_without_patterns_reads_no_month_from_a_name() -> None:
    assert period_in_file_name("outcomes_march_2014.csv", ()) is None
