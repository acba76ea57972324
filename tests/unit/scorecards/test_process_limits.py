"""Process limits: the vectors of the design, and the edges of every rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorecards.process_limits import Reading, Rule, Signal, assess, process_limits, reading, signals

VECTOR = [1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]
WAVE = [9, 11, 10, 12, 8, 10, 11, 9, 10, 12, 8, 11, 9, 10]


def test_one_shock_widens_the_limits_without_screening() -> None:
    limits = process_limits(VECTOR, is_screened=False)
    assert [round(value, 2) for value in (limits.upper, limits.lower)] == [6.95, -3.06]


def test_one_shock_is_screened_out_of_the_limits() -> None:
    limits = process_limits(VECTOR)
    assert round(limits.centre, 3) == 1.944
    assert [round(value, 2) for value in (limits.upper, limits.lower)] == [4.6, -0.72]


def test_no_value_has_no_limits() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        process_limits([None])


def test_a_range_is_not_taken_across_a_gap() -> None:
    assert process_limits([1, None, 9]).upper == 5
    assert process_limits([1, 9]).upper > 9


@pytest.mark.parametrize(("values", "is_flagged"), [([1, 2, 3, 4, 5, 6, 7], True), ([2, 2, 3, 4, 5, 6, 7], False)])
def test_seven_rising_points_flag_and_six_do_not(values: list[float], is_flagged: bool) -> None:
    wide = process_limits([-100, 100, -100, 100])
    found = signals(values, wide)
    assert [signal == Signal(Rule.TREND, is_high=True) for signal in found] == [is_flagged] * 7


def test_seven_falling_points_are_low() -> None:
    wide = process_limits([-100, 100, -100, 100])
    assert signals([7, 6, 5, 4, 3, 2, 1], wide)[-1] == Signal(Rule.TREND, is_high=False)


def test_a_trend_ends_at_a_missing_period() -> None:
    wide = process_limits([-100, 100, -100, 100])
    assert signals([1, 2, 3, None, 4, 5, 6, 7], wide) == [None] * 8


def test_seven_points_on_one_side_flag() -> None:
    limits = process_limits([0, 20] * 10)
    assert {signal and signal.rule for signal in signals([9, 8, 9, 8, 9, 8, 9], limits)} == {Rule.SHIFT}


def test_a_point_on_the_mean_breaks_a_run() -> None:
    limits = process_limits([0, 20] * 10)
    assert signals([9, 8, 9, 10, 9, 8, 9], limits) == [None] * 7


def test_two_of_three_near_a_limit_flag_on_one_side_only() -> None:
    limits = process_limits([9, 11] * 10)  # 10 and 5.32 to either side
    near, inner, other = 14.0, 11.0, 9.0
    assert signals([near, inner, near], limits) == [Signal(Rule.NEAR_LIMIT, True), None, Signal(Rule.NEAR_LIMIT, True)]
    assert signals([near, other, near], limits) == [None] * 3


def test_a_point_outside_comes_before_every_other_rule() -> None:
    limits = process_limits([9, 11] * 10)
    assert signals([11, 12, 13, 14, 15, 16, 17], limits)[-1] == Signal(Rule.OUTSIDE, is_high=True)


@pytest.mark.parametrize("value", [5, 0.1, 69.55])
def test_an_all_equal_series_has_its_centre_as_limits_and_no_signal(value: float) -> None:
    found = assess([value] * 20)
    assert found.limits is not None
    assert found.limits.lower == found.limits.centre == found.limits.upper == pytest.approx(value)
    assert found.signals == (None,) * 20


def test_fewer_than_seven_points_have_neither_limits_nor_signals() -> None:
    found = assess([1, 2, 3, 4, 5, 100, None])
    assert found.limits is None
    assert set(found.signals) == {None}


@pytest.mark.parametrize(("points", "is_trial"), [(7, True), (12, True), (13, False)])
def test_fewer_than_thirteen_points_give_trial_limits(points: int, is_trial: bool) -> None:
    assert assess(WAVE[:points]).is_trial is is_trial


def test_a_small_centre_of_a_protected_edition_gives_no_signal() -> None:
    values = [*WAVE, 90]
    assert assess(values).signals[-1] is not None
    assert assess(values, least_centre=30).signals == (None,) * 15
    assert assess(values, least_centre=30).limits is not None


@pytest.mark.parametrize(
    ("direction", "is_high", "expected"),
    [
        ("more_is_better", True, Reading.IMPROVEMENT),
        ("more_is_better", False, Reading.CONCERN),
        ("less_is_better", True, Reading.CONCERN),
        ("less_is_better", False, Reading.IMPROVEMENT),
        ("neither", True, Reading.HIGH),
        ("neither", False, Reading.LOW),
    ],
)
def test_a_signal_reads_by_the_direction_of_its_measure(direction: str, is_high: bool, expected: Reading) -> None:
    assert reading(Signal(Rule.SHIFT, is_high), direction) is expected


def test_no_signal_reads_no_change() -> None:
    assert reading(None, "more_is_better") is Reading.NO_CHANGE


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=40))
def test_turning_a_series_upside_down_turns_its_signals(values: list[float | None]) -> None:
    upright = assess(values).signals
    turned = assess([None if value is None else -value for value in values]).signals
    assert [signal and Signal(signal.rule, not signal.is_high) for signal in turned] == list(upright)
