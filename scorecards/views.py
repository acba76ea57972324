"""What stands on each page, as plain records that the templates write out.

Belongs here: choosing and ordering an edition's figures for a page. Does not belong here: markup (``templates/``),
sentences (``scorecards.words``) and files (``scorecards.render``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from scorecards import charts, words
from scorecards.edition import NATIONAL_KEY, Area, Edition, Measure, Value
from scorecards.paths import VALUES, download_path, link, page_path
from scorecards.process_limits import Reading
from scorecards.series import RECEIVED, YEAR, Moment, Series, SeriesBook, drawn
from scorecards.tables import Table, areas_table, breakdown_tables, figures_table, quality_words, years_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markupsafe import Markup

    from scorecards.registers import Event


@dataclass(frozen=True, slots=True)
class SignalView:
    """A reading as a word, a letter and a class of the style sheet."""

    word: str
    letter: str
    css: str


@dataclass(frozen=True, slots=True)
class Headline:
    """One line of the table that opens a page."""

    title: str
    href: str
    unit: str
    year: str
    year_period: str
    baseline: str
    change: str
    latest: str
    latest_period: str
    national: str
    spark: Markup
    signal: SignalView
    quality: str


@dataclass(frozen=True, slots=True)
class EventView:
    """Something that bends figures without being performance, and which of those shown it touches.

    ``label`` is that of the shaded part of a chart, empty beside figures that are not drawn.
    """

    label: str
    period: str
    sentence: str
    source: str
    measures: list[str]


@dataclass(frozen=True, slots=True)
class Section:
    """One measure on an area's page."""

    anchor: str
    title: str
    unit: str
    subtitle: str
    headline: str
    signal_sentence: str
    quality_sentence: str
    chart: Markup | None
    chart_notes: tuple[str, ...]
    events: tuple[EventView, ...]
    tables: tuple[Table, ...]
    folded: tuple[Table, ...]
    caveat: str
    definition: tuple[tuple[str, str], ...]
    measure_href: str
    download_href: str


@dataclass(frozen=True, slots=True)
class Theme:
    """Sections under one heading."""

    title: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class AreaView:
    """The page of an area."""

    title: str
    intro: str
    note: str
    relatives: tuple[tuple[str, str], ...]
    relatives_title: str
    headlines: tuple[Headline, ...]
    has_national: bool
    baseline: str
    changes: tuple[str, ...]
    events: tuple[EventView, ...]
    summary: tuple[str, ...]
    themes: tuple[Theme, ...]
    not_published: tuple[str, ...]
    download_href: str


