"""A public statement held against an edition's figures: every reading that was tried, and whether it holds together.

Belongs here: the comparison. Does not belong here: the register (``scorecards.registers``) and markup (``templates/``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scorecards import words
from scorecards.paths import link, page_path
from scorecards.series import YEAR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scorecards.edition import Area, Edition, Measure, Value
    from scorecards.registers import Claim, ClaimPart


@dataclass(frozen=True, slots=True)
class ReadingView:
    """One measure that a figure of a statement may mean, with what it is in the two years."""

    title: str
    href: str
    first: str
    second: str
    change: str
    verdict: str


@dataclass(frozen=True, slots=True)
class PartView:
    """One figure of a statement: what was said, and the readings that were tried."""

    name: str
    stated: str
    readings: tuple[ReadingView, ...]


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A statement on its page."""

    title: str
    said: str
    source: str
    years: tuple[str, str]
    parts: tuple[PartView, ...]
    arithmetic: tuple[str, ...]
    synthetic_note: str


AGREES = "Agrees as published"
DIFFERS = "Differs"


def claim_views(edition: Edition, page: str) -> tuple[ClaimView, ...]:
    """Every statement about an area of this edition whose figures the edition may show."""
    return tuple(
        _claim_view(edition, claim, edition.areas["area", claim.area_code], page)
        for claim in edition.claims
        if ("area", claim.area_code) in edition.areas
        and any(reading in edition.measures for part in claim.parts for reading in part.readings)
    )


def _claim_view(edition: Edition, claim: Claim, area: Area, page: str) -> ClaimView:
    return ClaimView(
        title=claim.title,
        said=claim.said,
        source=claim.source,
        years=tuple(words.year_to(end) for end in (claim.first_end, claim.second_end)),  # type: ignore[arg-type]
        parts=tuple(_part_view(edition, claim, part, area, page) for part in claim.parts),
        arithmetic=tuple(_arithmetic(claim)),
        synthetic_note=claim.synthetic_note if edition.release.is_synthetic else "",
    )


def _part_view(edition: Edition, claim: Claim, part: ClaimPart, area: Area, page: str) -> PartView:
    readings = []
    for measure in (edition.measures[name] for name in part.readings if name in edition.measures):
        rows = edition.values.get(area.key, {}).get(measure.measure_id, ())
        years = {row.end: row for row in rows if row.grain == YEAR and not row.breakdown}
        first, second = years.get(claim.first_end), years.get(claim.second_end)
        readings.append(
            ReadingView(
                title=words.short_title(measure),
                href=link(page, page_path(measure)),
                first=words.shown(first, measure),
                second=words.shown(second, measure),
                change=_change(first, second, measure),
                verdict=_verdict(part, first, second),
            )
        )
    return PartView(part.name, _stated(part), tuple(readings))


def _change(first: Value | None, second: Value | None, measure: Measure) -> str:
    if first is None or second is None or first.value is None or second.value is None:
        return ""
    return words.change_between(first.value, second.value, measure)


def _verdict(part: ClaimPart, first: Value | None, second: Value | None) -> str:
    if first is None or second is None or first.value is None or second.value is None:
        return "Cannot be said"
    if part.change_pct is not None:
        if not first.value:
            return "Cannot be said"
        found = [(100 * (second.value - first.value) / first.value, part.change_pct)]
    else:
        found = [(first.value, part.first or 0.0), (second.value, part.second or 0.0)]
    does_agree = all(words.number(ours, part.decimals) == words.number(said, part.decimals) for ours, said in found)
    return AGREES if does_agree else DIFFERS


def _stated(part: ClaimPart) -> str:
    if part.change_pct is not None:
        return f"{words.signed(part.change_pct, part.decimals)}%"
    return f"{words.number(part.first or 0, part.decimals)}% to {words.number(part.second or 0, part.decimals)}%"


def _arithmetic(claim: Claim) -> Iterable[str]:
    """Whether the figures can speak of one population: the whole grows, its share grows, so the part must."""
    change, first, second, stated = claim.arithmetic
    factor = (1 + change / 100) * second / first
    implied = 100 * (factor - 1)
    yield (
        f"If all figures spoke of one population, charges would have changed by {words.number(1 + change / 100, 3)} "
        f"x {words.number(second, 1)} / {words.number(first, 1)} = {words.number(factor, 2)}, that is "
        f"{words.signed(implied, 0)}%. The statement says {words.signed(stated, 0)}%."
    )
    yield (
        "So the figures speak of different populations: name the population of each before they are compared."
        if words.number(implied) != words.number(stated)
        else "The figures can speak of one population."
    )
