"""Figures, periods and findings in plain words.

Belongs here: the fixed grammar of the pages; every sentence that depends on data is made here and tested. Does not
belong here: causes (a page never names one) and markup.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from scorecards.paths import area_short_name
from scorecards.process_limits import Reading, Rule
from scorecards.series import MONTHS, Series

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from scorecards.edition import Area, Measure, Release, Value
    from scorecards.process_limits import ProcessLimits, Signal

MINUS = "\u2212"
NO_DATA = "[x] no data received"
NOT_AVAILABLE = "[x] not available"
NOT_APPLICABLE = "[z] not applicable"
TOO_FEW = "[u] too few for a rate"
NOT_FOLLOWED = "[x] not followed long enough yet"
CONFIDENTIAL = "[c] not shown"

_MARKERS = {"no_data_received": NO_DATA, "not_applicable": NOT_APPLICABLE, "not_followed_yet": NOT_FOLLOWED}
SYNTHETIC = "Synthetic figures: made for demonstration, not real."

GRAIN_NAMES = {"month": "month", "quarter": "quarter", "rolling_year": "rolling year"}
READING_WORDS = {
    Reading.IMPROVEMENT: "Improvement",
    Reading.CONCERN: "Concern",
    Reading.HIGH: "High",
    Reading.LOW: "Low",
    Reading.NO_CHANGE: "No clear change",
    Reading.NOT_ASSESSED: "Not assessed",
}
READING_LETTERS = {Reading.IMPROVEMENT: "I", Reading.CONCERN: "C", Reading.HIGH: "H", Reading.LOW: "L"}
STATE_WORDS = {
    "accepted": "Accepted",
    "held": "Held for a decision",
    "rejected": "Rejected",
    "duplicate": "Received before",
    "superseded": "Replaced by a later delivery",
}
RECONCILIATION_WORDS = {
    "agrees": "Agrees",
    "differs_explained": "Differs, explained",
    "differs_unexplained": "Differs, not explained",
    "not_comparable": "Not comparable",
}

EXTRACT_NAMES = {
    "police_crimes": "Crimes recorded by the police (case extract)",
    "police_referrals": "Submissions of the police to the CPS (case extract)",
    "early_discussions": "Early discussions of complex cases (case extract)",
    "cps_receipts": "CPS receipts (case extract)",
    "cps_reviews": "CPS reviews (case extract)",
    "cps_guidance_failures": "Failures to keep the guidance (case extract)",
    "cps_information_requests": "CPS requests for information (case extract)",
    "cps_decisions": "CPS decisions (case extract)",
    "cps_prosecution_outcomes": "CPS prosecutions (case extract)",
    "panel_findings": "Findings of the joint panels",
    "joint_meetings": "Joint meetings",
    "local_action_plan": "Local action plans",
    "home_office_outcomes": "Home Office crime outcomes",
    "home_office_recorded_crime": "Home Office recorded crime",
    "cps_principal_offence_outcomes": "CPS case outcomes by principal offence category",
}

_BEGINNINGS = {
    Reading.CONCERN: "Concern at the latest period",
    Reading.IMPROVEMENT: "Improvement at the latest period",
    Reading.HIGH: "High at the latest period",
    Reading.LOW: "Low at the latest period",
    Reading.NO_CHANGE: "No clear change at the latest period",
    Reading.NOT_ASSESSED: "Not assessed, because fewer than seven periods are complete",
}
_TRAILING_BRACKETS = re.compile(r"\s*\(([^()]*)\)\s*$")
_MONTH_NAMES = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_SMALL_NUMBERS = "no one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
# A quotient of whole numbers below a hundred million is either exactly half-way or at least this far from it, so the
# binary noise of a stored float is taken off first and a tie is still a tie: 69.55 reads 69.6.
_NOISE = Decimal("1e-9")


@lru_cache(maxsize=65536)
def number(value: float, decimals: int = 0) -> str:
    """A figure with thousands separators, halves rounded away from zero: 1056 is '1,056', 69.55 is '69.6'."""
    exact = Decimal(repr(float(value))).quantize(_NOISE, ROUND_HALF_EVEN)
    rounded = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    text = f"{abs(rounded):,f}"
    return f"{MINUS}{text}" if rounded < 0 else text


def count(value: float) -> str:
    """A count; one that is not whole (a mean, a limit) keeps one decimal."""
    return number(value) if float(value).is_integer() else number(value, 1)


def percentage(value: float) -> str:
    """A rate in per cent with one decimal."""
    return f"{number(value, 1)}%"


def amount(value: float, measure: Measure) -> str:
    """A value in the manner of its measure: '60.3%', '78 days', '1.04', '440'."""
    if measure.is_share:
        return percentage(value)
    if measure.shape == "average":
        return number(value, 2)
    return days(value) if measure.shape == "duration" else count(value)


def signed(value: float, decimals: int = 0) -> str:
    """A change with its sign: '+79.6' of 79.6; nought has none."""
    text = number(value, decimals)
    return text if text.startswith(MINUS) or not text.strip("0.,") else f"+{text}"


def change_between(first: float, second: float, measure: Measure) -> str:
    """A change in the manner of its measure: '+33.0 points' of a share, '+79.6%' of all else; empty from nought."""
    if measure.is_share:
        return f"{signed(second - first, 1)} points"
    return f"{signed(100 * (second - first) / first, 1)}%" if first else ""


def change(value: Value | None, measure: Measure) -> str:
    """The change of a value since its baseline; empty where the two cannot be compared."""
    if value is None or value.value is None or value.baseline_value is None:
        return ""
    return change_between(value.baseline_value, value.value, measure)


def baseline_name(baseline: str) -> str:
    """What figures are compared with: 'the year to December 2018', 'the same period of the year before'."""
    if baseline == "year_before":
        return "the same period of the year before"
    year, month = baseline.split("-")
    return f"the year to {_MONTH_NAMES[int(month) - 1]} {year}"


def changed_sentence(series: Series, baseline: str) -> str:
    """What changed since the baseline, in one sentence; empty where nothing can be compared."""
    year = series.latest_year
    if year is None or year.value is None or year.baseline_value is None:
        return ""
    measure = series.measure
    unit = f" {measure.unit}" if measure.shape == "count" else ""
    now, then = amount(year.value, measure), amount(year.baseline_value, measure)
    return (
        f"{short_title(measure)}: {now}{unit} in {period_inside(year)}, {then} in {baseline_name(baseline)}"
        f" ({change(year, measure)})."
    )


def year_to(end: date) -> str:
    """'Year to December 2018'."""
    return f"Year to {_MONTH_NAMES[end.month - 1]} {end.year}"


def days(value: float) -> str:
    """'1 day', '78 days'."""
    return f"{count(value)} day{'' if value == 1 else 's'}"


def small_number(value: int) -> str:
    """'four' of 4; figures from 13 on."""
    return _SMALL_NUMBERS[value] if 0 <= value < len(_SMALL_NUMBERS) else number(value)


def day(value: date) -> str:
    """'15 January 2021'."""
    return f"{value.day} {_MONTH_NAMES[value.month - 1]} {value.year}"


def moment(value: datetime) -> str:
    """'15 January 2021, 09:30 UTC'."""
    return f"{day(value)}, {value:%H:%M} UTC"


def span(start: date | None, end: date | None) -> str:
    """The months from one day to another: 'January to March 2018'."""
    if start is None or end is None:
        return ""
    last = f"{_MONTH_NAMES[end.month - 1]} {end.year}"
    if (start.year, start.month) == (end.year, end.month):
        return last
    first = _MONTH_NAMES[start.month - 1]
    return f"{first} to {last}" if start.year == end.year else f"{first} {start.year} to {last}"


def period_of(grain: str, start: date, end: date) -> str:
    """A period as a label: 'March 2018', 'January to March 2018' or 'Year to March 2018'."""
    if grain == "rolling_year":
        return f"Year to {_MONTH_NAMES[end.month - 1]} {end.year}"
    return span(start, end)


def period(value: Value) -> str:
    """The period of a value as a label."""
    return period_of(value.grain, value.start, value.end)


def period_inside(value: Value) -> str:
    """The period of a value inside a sentence: 'the year to March 2018', 'January to March 2018'."""
    label = period(value)
    return f"the y{label[1:]}" if value.grain == "rolling_year" else label


def short_period(value: Value) -> str:
    """A period as an axis says it: 'Mar 2018', 'Jan-Mar 2018'."""
    last = f"{_MONTH_NAMES[value.end.month - 1][:3]} {value.end.year}"
    return f"{_MONTH_NAMES[value.start.month - 1][:3]}\u2013{last}" if value.grain == "quarter" else last


def shown(value: Value | None, measure: Measure) -> str:
    """What stands in a table for a value: the figure or its marker in words, never a zero for something missing."""
    if value is None:
        return NOT_AVAILABLE
    if value.status in _MARKERS:
        return _MARKERS[value.status]
    if value.status == "below_minimum":
        return _count_only(value, measure)
    return NOT_AVAILABLE if value.value is None else amount(value.value, measure)


def quality(value: Value | None, base_grain: str) -> str:
    """The data-quality flag of a value; empty for a complete one."""
    if value is None or value.status != "partial":
        return ""
    return f"(partial: {_share_received(value, base_grain)})"


def shown_with_quality(value: Value | None, measure: Measure, base_grain: str) -> str:
    """A figure and, in brackets, how much of it was received where that is not all."""
    return f"{shown(value, measure)} {quality(value, base_grain)}".rstrip()


def interval(value: Value) -> str:
    """The 95% interval of a rate: '65.1 to 73.6'."""
    if value.lower is None or value.upper is None:
        return ""
    return f"{number(value.lower, 1)} to {number(value.upper, 1)}"


def latest_shown(value: Value | None, series: Series) -> str:
    """The latest figure, or the marker that says why there has never been one."""
    if value is not None:
        return shown(value, series.measure)
    return NO_DATA if series.is_applicable else NOT_APPLICABLE


def short_title(measure: Measure) -> str:
    """A measure's title without the brackets at its end, which name unit and source."""
    return _TRAILING_BRACKETS.sub("", measure.title) or measure.title


