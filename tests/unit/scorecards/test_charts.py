"""Charts: the same bytes for the same values, every text escaped, nothing that a strict page would refuse."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorecards.charts import Band, Lines, Point, line_chart, share_bar, spark_line, starts_at_zero
from scorecards.process_limits import Reading

HOSTILE = "<script>alert(1)</script>\"'&"


def chart(points: list[Point], **changes: object) -> str:
    given: dict[str, object] = {"chart_id": "chart-a", "title": "A title", "description": "A description"} | changes
    return str(line_chart(points, **given))  # type: ignore[arg-type]


def points(*values: float | None) -> list[Point]:
    return [Point(f"P{index}", value) for index, value in enumerate(values)]


def test_equal_inputs_give_equal_bytes() -> None:
    lines = Lines(2, 1, 3, is_trial=False)
    assert chart(points(1, 2, None, 3), lines=lines) == chart(points(1, 2, None, 3), lines=lines)


def test_titles_descriptions_and_labels_are_escaped() -> None:
    markup = chart([Point(HOSTILE, 1.0)], title=HOSTILE, description=HOSTILE)
    assert "<script" not in markup
    assert ET.fromstring(markup).findtext("title") == HOSTILE  # noqa: S314 - our own markup


def test_a_chart_is_an_image_with_a_title_and_a_description() -> None:
    root = ET.fromstring(chart(points(1, 2)))  # noqa: S314 - our own markup
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "chart-a-title chart-a-desc"
    assert {child.get("id") for child in root} >= {"chart-a-title", "chart-a-desc"}


def test_a_missing_period_breaks_the_line() -> None:
    assert _path(chart(points(1, 2, 3))).count("M") == 1
    assert _path(chart(points(1, None, 3))).count("M") == 2


def test_a_partial_point_is_hollow_and_not_joined() -> None:
    markup = chart([Point("a", 1), Point("b", 2, is_partial=True), Point("c", 3)])
    assert markup.count('class="partial"') == 1
    assert _path(markup).count("M") == 2


def test_trial_limits_are_dashed_and_others_are_not() -> None:
    assert chart(points(1, 2), lines=Lines(2, 1, 3, is_trial=True)).count('class="limit trial"') == 2
    assert 'trial"' not in chart(points(1, 2), lines=Lines(2, 1, 3, is_trial=False))


def test_without_limits_none_are_drawn() -> None:
    assert "limit" not in chart(points(1, 2))


@pytest.mark.parametrize(
    ("said", "shape", "letter"),
    [
        (Reading.IMPROVEMENT, "circle", "I"),
        (Reading.CONCERN, "path", "C"),
        (Reading.HIGH, "rect", "H"),
        (Reading.LOW, "rect", "L"),
    ],
)
def test_a_signal_has_a_shape_and_a_letter_besides_its_colour(said: Reading, shape: str, letter: str) -> None:
    root = ET.fromstring(chart([Point("a", 1), Point("b", 2, reading=said)]))  # noqa: S314 - our own markup
    css = {Reading.HIGH: "neutral", Reading.LOW: "neutral"}.get(said, said.value)
    assert [child.tag for child in root if child.get("class") == css] == [shape]
    assert [child.text for child in root if child.get("class") == "letter"] == [letter]


def test_nothing_is_styled_in_line_or_fetched() -> None:
    markup = chart(points(1, 2), lines=Lines(2, 1, 3, is_trial=True)) + spark_line([1, 2]) + share_bar(50)
    assert not re.search(r"style=|href|url\(|<style|xmlns|on[a-z]+=", markup)


def test_a_count_is_drawn_from_zero_and_a_narrow_rate_is_not() -> None:
    assert starts_at_zero(points(60, 70), None, is_rate=False)
    assert not starts_at_zero(points(60, 70), None, is_rate=True)
    assert starts_at_zero(points(5, 70), None, is_rate=True)


@given(st.lists(st.none() | st.floats(-1e9, 1e9), min_size=1, max_size=60))
def test_any_series_stays_inside_its_chart(values: list[float | None]) -> None:
    markup = chart(points(*values)) + str(spark_line(values))
    assert "nan" not in markup
    assert "inf" not in markup
    places = [float(y) for y in re.findall(r'cy="(-?[\d.]+)"', markup)]
    assert all(0 <= place <= 270 for place in places)


def test_a_band_shades_its_periods_from_edge_to_edge() -> None:
    markup = chart(points(1, 2, 3, 4), bands=[Band(1, 2, "1")])
    left, width = (
        float(value) for value in re.findall(r'class="event" x="([\d.]+)" y="20" width="([\d.]+)"', markup)[0]
    )
    circles = [float(x) for x in re.findall(r'cx="([\d.]+)"', markup)]
    step = circles[1] - circles[0]
    assert (left, width) == (pytest.approx(circles[1] - step / 2, abs=0.1), pytest.approx(2 * step, abs=0.1))


def test_a_band_at_the_edge_stays_inside_the_drawing() -> None:
    for count in (1, 2, 40):
        markup = chart(points(*range(count)), bands=[Band(0, count - 1, "1")])
        left, width = (float(v) for v in re.findall(r'class="event" x="([\d.]+)" y="20" width="([\d.]+)"', markup)[0])
        assert left >= 58
        assert left + width <= 680


def test_labels_of_bands_that_begin_together_stand_below_one_another() -> None:
    bands = [Band(0, 9, "1"), Band(0, 3, "2"), Band(8, 9, "3"), Band(0, 1, HOSTILE)]
    markup = chart(points(*range(10)), bands=bands)
    assert "<script" not in markup
    places = re.findall(r'class="event-label" x="([\d.]+)" y="(\d+)"', markup)
    assert len(places) == len(set(places)) == 4
    assert {y for _, y in places} == {"32", "46", "60"}


def test_an_empty_spark_line_is_nothing() -> None:
    assert spark_line([None, None]) == ""


@pytest.mark.parametrize(("share", "width"), [(-5, "0.0"), (50, "60.0"), (140, "120.0")])
def test_a_bar_stays_inside_its_track(share: float, width: str) -> None:
    assert f'class="fill" width="{width}"' in share_bar(share)


def _path(markup: str) -> str:
    found = re.search(r'class="line" d="([^"]*)"', markup)
    assert found is not None
    return found.group(1)
