"""The yardstick: cases of the West Midlands CPS Area whose counts are those of a public statement.

Belongs here: planning the paths of that Area's cases so that the years named in the calibration table come out exactly.
Does not belong here: the records of those cases, which are made like all others.

The statement gives percentages without counts, so the counts are one consistent choice among many; the calibration
table says so. Paths are drawn as for any Area first. Then decisions and completions that fall too often or too seldom
into a year move across one end of that year, mirrored, so that they do not heap on one day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from extracts.synthetic.calibration import Calibration, calibration, recorded_offences
from extracts.synthetic.cases import CHARGE, FINALISED, CaseBegun, CasePath, PathMaker, Suspect
from extracts.synthetic.chance import Chance
from extracts.synthetic.crimes import crime_class, published_year
from extracts.synthetic.months import first_day, month_number, year_of
from extracts.synthetic.plan import Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from extracts.period import Period

PlannedCases = dict[str, dict[tuple[int, str], list[CasePath]]]

_NOT_CHARGED = ("no_further_action_evidential", "no_further_action_public_interest", "administratively_finalised")
_NEAR_DAYS = 150
_NOT_CONVICTED = ("acquitted", "dropped")
_CONVICTED = ("convicted_plea", "convicted_trial")
_MOST_ATTEMPTS = 20  # about one set of paths in twenty lacks the cases that may be moved


class YardstickError(ValueError):
    """No set of paths with the yardstick's counts was found; the message says what to change."""


class _UnmetCountError(Exception):
    """The paths of one attempt cannot be brought to a count."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One suspect of one planned path."""

    path: CasePath
    suspect: Suspect


def applies(months: Period, scale: float, layout: Layout) -> bool:
    """Whether the yardstick is in what is written: at scale 1, with all its years.

    And with a history: only a first delivery of a year or more carries in the cases that are open when it begins.
    """
    years = calibration().value("yardstick", "years")
    is_whole = scale == 1 and layout is Layout.history
    return is_whole and months.start <= date(min(years), 1, 1) and months.end >= date(max(years), 12, 31)


def supplier() -> str:
    """The CPS Area that holds it."""
    return str(calibration().value("yardstick", "supplier"))


def described(months: Period, scale: float, layout: Layout) -> dict[str, Any]:
    """What the answer key says about it."""
    if not applies(months, scale, layout):
        reason = "it needs scale 1, the layout history and all months of the years 2018 to 2020"
        return {"is_included": False, "reason": reason}
    wanted = calibration().value("yardstick")
    names = ("referred", "completed", "charged", "finalised", "convicted", "rasso_charged")
    counts = {str(year): {name: wanted[name][year] for name in names} for year in wanted["years"]}
    return {"is_included": True, "supplier": supplier(), "counts": counts}


def planned_cases(seed: int, shares: dict[str, float], start_month: int, months: Period) -> PlannedCases:
    """Every case of the Area by force code, and by month of recording and class of its crimes.

    ``shares``: the share of each force's cases that goes to the Area. Where the paths drawn first cannot be brought to
    the yardstick's counts, others are drawn; which attempt succeeds is the same in every run.

    Raises:
        YardstickError: no attempt succeeds.
    """
    for attempt in range(_MOST_ATTEMPTS):
        planner = _Planner(seed, months, attempt)
        try:
            parts = planner.rape_parts() + planner.other_parts()
        except _UnmetCountError:
            continue
        return planner.spread_over_forces(parts, shares, start_month)
    raise YardstickError(f"the yardstick cannot be met with seed {seed}; choose another --seed")