def unit_and_source(measure: Measure) -> str:
    """What the brackets at the end of a title say, or the unit where it has none."""
    brackets = _TRAILING_BRACKETS.search(measure.title)
    return brackets.group(1) if brackets else measure.unit


def extract_name(kind: str) -> str:
    """An extract in words; its id where it has none."""
    return EXTRACT_NAMES.get(kind, kind)


def rows(total: int) -> str:
    """'1 row', '52 rows'."""
    return f"{number(total)} row{'' if total == 1 else 's'}"


def area_title(area: Area) -> str:
    """'West Midlands CPS Area (four forces)'; a force, and a name with brackets of its own, stay as they are."""
    members = len(area.member_force_codes)
    if area.level != "area" or not members or area_short_name(area) == area.name.strip() or "(" in area.name:
        return area.name
    return f"{area.name} ({small_number(members)} {'force' if members == 1 else 'forces'})"


def headline(series: Series) -> str:
    """The latest figures of a series in one sentence."""
    measure = series.measure
    unit = f" {measure.unit}" if measure.shape == "count" and measure.unit else ""
    said = [
        f"{shown(value, measure)}{'' if index else unit}{_brackets(value, series)} in {period_inside(value)}"
        for index, value in enumerate(_latest_values(series))
    ]
    if not said:
        return f"{latest_shown(None, series)}: there is no figure to show for {series.area.name}."
    return f"{'; '.join(said)}."


