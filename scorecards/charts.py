"""Charts as small SVG: a line with its process limits, a spark line, a share bar.

Belongs here: pure functions from values to markup; the same values give the same bytes. Does not belong here: which
values are shown and what they mean (they come with their readings), and colours: those are the style sheet's. A page's
content security policy allows no inline style, so everything here is geometry and classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from scorecards.process_limits import Reading
from scorecards.words import READING_LETTERS, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH, HEIGHT = 720, 270
LEFT, RIGHT, TOP, BOTTOM = 58, 92, 20, 42
SPARK_WIDTH, SPARK_HEIGHT = 120, 28
SPARK_EDGE = 4
BAR_WIDTH, BAR_HEIGHT = 120, 12
MARGIN = 40  # to the right where no limits are named
TICKS_WANTED = 5
LABELS_AT_MOST = 9
LABEL_HEIGHT = 28  # of the two lines that name a limit
LABEL_WIDTH = 78  # of a label such as "Jan-Mar 2018", so that neighbours do not touch
BAND_LABEL_WIDTH, BAND_LABEL_HEIGHT = 16, 14  # of a label such as "2", so that neighbours do not touch
LEAST_REACH = 1e-100  # values closer to one another than this are drawn as a flat line
ZOOM_SHARE = 0.5  # a rate that never falls below this share of its highest value is drawn without zero


@dataclass(frozen=True, slots=True)
class Point:
    """One period on a chart; a partial one is drawn hollow and not joined to its neighbours."""

    label: str
    value: float | None
    is_partial: bool = False
    reading: Reading = Reading.NOT_ASSESSED
    starts_year: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """Centre and limits to draw; dashed when they are trial limits."""

    centre: float
    lower: float
    upper: float
    is_trial: bool


@dataclass(frozen=True, slots=True)
class Band:
    """Periods from ``first`` to ``last`` (positions) shaded behind the line; a list below explains the label."""

    first: int
    last: int
    label: str


@dataclass(frozen=True, slots=True)
class _Scale:
    """From periods and values to places in the drawing."""

    low: float
    high: float
    count: int
    right: float

    def x(self, position: int) -> float:
        width = self.right - LEFT
        return LEFT + (width / 2 if self.count == 1 else 8 + (width - 16) * position / (self.count - 1))

    def between(self, position: float) -> float:
        """The place half-way to a neighbour, and never beyond the drawing."""
        step = self.x(1) - self.x(0) if self.count > 1 else self.right - LEFT
        return min(max(self.x(0) + step * position, LEFT), self.right)

    def y(self, value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - value) / (self.high - self.low)


def line_chart(
    points: Sequence[Point],
    *,
    chart_id: str,
    title: str,
    description: str,
    lines: Lines | None = None,
    suffix: str = "",
    bands: Sequence[Band] = (),
) -> Markup:
    """A line over time with its centre and limits.

    Args:
        points: every period from the first to the last, without holes; a missing one has no value and breaks the line.
        chart_id: unique on the page; letters, digits, hyphens.
        title: what a screen reader announces.
        description: what the chart shows, in a sentence or two.
        lines: centre and limits, or None where there are too few points for them.
        suffix: what stands behind the numbers of the axis ('%').
        bands: periods to shade.
    """
    scale, ticks = _scaled(points, lines, is_rate=suffix == "%")
    body = [
        *_bands(bands, scale),
        *_grid(scale, ticks, suffix),
        *_time_axis(points, scale),
        *(_limits(lines, scale, suffix) if lines else ()),
        _line(points, scale),
        *_markers(points, scale, lines),
    ]
    return _markup(
        f'<svg class="chart" role="img" aria-labelledby="{escape(chart_id)}-title {escape(chart_id)}-desc" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f'<title id="{escape(chart_id)}-title">{escape(title)}</title>'
        f'<desc id="{escape(chart_id)}-desc">{escape(description)}</desc>{"".join(body)}</svg>'
    )


def starts_at_zero(points: Sequence[Point], lines: Lines | None, *, is_rate: bool) -> bool:
    """Whether the axis of this chart begins at zero, so that a page can say it when it does not."""
    return _scaled(points, lines, is_rate=is_rate)[1][0] <= 0


def spark_line(values: Sequence[float | None]) -> Markup:
    """The shape of a series without axes, beside figures that say the same; hidden from screen readers."""
    present = [value for value in values if value is not None]
    if not present:
        return Markup("")
    low, high = min(present), max(present)
    across = (SPARK_WIDTH - 2 * SPARK_EDGE) / max(len(values) - 1, 1)
    down = (SPARK_HEIGHT - 2 * SPARK_EDGE) / (high - low if high - low > LEAST_REACH else 1.0)
    places = [
        None if value is None else (SPARK_EDGE + across * index, SPARK_EDGE + down * (high - value))
        for index, value in enumerate(values)
    ]
    last_x, last_y = next(place for place in reversed(places) if place is not None)
    return _markup(
        f'<svg class="spark" aria-hidden="true" focusable="false" viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}" '
        f'width="{SPARK_WIDTH}" height="{SPARK_HEIGHT}"><path class="line" d="{_path(places)}"/>'
        f'<circle class="last" cx="{last_x:.1f}" cy="{last_y:.1f}" r="3"/></svg>'
    )


def share_bar(share: float) -> Markup:
    """A share from 0 to 100 as a bar, beside the figure that says the same; hidden from screen readers."""
    width = BAR_WIDTH * min(max(share, 0.0), 100.0) / 100
    return _markup(
        f'<svg class="bar" aria-hidden="true" focusable="false" viewBox="0 0 {BAR_WIDTH} {BAR_HEIGHT}" '
        f'width="{BAR_WIDTH}" height="{BAR_HEIGHT}"><rect class="track" width="{BAR_WIDTH}" height="{BAR_HEIGHT}"/>'
        f'<rect class="fill" width="{width:.1f}" height="{BAR_HEIGHT}"/></svg>'
    )


def _markup(svg: str) -> Markup:
    # Everything that is not geometry of this module has been through ``escape`` by now.
    return Markup(svg)  # noqa: S704


def _scaled(points: Sequence[Point], lines: Lines | None, *, is_rate: bool) -> tuple[_Scale, list[float]]:
    values = [point.value for point in points if point.value is not None] or [0.0]
    if lines:
        values += [lines.lower, lines.upper, lines.centre]
    low, high = min(values), max(values)
    is_zoomed = is_rate and low > ZOOM_SHARE * high
    ticks = _ticks(low if is_zoomed else min(low, 0.0), high)
    return _Scale(ticks[0], ticks[-1], len(points), WIDTH - (RIGHT if lines else MARGIN)), ticks


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low if high - low > LEAST_REACH else 1.0) / TICKS_WANTED
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * size for size in (1, 2, 5, 10) if power * size >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * index for index in range(first, max(last, first + 1) + 1)]


def _bands(bands: Sequence[Band], scale: _Scale) -> Iterator[str]:
    """Shaded periods; labels of bands that begin close to one another stand in rows below one another."""
    taken: list[float] = []  # where the last label of each row ends
    for band in sorted(bands, key=lambda band: (band.first, band.last)):
        left, right = scale.between(band.first - 0.5), scale.between(band.last + 0.5)
        row = next((row for row, end in enumerate(taken) if left >= end), len(taken))
        taken[row : row + 1] = [left + BAND_LABEL_WIDTH]
        height = HEIGHT - TOP - BOTTOM
        yield f'<rect class="event" x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" height="{height}"/>'
        y = TOP + 12 + BAND_LABEL_HEIGHT * row
        yield f'<text class="event-label" x="{left + 3:.1f}" y="{y}">{escape(band.label)}</text>'


def _grid(scale: _Scale, ticks: Sequence[float], suffix: str) -> Iterator[str]:
    for tick in ticks:
        y = scale.y(tick)
        yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{scale.right}" y2="{y:.1f}"/>'
        label = f"{_axis_number(tick)}{escape(suffix)}"
        yield f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'


def _time_axis(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    y = HEIGHT - BOTTOM
    for position, label in _axis_labels(points, scale):
        x = f"{scale.x(position):.1f}"
        yield f'<line class="axis" x1="{x}" y1="{y}" x2="{x}" y2="{y + 5}"/>'
        yield f'<text class="tick" x="{x}" y="{y + 19}" text-anchor="middle">{escape(label)}</text>'


def _axis_labels(points: Sequence[Point], scale: _Scale) -> list[tuple[int, str]]:
    if len(points) <= LABELS_AT_MOST:
        is_wide = len(points) == 1 or scale.x(1) - scale.x(0) >= LABEL_WIDTH
        return [(position, point.label) for position, point in enumerate(points) if is_wide or position % 2 == 0]
    years = [(position, point.starts_year) for position, point in enumerate(points) if point.starts_year]
    every = -(-len(years) // LABELS_AT_MOST) or 1
    return years[::every]


def _limits(lines: Lines, scale: _Scale, suffix: str) -> Iterator[str]:
    limit = "limit trial" if lines.is_trial else "limit"
    values = (lines.upper, lines.centre, lines.lower)
    heights = _spread([scale.y(value) for value in values])
    names = zip(("Upper limit", "Mean", "Lower limit"), (limit, "centre", limit), strict=True)
    label_x = scale.right + 6
    for (name, css), value, text_y in zip(names, values, heights, strict=True):
        y = scale.y(value)
        yield f'<line class="{css}" x1="{LEFT}" y1="{y:.1f}" x2="{scale.right}" y2="{y:.1f}"/>'
        figure = f'<tspan x="{label_x}" dy="13">{number(value, 1)}{escape(suffix)}</tspan>'
        yield f'<text class="note" x="{label_x}" y="{text_y - 2:.1f}">{name}{figure}</text>'


def _spread(heights: list[float]) -> list[float]:
    """Keep the labels of the three lines apart, the middle one in place."""
    top, middle, bottom = heights
    return [min(top, middle - LABEL_HEIGHT), middle, max(bottom, middle + LABEL_HEIGHT)]


def _line(points: Sequence[Point], scale: _Scale) -> str:
    places = [
        None if point.value is None or point.is_partial else (scale.x(position), scale.y(point.value))
        for position, point in enumerate(points)
    ]
    return f'<path class="line" d="{_path(places)}"/>'


def _path(places: Sequence[tuple[float, float] | None]) -> str:
    parts: list[str] = []
    is_drawing = False
    for place in places:
        if place is not None:
            parts.append(f"{'L' if is_drawing else 'M'}{place[0]:.1f} {place[1]:.1f}")
        is_drawing = place is not None
    return "".join(parts)


def _markers(points: Sequence[Point], scale: _Scale, lines: Lines | None) -> Iterator[str]:
    before = Reading.NOT_ASSESSED
    last = max((position for position, point in enumerate(points) if point.value is not None), default=-1)
    for position, point in enumerate(points):
        if point.value is None:
            before = Reading.NOT_ASSESSED
            continue
        x, y = scale.x(position), scale.y(point.value)
        yield _marker(x, y, point)
        letter = READING_LETTERS.get(point.reading)
        # Along a run of equal signals the letter stands at its beginning and at the latest point only.
        if letter and (point.reading is not before or position == last):
            is_below = lines is not None and point.value < lines.centre
            text_y = y + 17 if is_below else y - 9
            yield f'<text class="letter" x="{x:.1f}" y="{text_y:.1f}" text-anchor="middle">{letter}</text>'
        before = point.reading


def _marker(x: float, y: float, point: Point) -> str:
    if point.is_partial:
        return f'<circle class="partial" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    if point.reading is Reading.IMPROVEMENT:
        return f'<circle class="improvement" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
    if point.reading is Reading.CONCERN:
        corners = ((x, y - 5.5), (x + 5.5, y), (x, y + 5.5), (x - 5.5, y))
        return f'<path class="concern" d="{_path(corners)}Z"/>'
    if point.reading in (Reading.HIGH, Reading.LOW):
        return f'<rect class="neutral" x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"/>'
    return f'<circle class="common" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>'


def _axis_number(value: float) -> str:
    return number(value, 2).rstrip("0").rstrip(".")