@dataclass(frozen=True, slots=True)
class MeasureView:
    """The page of a measure: the nation as a section, then every area in one table per level."""

    title: str
    unit: str
    section: Section | None
    events: tuple[EventView, ...]
    tables: tuple[Table, ...]
    definition: tuple[tuple[str, str], ...]
    caveat: str
    download_href: str


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link with a note behind it and links below it."""

    title: str
    href: str
    note: str = ""
    children: tuple[LinkView, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexView:
    """The first page."""

    headlines: tuple[Headline, ...]
    baseline: str
    areas: tuple[LinkView, ...]
    other_forces: tuple[LinkView, ...]
    measures: tuple[tuple[str, tuple[LinkView, ...]], ...]
    download_href: str


def area_view(edition: Edition, book: SeriesBook, area: Area) -> AreaView:
    """The page of England and Wales, of a CPS Area or of a force."""
    page = page_path(area)
    known = [(measure, book.of(area, measure)) for measure in edition.measures.values()]
    held = [series for _, series in known if series is not None and series.is_applicable]
    leading = [series for series in held if series.measure.is_headline and (series.values or series.years)]
    relatives_title, relatives = _relatives(edition, area, page)
    return AreaView(
        title=words.area_title(area),
        intro=_intro(area, held),
        note=area.note,
        relatives=relatives,
        relatives_title=relatives_title,
        headlines=tuple(_headline(series, book, f"#{_anchor(series.measure)}") for series in leading),
        has_national=area.key != NATIONAL_KEY,
        baseline=words.baseline_name(edition.release.baseline),
        changes=tuple(
            sentence for series in leading if (sentence := words.changed_sentence(series, edition.release.baseline))
        ),
        events=_events(edition, area, leading),
        summary=tuple(words.summary(leading)) if leading else (),
        themes=tuple(
            Theme(theme, tuple(section(series, page, edition.events) for series in group))
            for theme, group in groupby(held, key=lambda series: series.measure.theme)
        ),
        not_published=tuple(
            words.short_title(measure) for measure, series in known if series is None or not series.is_applicable
        ),
        download_href=link(page, download_path(area)),
    )


def measure_view(edition: Edition, book: SeriesBook, measure: Measure) -> MeasureView:
    """The page of a measure with every area in the order of the list of areas, never ranked; the nation heads each."""
    page = page_path(measure)
    national = book.national(measure)
    levels = (("area", "CPS Areas"), ("force", "police forces"))
    held = [series for area in edition.areas.values() if (series := book.of(area, measure)) is not None]
    found = [
        areas_table(measure, name, [series for series in held if series.area.level in ("national", level)], page)
        for level, name in levels
    ]
    shown = section(national, page, edition.events) if national is not None else None
    drawn_already = {event.sentence for event in shown.events} if shown is not None else set()
    return MeasureView(
        title=words.short_title(measure),
        unit=words.unit_and_source(measure),
        section=shown,
        events=tuple(event for event in _events_of_measure(edition, held) if event.sentence not in drawn_already),
        tables=tuple(table for table in found if table.rows),
        definition=definition(measure),
        caveat=measure.caveat,
        download_href=link(page, download_path(measure)),
    )


def index_view(edition: Edition, book: SeriesBook, page: str) -> IndexView:
    """The first page: the nation's headlines, then the ways to every other page."""
    nation = edition.areas[NATIONAL_KEY]
    leading = [
        series
        for measure in edition.measures.values()
        if measure.is_headline and (series := book.of(nation, measure)) is not None and (series.values or series.years)
    ]
    forces = {area.code: area for area in edition.areas.values() if area.level == "force"}
    placed = {code for area in edition.areas.values() if area.level == "area" for code in area.member_force_codes}
    return IndexView(
        headlines=tuple(_headline(series, book, link(page, page_path(series.measure))) for series in leading),
        baseline=words.baseline_name(edition.release.baseline),
        areas=tuple(
            LinkView(
                words.area_title(area),
                link(page, page_path(area)),
                children=tuple(_link(forces[code], page) for code in area.member_force_codes if code in forces),
            )
            for area in edition.areas.values()
            if area.level == "area"
        ),
        other_forces=tuple(_link(force, page) for code, force in forces.items() if code not in placed),
        measures=tuple(
            (
                theme,
                tuple(
                    LinkView(words.short_title(one), link(page, page_path(one)), words.unit_and_source(one))
                    for one in group
                ),
            )
            for theme, group in groupby(edition.measures.values(), key=lambda measure: measure.theme)
        ),
        download_href=link(page, VALUES),
    )


def section(series: Series, page: str, events: Sequence[Event] = ()) -> Section:
    """One measure in one area: sentence, chart, the same numbers in a table, caveat, definition, download."""
    measure, area = series.measure, series.area
    anchor = _anchor(measure)
    kept = _received_span(series.values)
    years = _received_span(series.years) if series.grain != YEAR else ()
    shown: list[Table] = []
    folded: list[Table] = []
    if kept:
        shown.append(figures_table(series, kept))
    shown += breakdown_tables(series)
    if years:
        folded.append(years_table(series, years))
    lines = _lines(series)
    points = _points(series)
    has_chart = any(point.value is not None for point in points)
    bands, beside = _bands(series, events)
    return Section(
        anchor=anchor,
        title=words.short_title(measure),
        unit=words.unit_and_source(measure),
        subtitle=_subtitle(series, kept),
        headline=words.headline(series) if series.values or series.years else "",
        signal_sentence=words.signal_sentence(series) if kept else "",
        quality_sentence=words.quality_sentence(series),
        chart=_chart(series, points, lines, f"chart-{anchor}", bands) if has_chart else None,
        chart_notes=tuple(_chart_notes(series, points, lines)) if has_chart else (),
        events=beside if has_chart else (),
        tables=tuple(shown),
        folded=tuple(folded),
        caveat=measure.caveat,
        definition=definition(measure),
        measure_href=link(page, page_path(measure)),
        download_href=link(page, download_path(area)),
    )