def signal_sentence(series: Series) -> str:
    """What the chart says about the latest complete period, in one sentence."""
    limits, judged = series.assessment.limits, series.judged
    grain = GRAIN_NAMES[series.grain]
    if limits is None or judged is None or judged.value is None:
        return f"Not assessed: fewer than seven complete {grain}s."
    when = period_inside(judged.value)
    trial = " (trial limits: fewer than 13 points)" if series.assessment.is_trial else ""
    if judged.signal is None:
        bounds = usual_range(limits, series.measure)
        return f"{READING_WORDS[judged.reading]}: {when} is within the usual range of {bounds}{trial}."
    finding = _finding(judged.signal, when, grain, limits, series.measure)
    return f"{READING_WORDS[judged.reading]}: {finding}{trial}."


def usual_range(limits: ProcessLimits, measure: Measure) -> str:
    """The process limits as readers meet them: a count is not below zero, a rate not outside 0 to 100."""
    lower, upper = bounded(limits, measure)
    return f"{_limit(lower, measure)} to {_limit(upper, measure)}"


def bounded(limits: ProcessLimits, measure: Measure) -> tuple[float, float]:
    """Lower and upper limit, cut at what the measure can reach. Revised counts may be negative: those are not cut."""
    lower = max(limits.lower, 0.0) if limits.centre >= 0 else limits.lower
    upper = min(limits.upper, 100.0) if measure.is_share else limits.upper
    return lower, upper