class _Planner:
    def __init__(self, seed: int, months: Period, attempt: int) -> None:
        self._words = (seed, "yardstick", attempt)
        self._table: Calibration = calibration()
        self._paths = PathMaker(self._table)
        self._end = months.end.toordinal()
        self._years = range(months.start.year - 2, months.end.year + 1)

    def rape_parts(self) -> list[_Part]:
        """Suspects that the CPS flags RAPE, with the yardstick's counts."""
        wanted = self._table.value("yardstick")
        chance = Chance(*self._words, "rape")
        parts = self._drawn(chance, "referred", "rape", is_flagged=True)
        decided = [part for part in parts if part.suspect.decision]
        _set_counts(chance, decided, wanted["completed"], lambda part: part.suspect.decided, self._move_decision)
        self._set_charges(chance, decided, wanted["charged"], wanted["charged_share_otherwise"])
        prosecuted = [part for part in decided if part.suspect.court]
        _set_counts(chance, prosecuted, wanted["finalised"], _completed, _move_completion)
        self._set_convictions(chance, prosecuted, wanted["convicted"])
        return parts

    def other_parts(self) -> list[_Part]:
        """All other suspects, so that the charges of all together are the yardstick's."""
        wanted = self._table.value("yardstick")
        chance = Chance(*self._words, "other")
        parts = self._drawn(chance, "other_referred", "other", is_flagged=False)
        decided = [part for part in parts if part.suspect.decision]
        charges = {year: count - wanted["charged"][year] for year, count in wanted["rasso_charged"].items()}
        self._set_charges(chance, decided, charges, {})
        return parts

    def spread_over_forces(self, parts: Sequence[_Part], shares: dict[str, float], start_month: int) -> PlannedCases:
        """Give each case a force, by its recorded crimes, and a month of recording, by the usual delay."""
        chance = Chance(*self._words, "forces")
        planned: PlannedCases = {force_code: {} for force_code in shares}
        paths = {id(part.path): part.path for part in parts}
        for path in paths.values():
            year = published_year(year_of(path.first_received))
            weights = [share * _recorded(code, year, path.crime_class) for code, share in shares.items()]
            force_code = _weighted(chance, list(shares), weights)
            month = self._month_of_recording(chance, path, start_month)
            planned[force_code].setdefault((month, path.crime_class), []).append(path)
        return planned

    def _month_of_recording(self, chance: Chance, path: CasePath, start_month: int) -> int:
        spread = self._table.spread("report_to_submission", "custody" if path.is_in_custody else path.crime_class)
        recorded = max(path.first_received - chance.days(spread), first_day(start_month))
        return month_number(date.fromordinal(recorded))

    def _drawn(self, chance: Chance, counts: str, name: str, *, is_flagged: bool) -> list[_Part]:
        """Paths for so many suspects first received in each year, as they come."""
        parts: list[_Part] = []
        for year in self._years:
            left = int(self._table.in_year(year, "yardstick", counts))
            first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
            while left:
                suspects = min(int(chance.pick(self._table.mix("suspects_per_case"))), left)
                is_in_custody = chance.happens(self._table.number("custody_share", name))
                received = chance.between(first, last)
                path = self._paths.path_from(chance, CaseBegun(name, is_flagged, is_in_custody, received), suspects)
                self._keep_in_data(chance, path)
                parts += [_Part(path, suspect) for suspect in path.suspects]
                left -= suspects
        return parts

    def _keep_in_data(self, chance: Chance, path: CasePath) -> None:
        """Nothing in suspense: a finalised case comes back within the data or not at all; no decision is ``other``."""
        if path.finalised is not None and path.finalised[1] >= self._end:
            path.finalised = None
        for suspect in path.suspects:
            if suspect.decision == "other":
                self._paths.settle(chance, path, suspect, _NOT_CHARGED[0])

    def _move_decision(self, part: _Part, day: int) -> bool:
        """Move a decision, if the path allows it."""
        path = part.path
        if path.charging is None or path.finalised is not None or path.is_in_custody:
            return False
        # Who did not send something was asked for it before.
        least = self._table.number("finalised_after", "least_days") if part.suspect.decision == FINALISED else 1
        if day < path.charging + least:
            return False
        part.suspect.decided = day
        return True

    def _set_charges(
        self, chance: Chance, decided: Sequence[_Part], counts: dict[int, int], shares: dict[int, float]
    ) -> None:
        """Charge exactly so many suspects of the years that are named, and a share of those of other years."""
        by_year: dict[int, list[_Part]] = {}
        for part in decided:
            by_year.setdefault(year_of(part.suspect.decided), []).append(part)
        for year, parts in sorted(by_year.items()):
            if year in counts:
                self._charge(chance, parts, counts[year])
            elif shares:
                nearest = shares[min(shares, key=lambda named: (abs(named - year), named))]
                self._charge(chance, parts, round(len(parts) * nearest))
            else:
                self._charge(chance, parts, sum(part.suspect.decision == CHARGE for part in parts))
        for part in decided:
            others = {suspect.decision for suspect in part.path.suspects} - {"", FINALISED}
            if part.suspect.decision == FINALISED and others:  # the case is, or nobody in it
                self._paths.settle(chance, part.path, part.suspect, _NOT_CHARGED[0])

    def _charge(self, chance: Chance, parts: Sequence[_Part], count: int) -> None:
        """Charge ``count`` of these suspects; those who are charged already first, as far as they go."""
        if count > len(parts):
            raise _UnmetCountError(f"{count} charges of {len(parts)} decisions")
        ranked = sorted(chance.shuffled(parts), key=lambda part: part.suspect.decision != CHARGE)
        for place, part in enumerate(ranked):
            suspect = part.suspect
            decision = suspect.decision if suspect.decision != CHARGE else _NOT_CHARGED[0]
            self._paths.settle(chance, part.path, suspect, CHARGE if place < count else decision)
            if suspect.charged is not None:
                self._charge_within_year(part)

    def _charge_within_year(self, part: _Part) -> None:
        """Decision and charge lie in one calendar year, so that either day gives the same count."""
        suspect = part.suspect
        assert suspect.charged is not None
        year = year_of(suspect.decided)
        first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
        suspect.charged = min(max(suspect.charged, first), last)

    def _set_convictions(self, chance: Chance, prosecuted: Sequence[_Part], counts: dict[int, int]) -> None:
        for year, count in counts.items():
            parts = [part for part in prosecuted if year_of(_completed(part)) == year]
            outcomes = [part.suspect.court.outcome for part in parts if part.suspect.court]
            surplus = sum(outcome in _CONVICTED for outcome in outcomes) - count
            others = _NOT_CONVICTED if surplus > 0 else _CONVICTED
            for part in chance.shuffled(parts):
                court = part.suspect.court
                if surplus and court is not None and (court.outcome in _CONVICTED) == (surplus > 0):
                    court.outcome = chance.one_of(others)
                    surplus += -1 if surplus > 0 else 1
            if surplus:
                raise _UnmetCountError(f"{count} convictions of {len(parts)}")


