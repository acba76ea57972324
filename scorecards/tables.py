"""Tables of figures: the same numbers as in the charts, every area beside the others, deliveries, reconciliation.

Belongs here: rows and columns as plain records. Does not belong here: markup (``templates/``), sentences
(``scorecards.words``) and the order of a page (``scorecards.views``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from scorecards import charts, words
from scorecards.paths import link, page_path
from scorecards.process_limits import Reading
from scorecards.series import RECEIVED, YEAR, Series, drawn, finest_grain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from scorecards.edition import Delivery, Edition, Measure, Reconciliation, RowCounts, Value

ROWS_AT_MOST = 12
RECENT_ROWS = 8  # a table longer than ROWS_AT_MOST shows this many and folds the rest
BREAKDOWN_PERIODS = 4


@dataclass(frozen=True, slots=True)
class Row:
    """A table row: its header, perhaps a link, and its cells."""

    header: str
    cells: tuple[str | Markup, ...]
    href: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption; ``earlier`` holds the rows that are folded away. ``style`` is a class of the sheet."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    style: str = ""
    earlier: tuple[Row, ...] = ()


def deliveries_tables(deliveries: Sequence[Delivery]) -> tuple[Table, ...]:
    """What was received: a summary by extract and state, then every file of each extract with its rows."""
    ordered = sorted(
        deliveries,
        key=lambda one: (one.kind, one.kind_title, str(one.start), one.supplier, one.delivery_id, one.file_name),
    )
    kinds = [(title, list(files)) for title, files in groupby(ordered, key=lambda one: one.kind_title)]
    states = [state for state in words.STATE_WORDS if any(one.state == state for one in deliveries)]
    states += sorted({one.state for one in deliveries} - set(states))
    summary = [Row(kind or "Not known", _summary_cells(files, states)) for kind, files in kinds]
    names = [words.STATE_WORDS.get(state, state) for state in states]
    whole = Table(
        "Files received, by extract and state", ("Extract", *names, "Periods accepted"), tuple(summary), "last-text"
    )
    return (whole, *(_files_table(kind, files) for kind, files in kinds)) if kinds else ()


def _files_table(kind: str, files: Sequence[Delivery]) -> Table:
    """Every file of one extract; with its rows where none of them is a case."""
    is_counted = all(one.rows is not None for one in files)
    return Table(
        f"{kind or 'Not known'}: "
        + ("rows in = loaded + quarantined + duplicate" if is_counted else "rows are not counted in public"),
        (
            *("Delivery", "Supplier", "File", "Period", "Received", "State"),
            *(("Rows in", "Loaded", "Quarantined", "Duplicate", "Adds up") if is_counted else ()),
            "Validation report",
        ),
        tuple(Row(one.delivery_id, _delivery_cells(one, is_counted=is_counted)) for one in files),
        "all-text files",
    )


def _summary_cells(files: Sequence[Delivery], states: Sequence[str]) -> tuple[str, ...]:
    counted = Counter(one.state for one in files)
    return (*(words.count(counted[state]) for state in states), _covered(files))


def reconciliation_tables(rows: Sequence[Reconciliation], edition: Edition) -> tuple[Table, ...]:
    """One table per verdict, the unexplained first."""
    order = ("differs_unexplained", "differs_explained", "not_comparable", "agrees")
    found = sorted(
        {row.status for row in rows}, key=lambda status: (order.index(status) if status in order else -1, status)
    )
    columns = ("Measure", "Area", "Period", "Ours", "Other", "Difference", "Our source", "Other source", "Explanation")
    tables = []
    for status in found:
        chosen = [row for row in rows if row.status == status]
        name = words.RECONCILIATION_WORDS.get(status, status)
        records = tuple(_reconciliation_row(row, edition.measures[row.measure_id]) for row in chosen)
        shown = len(records) if len(records) <= ROWS_AT_MOST or status != "agrees" else RECENT_ROWS
        tables.append(
            Table(
                f"{name}: {words.count(len(records))}", columns, records[:shown], "all-text comparison", records[shown:]
            )
        )
    return tuple(tables)


def figures_table(series: Series, kept: Sequence[Value]) -> Table:
    """The charted numbers, newest first, with what the signals say."""
    readings = {moment.value.end: moment.reading for moment in series.moments if moment.value is not None}
    with_signals = series.assessment.limits is not None
    rows = tuple(
        Row(
            words.period(value),
            _value_cells(value, series) + ((_signal_text(readings[value.end]),) if with_signals else ()),
        )
        for value in reversed(kept)
    )
    grain = words.GRAIN_NAMES[series.grain]
    columns = (grain.capitalize(), *_value_columns(series.measure), *(("Signal",) if with_signals else ()))
    return _cut(
        f"{words.short_title(series.measure)}, {series.area.name}, by {grain}",
        columns,
        rows,
        "last-text" if with_signals else "",
    )


def years_table(series: Series, years: Sequence[Value]) -> Table:
    """Rolling years, newest first; they overlap, so they carry no signals."""
    rows = tuple(Row(words.period(value), _value_cells(value, series)) for value in reversed(years))
    caption = f"{words.short_title(series.measure)}, {series.area.name}, rolling years"
    return Table(caption, ("Rolling year", *_value_columns(series.measure)), rows)


def breakdown_tables(series: Series) -> list[Table]:
    """One table per dimension: latest rolling year first, then the latest periods."""
    by_dimension: dict[str, list[str]] = {}
    for name in series.breakdowns:
        by_dimension.setdefault(name.partition("=")[0], []).append(name)
    return [_breakdown_table(series, dimension, names) for dimension, names in by_dimension.items()]


def areas_table(measure: Measure, name: str, held: Sequence[Series], page: str) -> Table:
    """One measure in several areas, in their fixed order. A figure of another period than the head's names its own."""
    with_whole = [series for series in held if not series.breakdowns or series.values or series.years]
    if any(series.breakdowns for series in held) and not any(series.latest_year for series in with_whole):
        return _areas_breakdown_table(measure, name, held, page)
    year = _head_period([series.latest_year for series in with_whole])
    latest = _head_period([series.latest for series in with_whole])
    heads = ("Area", year or "Rolling year", latest or "Latest period", "Trend", "Signal", "Data quality")
    rows = tuple(_area_row(series, page, year, latest) for series in with_whole)
    return Table(f"{words.short_title(measure)}: {name}", heads, rows, "areas")


