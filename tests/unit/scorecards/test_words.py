"""Figures, periods and sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from itertools import pairwise, product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorecards import words
from scorecards.edition import NATIONAL_KEY, read_edition
from scorecards.process_limits import Assessment, ProcessLimits, Reading, Rule, Signal
from scorecards.series import Moment, SeriesBook

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Draft

    from scorecards.edition import Edition, Value
    from scorecards.series import Series


@pytest.fixture
def edition(draft: Draft, tmp_path: Path) -> Edition:
    return read_edition(draft.write(tmp_path))


@pytest.fixture
def charges(edition: Edition) -> Series:
    found = SeriesBook(edition).of(edition.areas[NATIONAL_KEY], edition.measures["rape_charges_crimes"])
    assert found is not None
    return found


@pytest.fixture
def share(edition: Edition) -> Series:
    found = SeriesBook(edition).of(edition.areas[NATIONAL_KEY], edition.measures["rape_charge_share_crimes"])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [(69.55, "69.6%"), (69.55280, "69.6%"), (0.25, "0.3%"), (0.05, "0.1%"), (-0.05, "\u22120.1%"), (100, "100.0%")],
)
def test_a_rate_is_rounded_half_away_from_zero(value: float, expected: str) -> None:
    assert words.percentage(value) == expected


@given(st.integers(1, 2_000_000).flatmap(lambda d: st.tuples(st.integers(0, d), st.just(d))))
def test_a_rate_is_rounded_as_its_exact_fraction_is(counts: tuple[int, int]) -> None:
    numerator, denominator = counts
    tenths, rest = divmod(Fraction(1000 * numerator, denominator), 1)
    tenths += rest >= Fraction(1, 2)
    assert words.percentage(100 * numerator / denominator) == f"{tenths // 10}.{tenths % 10}%"
    assert words.percentage(numerator / denominator * 100) == f"{tenths // 10}.{tenths % 10}%"


@pytest.mark.parametrize(
    ("value", "expected"), [(3856, "3,856"), (0, "0"), (-5, "\u22125"), (1234567, "1,234,567"), (12.25, "12.3")]
)
def test_a_count_has_thousands_separators(value: float, expected: str) -> None:
    assert words.count(value) == expected


@pytest.mark.parametrize(
    ("grain", "start", "end", "expected"),
    [
        ("month", date(2018, 3, 1), date(2018, 3, 31), "March 2018"),
        ("quarter", date(2018, 1, 1), date(2018, 3, 31), "January to March 2018"),
        ("quarter", date(2017, 11, 1), date(2018, 1, 31), "November 2017 to January 2018"),
        ("rolling_year", date(2017, 4, 1), date(2018, 3, 31), "Year to March 2018"),
    ],
)
def test_a_period_is_said_in_words(grain: str, start: date, end: date, expected: str) -> None:
    assert words.period_of(grain, start, end) == expected


def test_days_and_moments_are_said_in_words() -> None:
    assert words.day(date(2021, 1, 5)) == "5 January 2021"
    assert words.moment(datetime(2021, 1, 5, 9, 30)) == "5 January 2021, 09:30 UTC"  # noqa: DTZ001 - the lake's are UTC


@pytest.mark.parametrize(
    ("status", "figure", "expected"),
    [
        ("complete", 5.0, "5"),
        ("partial", 5.0, "5"),
        ("no_data_received", None, "[x] no data received"),
        ("no_data_received", 0.0, "[x] no data received"),
        ("not_applicable", None, "[z] not applicable"),
        ("not_applicable", 0.0, "[z] not applicable"),
        ("below_minimum", None, "[u] too few for a rate: 3 of 7"),
        ("complete", None, "[x] not available"),
    ],
)
def test_a_missing_figure_is_a_marker_and_never_a_zero(
    charges: Series, status: str, figure: float | None, expected: str
) -> None:
    value = replace(charges.values[0], status=status, value=figure, numerator=3.0, denominator=7.0)
    assert words.shown(value, charges.measure) == expected


@pytest.mark.parametrize(
    ("grain", "base", "received", "expected"),
    [
        ("rolling_year", "quarter", 0.75, "(partial: 3 of 4 quarters)"),
        ("rolling_year", "month", 10 / 12, "(partial: 10 of 12 months)"),
        ("quarter", "month", 2 / 3, "(partial: 2 of 3 months)"),
        ("quarter", "quarter", 0.975, "(partial: 98% of what is due)"),
        ("rolling_year", "quarter", 0.9, "(partial: 90% of what is due)"),
        ("quarter", "quarter", None, "(partial: not all received)"),
    ],
)
def test_a_partial_figure_says_what_was_received(
    charges: Series, grain: str, base: str, received: float | None, expected: str
) -> None:
    value = replace(charges.values[0], status="partial", grain=grain, received_share=received)
    assert words.quality(value, base) == expected


def test_a_count_is_headed_by_its_figures(charges: Series) -> None:
    assert words.headline(charges) == "3,856 crimes in the year to December 2018; 666 in October to December 2018."


def test_a_partial_count_says_so_behind_its_unit(charges: Series) -> None:
    year = replace(charges.years[0], status="partial", received_share=0.75)
    sentence = words.headline(replace(charges, years=(year,)))
    assert sentence.startswith("3,856 crimes (partial: 3 of 4 quarters) in the year to December 2018; 666 in")


def test_a_rate_is_headed_by_its_figures_with_their_counts(share: Series) -> None:
    assert words.headline(share) == (
        "50.0% (150 of 300; partial: 3 of 4 quarters) in the year to December 2018; "
        "69.6% (1,391 of 2,000) in October to December 2018."
    )


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (None, "No clear change: October to December 2018 is within the usual range of 1,000.0 to 1,100.0."),
        (Signal(Rule.OUTSIDE, True), "October to December 2018 is above the process limit of 1,100.0."),
        (Signal(Rule.OUTSIDE, False), "October to December 2018 is below the process limit of 1,000.0."),
        (Signal(Rule.TREND, True), "rising over at least seven quarters in a row, to October to December 2018."),
        (Signal(Rule.TREND, False), "falling over at least seven quarters in a row, to October to December 2018."),
        (
            Signal(Rule.NEAR_LIMIT, True),
            "to October to December 2018, are close to the upper process limit of 1,100.0.",
        ),
        (
            Signal(Rule.NEAR_LIMIT, False),
            "to October to December 2018, are close to the lower process limit of 1,000.0.",
        ),
        (
            Signal(Rule.SHIFT, True),
            "at least seven quarters in a row, to October to December 2018, are above the mean of 1,050.0.",
        ),
        (
            Signal(Rule.SHIFT, False),
            "at least seven quarters in a row, to October to December 2018, are below the mean of 1,050.0.",
        ),
    ],
)
def test_every_finding_has_its_sentence(charges: Series, signal: Signal | None, expected: str) -> None:
    assert words.signal_sentence(_judged(charges, signal, Reading.NO_CHANGE)).endswith(expected)


@pytest.mark.parametrize(
    "said", [Reading.IMPROVEMENT, Reading.CONCERN, Reading.HIGH, Reading.LOW], ids=lambda said: said.value
)
def test_a_finding_begins_with_its_reading(charges: Series, said: Reading) -> None:
    sentence = words.signal_sentence(_judged(charges, Signal(Rule.SHIFT, True), said))
    assert sentence.startswith(f"{words.READING_WORDS[said]}: ")


def test_trial_limits_are_said(charges: Series) -> None:
    assert charges.assessment.is_trial
    assert words.signal_sentence(charges).endswith("(trial limits: fewer than 13 points).")


def test_too_few_points_are_not_assessed(share: Series) -> None:
    assert words.signal_sentence(share) == "Not assessed: fewer than seven complete quarters."


@pytest.mark.parametrize("readings", list(pairwise(Reading)), ids=str)
def test_a_summary_has_a_sentence_for_every_reading(charges: Series, readings: tuple[Reading, Reading]) -> None:
    said = words.summary([_judged(charges, None, one) for one in readings])
    assert sum("Rape charges" in sentence for sentence in said) == 2
    assert said[-1] == "Everything due for the latest figures was received."


def test_a_summary_names_what_is_partial(share: Series) -> None:
    assert words.summary([share])[-1] == "Some of what is due was not received: Rape charge share."
    assert words.quality_sentence(share) == "Year to December 2018 is partial: 3 of 4 quarters received."


def test_what_was_never_received_since_is_said(charges: Series) -> None:
    last = charges.values[-1]
    late = replace(last, status="no_data_received", value=None, start=date(2019, 1, 1), end=date(2019, 3, 31))
    sentence = words.quality_sentence(replace(charges, values=(*charges.values, late)))
    assert sentence == "No data received for one quarter since (January to March 2019)."


def test_no_sentence_is_dramatic_or_names_a_cause(charges: Series) -> None:
    findings = [None, *(Signal(rule, is_high) for rule, is_high in product(Rule, (True, False)))]
    judged = [_judged(charges, signal, said) for signal, said in product(findings, Reading)]
    text = " ".join([*map(words.signal_sentence, judged), *map(words.headline, judged), *words.summary(judged)]).lower()
    for word in ("significant", "because of", "due to", "plummet", "soar", "surge", "best", "worst", "fail"):
        assert word not in text


@pytest.mark.parametrize(
    ("level", "name", "members", "expected"),
    [
        ("area", "West Midlands CPS Area", "20|21|22|23", "West Midlands CPS Area (four forces)"),
        ("area", "One CPS Area", "20", "One CPS Area (one force)"),
        ("area", "London North CPS Area", "", "London North CPS Area"),
        ("area", "London (CPS London North and London South together)", "01|48", None),
        ("force", "West Midlands Police", "20", "West Midlands Police"),
    ],
)
def test_an_area_is_titled_with_its_forces(
    edition: Edition, level: str, name: str, members: str, expected: str | None
) -> None:
    area = replace(
        edition.areas[NATIONAL_KEY], level=level, name=name, member_force_codes=tuple(filter(None, members.split("|")))
    )
    assert words.area_title(area) == (expected or name)


def test_limits_are_cut_at_what_a_measure_can_reach(charges: Series, share: Series) -> None:
    wide = ProcessLimits(50, -10, 110)
    assert words.bounded(wide, charges.measure) == (0.0, 110)
    assert words.bounded(wide, share.measure) == (0.0, 100.0)


def _judged(series: Series, signal: Signal | None, said: Reading) -> Series:
    limits = None if said is Reading.NOT_ASSESSED else ProcessLimits(1050, 1000, 1100)
    last: Value = series.values[-1]
    return replace(
        series,
        assessment=Assessment(limits, is_trial=False, signals=(signal,)),
        moments=(Moment(last, 0, signal, said),),
    )