def _set_counts(
    chance: Chance,
    parts: Sequence[_Part],
    counts: dict[int, int],
    day_of: Callable[[_Part], int],
    move: Callable[[_Part, int], bool],
) -> None:
    """Let exactly so many fall into each named year, by moving some across an end of it."""
    for place, (year, count) in enumerate(sorted(counts.items())):
        first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
        # The first year trades with the year before, later ones with the year after: no named year is touched twice.
        edge = first if place == 0 else last + 1
        inside = [part for part in parts if first <= day_of(part) <= last]
        surplus = len(inside) - count
        donors = inside if surplus > 0 else _beyond(parts, day_of, first, last, place == 0)
        left = abs(surplus)
        # Far ones only where the near ones do not do, and those in no order: no day or month gets a heap.
        for part in sorted(chance.shuffled(donors), key=lambda part: abs(day_of(part) - edge) // _NEAR_DAYS):
            mirrored = 2 * edge - 1 - day_of(part)
            if left and move(part, mirrored):
                left -= 1
        if left:
            raise _UnmetCountError(f"{left} of {year}")


def _beyond(
    parts: Sequence[_Part], day_of: Callable[[_Part], int], first: int, last: int, is_before: bool
) -> list[_Part]:
    length = last - first
    if is_before:
        return [part for part in parts if first - length <= day_of(part) < first]
    return [part for part in parts if last < day_of(part) <= last + length]


def _completed(part: _Part) -> int:
    assert part.suspect.court is not None
    return part.suspect.court.finalised


def _move_completion(part: _Part, day: int) -> bool:
    court = part.suspect.court
    if court is None or day <= max(court.first_hearing, court.crown_court or 0):
        return False
    court.finalised = day
    return True


@cache
def _recorded(force_code: str, year: int, name: str) -> int:
    counts = recorded_offences().get((force_code, year), {})
    return sum(count for code, count in counts.items() if crime_class(code) == name)


def _weighted(chance: Chance, things: Sequence[str], weights: Sequence[float]) -> Any:  # noqa: ANN401
    draw = chance.share() * sum(weights)
    for thing, weight in zip(things, weights, strict=True):
        draw -= weight
        if draw < 0:
            return thing
    return things[-1]