def quality_sentence(series: Series) -> str:
    """What is missing from the latest figures; empty where nothing is."""
    parts = [
        f"{period(value)} is partial: {_share_received(value, series.grain)} received"
        for value in _latest_values(series)
        if value.status == "partial"
    ]
    missing = series.missing_since
    if missing:
        parts.append(f"no data received for {_times(len(missing), series.grain)} since ({_range(missing)})")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def summary(series: Sequence[Series]) -> list[str]:
    """What a page means, a sentence per finding: signals, what does not move, what cannot be said, data quality."""
    found: dict[Reading, list[str]] = {}
    for one in series:
        found.setdefault(one.reading, []).append(short_title(one.measure))
    sentences = [f"{beginning}: {'; '.join(found[said])}." for said, beginning in _BEGINNINGS.items() if said in found]
    if not set(found) & set(READING_LETTERS):
        sentences.insert(0, "No signal at the latest period.")
    partial = [short_title(one.measure) for one in series if quality_sentence(one)]
    sentences.append(
        f"Some of what is due was not received: {'; '.join(partial)}."
        if partial
        else "Everything due for the latest figures was received."
    )
    return sentences


def marking(release: Release) -> str:
    """The marking of an edition, as it stands at the top and the bottom of every page."""
    if release.edition == "public":
        return "Public edition. Published statistics only: no case-level figure"
    return f"OFFICIAL-SENSITIVE. Restricted edition for {release.area_name}: not to be passed on"


def _finding(signal: Signal, when: str, grain: str, limits: ProcessLimits, measure: Measure) -> str:
    lower, upper = bounded(limits, measure)
    edge, limit = ("above", upper) if signal.is_high else ("below", lower)
    if signal.rule is Rule.OUTSIDE:
        return f"{when} is {edge} the process limit of {_limit(limit, measure)}"
    if signal.rule is Rule.TREND:
        return f"{_direction(signal)} over at least seven {grain}s in a row, to {when}"
    if signal.rule is Rule.NEAR_LIMIT:
        side = "upper" if signal.is_high else "lower"
        near = f"close to the {side} process limit of {_limit(limit, measure)}"
        return f"two of three {grain}s in a row, to {when}, are {near}"
    return f"at least seven {grain}s in a row, to {when}, are {edge} the mean of {_limit(limits.centre, measure)}"


def _direction(signal: Signal) -> str:
    return "rising" if signal.is_high else "falling"


def _limit(value: float, measure: Measure) -> str:
    if measure.is_share:
        return percentage(value)
    return number(value, 2 if measure.shape == "average" else 1)


def _latest_values(series: Series) -> list[Value]:
    latest, year = series.latest, series.latest_year
    values = [year] if year is not None else []
    if latest is not None and latest is not year:
        values.append(latest)
    return values


def _brackets(value: Value, series: Series) -> str:
    notes = []
    if value.value is not None and value.denominator is not None:
        notes.append(_made_of(value, series.measure))
    if value.status == "partial":
        notes.append(f"partial: {_share_received(value, series.grain)}")
    return f" ({'; '.join(notes)})" if notes else ""


def _made_of(value: Value, measure: Measure) -> str:
    """The counts behind a share, an average or a median: '79 of 131', '2,279 in 2,182 cases', '2,778 crimes'."""
    below = count(value.denominator or 0)
    if measure.is_share:
        return f"{count(value.numerator or 0)} of {below}"
    return (
        f"{count(value.numerator)} in {below} {measure.unit}"
        if value.numerator is not None
        else f"{below} {measure.unit}"
    )


def _count_only(value: Value, measure: Measure) -> str:
    if measure.shape == "duration" and value.denominator is not None:
        return f"[u] too few for a median: {count(value.denominator)} {measure.unit}"
    if value.numerator is None:
        return TOO_FEW
    of = "" if value.denominator is None else f" of {count(value.denominator)}"
    return f"{TOO_FEW}: {count(value.numerator)}{of}"


def _share_received(value: Value, base_grain: str) -> str:
    if value.received_share is None:
        return "not all received"
    parts = MONTHS[value.grain] // MONTHS[base_grain]
    received = value.received_share * parts
    if parts > 1 and abs(received - round(received)) < 1e-6:
        return f"{round(received)} of {parts} {GRAIN_NAMES[base_grain]}s"
    return f"{number(100 * value.received_share)}% of what is due"


def _range(values: Sequence[Value]) -> str:
    return period(values[0]) if len(values) == 1 else f"{period(values[0])} to {period(values[-1])}"


def _times(total: int, thing: str) -> str:
    return f"{small_number(total)} {thing}{'' if total == 1 else 's'}"