def _head_period(values: Sequence[Value | None]) -> str:
    received = [value for value in values if value is not None]
    return words.period(max(received, key=lambda value: value.end)) if received else ""


def _cut(caption: str, columns: tuple[str, ...], rows: tuple[Row, ...], style: str) -> Table:
    shown = len(rows) if len(rows) <= ROWS_AT_MOST else RECENT_ROWS
    return Table(caption, columns, rows[:shown], style, rows[shown:])


def _value_columns(measure: Measure) -> tuple[str, ...]:
    if measure.is_share:
        return ("Number", "Out of", "Per cent", "95% interval")
    return (measure.unit.capitalize() or "Number",)


def _value_cells(value: Value, series: Series) -> tuple[str, ...]:
    figure = words.shown_with_quality(value, series.measure, series.grain)
    if not series.measure.is_share:
        return (figure,)
    parts = [
        words.count(part) if part is not None and value.status in RECEIVED else ""
        for part in (value.numerator, value.denominator)
    ]
    return (*parts, figure, words.interval(value))


def _signal_text(reading: Reading) -> str:
    if reading in (Reading.NO_CHANGE, Reading.NOT_ASSESSED):
        return "" if reading is Reading.NO_CHANGE else "Not assessed"
    return f"{words.READING_LETTERS[reading]} {words.READING_WORDS[reading]}"


def _breakdown_table(series: Series, dimension: str, names: Sequence[str]) -> Table:
    rows = {name: series.breakdowns[name] for name in names}
    everything = [value for values in rows.values() for value in values]
    grain = finest_grain(everything)
    periods = sorted({(value.end, value.grain) for value in everything if value.grain == grain})[-BREAKDOWN_PERIODS:]
    years = sorted({(value.end, value.grain) for value in everything if value.grain == YEAR})[-1:]
    columns = years + [one for one in reversed(periods) if one not in years]
    named: dict[tuple[object, str], str] = {(value.end, value.grain): words.period(value) for value in everything}
    lines = []
    for name, values in rows.items():
        at = {(value.end, value.grain): value for value in values}
        first = at.get(columns[0])
        cells = tuple(_breakdown_cell(at.get(column), series) for column in columns)
        bar = charts.share_bar(first.value) if first is not None and first.value is not None else ""
        is_ratio = series.measure.is_share
        size = first.value if first is not None and first.value is not None else float("-inf")
        lines.append((-size, Row(name.partition("=")[2], (bar, *cells) if is_ratio else cells)))
    lines.sort(key=lambda pair: (pair[0], pair[1].header))
    heads = tuple(named[column] for column in columns)
    label = dimension.replace("_", " ")
    bar_head = (f"{heads[0]}, as a bar",) if series.measure.is_share else ()
    return Table(
        f"{words.short_title(series.measure)}, {series.area.name}, by {label}",
        (label.capitalize(), *bar_head, *heads),
        tuple(row for _, row in lines),
    )