def definition(measure: Measure) -> tuple[tuple[str, str], ...]:
    """What a measure counts, as terms and their meaning; terms without a meaning are left out."""
    direction = {
        "more_is_better": "More is better",
        "less_is_better": "Less is better",
        "neither": "Neither: a change is called high or low, not good or bad",
    }[measure.direction]
    minimum = measure.minimum_denominator
    terms = (
        ("Counted", measure.numerator),
        ("Out of", measure.denominator),
        ("Unit", measure.unit),
        ("Placed in a period by", measure.period_placed_by),
        ("Which way is better", direction),
        ("Least number for a rate", words.number(minimum) if minimum else ""),
        ("Recorded since", measure.recorded_since),
        ("Source", words.extract_name(measure.source)),
        ("In this form since version", measure.since_version),
        ("Identifier", measure.measure_id),
    )
    return tuple((term, meaning) for term, meaning in terms if meaning)


def signal_view(reading: Reading) -> SignalView:
    """A reading in words, letter and class."""
    return SignalView(
        words.READING_WORDS[reading],
        words.READING_LETTERS.get(reading, ""),
        {Reading.HIGH: "neutral", Reading.LOW: "neutral"}.get(reading, reading.value.replace("_", "-")),
    )


def _headline(series: Series, book: SeriesBook, href: str) -> Headline:
    measure, latest, year = series.measure, series.latest, series.latest_year
    nation = book.national(measure)
    beside = nation.year_ending_with(year) if nation is not None and year is not None else None
    return Headline(
        title=words.short_title(measure),
        href=href,
        unit=words.unit_and_source(measure),
        year=words.latest_shown(year, series),
        year_period=words.period(year) if year is not None else "",
        baseline=_baseline_shown(year, measure),
        change=words.change(year, measure),
        latest=words.latest_shown(latest, series),
        latest_period=words.period(latest) if latest is not None else "",
        # The nation's cases are other Areas' cases.
        national=words.CONFIDENTIAL
        if nation is None and measure.is_case_level
        else words.shown_with_quality(beside, measure, series.grain),
        spark=charts.spark_line([drawn(moment) for moment in series.moments]),
        signal=signal_view(series.reading),
        quality=quality_words(series),
    )


def _baseline_shown(year: Value | None, measure: Measure) -> str:
    return words.amount(year.baseline_value, measure) if year is not None and year.baseline_value is not None else ""


def _events(edition: Edition, area: Area, leading: Sequence[Series]) -> tuple[EventView, ...]:
    """Events that touch a headline figure or what it is compared with, each once."""
    codes = _codes(area)
    found: dict[str, EventView] = {}
    for series in leading:
        for year in series.years:
            # The years shown are the latest and its baseline; what lies between bends the way from one to the other.
            if year is not series.latest_year:
                continue
            start = _baseline_start(edition.release.baseline, year)
            for event in edition.events:
                if event.touches(series.measure.measure_id, codes, start, year.end):
                    found.setdefault(event.event_id, _event_view(event))
                    found[event.event_id].measures.append(words.short_title(series.measure))
    return tuple(found.values())


def _events_of_measure(edition: Edition, held: Iterable[Series]) -> Iterable[EventView]:
    """Events that touch the years in which a measure's areas stand beside one another."""
    years = [(series.area, year) for series in held if (year := series.latest_year) is not None]
    for event in edition.events:
        if any(
            event.touches(year.measure_id, _codes(area), _baseline_start(edition.release.baseline, year), year.end)
            for area, year in years
        ):
            yield _event_view(event)