def _breakdown_cell(value: Value | None, series: Series) -> str:
    figure = words.shown_with_quality(value, series.measure, series.grain)
    if value is None or not series.measure.is_share or value.numerator is None or value.value is None:
        return figure
    return f"{figure} ({words.count(value.numerator)})"


def _area_row(series: Series, page: str, year: str, latest: str) -> Row:
    letter = words.READING_LETTERS.get(series.reading, "")
    signal = f"{letter} {words.READING_WORDS[series.reading]}".strip() if series.is_applicable else ""
    return Row(
        header=words.area_title(series.area),
        href=link(page, page_path(series.area)),
        cells=(
            _figure_beside(series.latest_year, series, year),
            _figure_beside(series.latest, series, latest),
            charts.spark_line([drawn(moment) for moment in series.moments]),
            signal,
            quality_words(series),
        ),
    )


def _figure_beside(value: Value | None, series: Series, head: str) -> str:
    figure = words.latest_shown(value, series)
    return figure if value is None or words.period(value) == head else f"{figure} ({words.period(value)})"


def _areas_breakdown_table(measure: Measure, name: str, held: Sequence[Series], page: str) -> Table:
    names = sorted({name for series in held for name in series.breakdowns})
    rows = tuple(
        Row(
            words.area_title(series.area),
            tuple(_breakdown_cell(_last_received(series.breakdowns.get(one, ())), series) for one in names),
            link(page, page_path(series.area)),
        )
        for series in held
    )
    columns = ("Area", *(one.partition("=")[2] for one in names))
    return Table(f"{words.short_title(measure)}: {name}, latest rolling year", columns, rows)


def _last_received(values: Sequence[Value]) -> Value | None:
    years = [value for value in values if value.grain == YEAR] or values
    return next((value for value in reversed(years) if value.status in RECEIVED), years[-1] if years else None)


def _delivery_cells(one: Delivery, *, is_counted: bool) -> tuple[str, ...]:
    state = words.STATE_WORDS.get(one.state, one.state)
    rows = one.rows if is_counted else None
    return (
        one.supplier,
        one.file_name,
        words.span(one.start, one.end),
        words.moment(one.received_at) if one.received_at is not None else "",
        f"{state}: {one.reason}" if one.reason else state,
        *(_row_cells(rows) if rows else ()),
        one.report_path,
    )


def _row_cells(rows: RowCounts) -> tuple[str, ...]:
    counts = (rows.taken_in, rows.loaded, rows.quarantined, rows.duplicate)
    return *map(words.count, counts), "Yes" if rows.is_conserved else "No"


def _covered(files: Sequence[Delivery]) -> str:
    starts = [one.start for one in files if one.start is not None and one.state == "accepted"]
    ends = [one.end for one in files if one.end is not None and one.state == "accepted"]
    return words.span(min(starts), max(ends)) if starts and ends else ""


def _reconciliation_row(row: Reconciliation, measure: Measure) -> Row:
    period = words.period_of(row.grain, row.start, row.end) if row.start and row.end else ""
    figures = [
        words.amount(value, measure) if value is not None else words.NOT_AVAILABLE
        for value in (row.our_value, row.other_value)
    ]
    difference = _difference(row.difference, measure)
    return Row(
        words.short_title(measure),
        (row.area_name, period, *figures, difference, row.our_source, row.other_source, row.explanation),
    )


def _difference(value: float | None, measure: Measure) -> str:
    if value is None:
        return ""
    return f"{words.number(value, 1)} points" if measure.is_share else words.count(value)


def quality_words(series: Series) -> str:
    """What is missing from the latest figures, or that nothing is."""
    said = words.quality_sentence(series)
    if said or not series.is_applicable:
        return said
    return "Complete" if series.latest is not None or series.latest_year is not None else words.NO_DATA