def _baseline_start(baseline: str, year: Value) -> date:
    if baseline == "year_before":
        return year.start.replace(year=year.start.year - 1)
    first = date.fromisoformat(f"{baseline}-01")
    return min(year.start, date(first.year - 1 + first.month // 12, first.month % 12 + 1, 1))


def _intro(area: Area, held: Sequence[Series]) -> str:
    if not held:
        return f"[z] No figures are published separately for {area.name}."
    ends = [value.end for series in held for value in (series.latest, series.latest_year) if value is not None]
    if not ends:
        return f"No data has been received yet for {area.name}."
    what = (
        "Figures counted from cases, and published ones," if any(s.measure.is_case_level for s in held) else "Figures"
    )
    return (
        f"{what} about rape and serious sexual offences. The latest period of any measure on this page ends "
        f"on {words.day(max(ends))}; each figure names its own."
    )


def _relatives(edition: Edition, area: Area, page: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    if area.level == "area":
        title, wanted = "Forces of this Area", [("force", code) for code in area.member_force_codes]
    elif area.level == "force":
        title, wanted = "CPS Area of this force", [("area", code) for code in area.parent_codes]
    else:
        return "", ()
    found = [edition.areas[key] for key in wanted if key in edition.areas]
    return title, tuple((words.area_title(one), link(page, page_path(one))) for one in found)


def _link(area: Area, page: str) -> LinkView:
    return LinkView(area.name, link(page, page_path(area)))


def _anchor(measure: Measure) -> str:
    return page_path(measure).split("/")[1]


def _subtitle(series: Series, kept: Sequence[Value]) -> str:
    unit = "per cent" if series.measure.is_share else series.measure.unit
    if not kept:
        return f"{unit.capitalize()}, {series.area.name}"
    reach = words.span(kept[0].start, kept[-1].end)
    return f"{unit.capitalize()} by {words.GRAIN_NAMES[series.grain]}, {series.area.name}, {reach}"


def _received_span(values: Sequence[Value]) -> tuple[Value, ...]:
    places = [index for index, value in enumerate(values) if value.status in RECEIVED]
    return tuple(values[places[0] : places[-1] + 1]) if places else ()


def _lines(series: Series) -> charts.Lines | None:
    limits = series.assessment.limits
    if limits is None:
        return None
    lower, upper = words.bounded(limits, series.measure)
    return charts.Lines(limits.centre, lower, upper, series.assessment.is_trial)


def _points(series: Series) -> list[charts.Point]:
    return [_point(moment) for moment in series.moments]


def _point(moment: Moment) -> charts.Point:
    value = moment.value
    if value is None:
        return charts.Point("", None)
    return charts.Point(
        label=words.short_period(value),
        value=value.value if value.status in ("complete", "partial") else None,
        is_partial=value.status == "partial",
        reading=moment.reading,
        starts_year=str(value.start.year) if value.start.month == 1 and value.grain != YEAR else "",
    )


def _bands(series: Series, events: Iterable[Event]) -> tuple[tuple[charts.Band, ...], tuple[EventView, ...]]:
    """What touches a charted series: the periods to shade, and what stands below the chart of each."""
    bands: list[charts.Band] = []
    views: list[EventView] = []
    codes = _codes(series.area)
    for event in (event for event in events if event.concerns(series.measure.measure_id, codes)):
        touched = [
            moment.position
            for moment in series.moments
            if moment.value is not None and event.overlaps(moment.value.start, moment.value.end)
        ]
        if touched:
            label = str(len(bands) + 1)
            bands.append(charts.Band(touched[0], touched[-1], label))
            views.append(_event_view(event, label))
    return tuple(bands), tuple(views)


def _event_view(event: Event, label: str = "") -> EventView:
    return EventView(label, words.span(event.start, event.end), event.sentence, event.source, [])


def _codes(area: Area) -> tuple[str, ...]:
    return (area.code, *area.parent_codes, *area.member_force_codes)


def _chart(
    series: Series,
    points: Sequence[charts.Point],
    lines: charts.Lines | None,
    chart_id: str,
    bands: Sequence[charts.Band],
) -> Markup:
    measure = series.measure
    described = [f"Line chart of {len(points)} {words.GRAIN_NAMES[series.grain]}s."]
    if series.assessment.limits is not None:
        described.append(f"Process limits {words.usual_range(series.assessment.limits, measure)}.")
    described.append(words.signal_sentence(series))
    if bands:
        described.append("Shaded periods are explained below.")
    described.append("The same numbers are in the table below.")
    return charts.line_chart(
        points,
        chart_id=chart_id,
        title=f"{words.short_title(measure)}, {series.area.name}",
        description=" ".join(described),
        lines=lines,
        suffix="%" if measure.is_share else "",
        bands=bands,
    )


def _chart_notes(series: Series, points: Sequence[charts.Point], lines: charts.Lines | None) -> Iterable[str]:
    if lines is None:
        yield "Fewer than seven complete periods: no limits and no signals."
    elif lines.is_trial:
        yield "Dashed: trial limits, from fewer than 13 points."
    marks = {moment.reading for moment in series.moments} & set(words.READING_LETTERS)
    named = [
        f"{words.READING_LETTERS[mark]} = {words.READING_WORDS[mark].lower()} ({shape})"
        for mark, shape in (
            (Reading.IMPROVEMENT, "circle"),
            (Reading.CONCERN, "diamond"),
            (Reading.HIGH, "square"),
            (Reading.LOW, "square"),
        )
        if mark in marks
    ]
    if named:
        yield f"Signals: {', '.join(named)}."
    if any(point.is_partial for point in points):
        yield "Hollow: partial, left out of limits and signals."
    if any(point.value is None for point in points):
        yield "A gap is a period without data or without a rate."
    if not charts.starts_at_zero(points, lines, is_rate=series.measure.is_share):
        yield "The axis does not begin at zero."
