"""Recorded crimes: how many, of which offence, and what becomes of those that no prosecutor ever sees.

Belongs here: a month of one force's crimes. Does not belong here: referrals (``cases``).
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from extracts.synthetic.calibration import Mix, calibration, is_rape, mix_of, recorded_offences
from extracts.synthetic.chance import Chance
from extracts.synthetic.months import first_day, last_day
from extracts.synthetic.records import Crime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extracts.synthetic.references import ReferenceMint

AGE_NOT_KNOWN = "not_known"
_OUTCOMES_OF_THE_CPS = (1, 9)  # charged; not in the public interest (CPS)
_CHILD_BANDS = ("0_to_12", "13_to_15", "16_to_17")
_YEAR = 365


@cache
def crime_class(offence_code: str) -> str:
    """Rape or other: the two classes that the calibration tells apart."""
    return "rape" if is_rape(offence_code) else "other"


@cache
def child_share(offence_code: str, age_band: str) -> float:
    """Probability that the victim was under 18: told by the age, or by the offence where the age is not recorded."""
    if age_band != AGE_NOT_KNOWN:
        return float(age_band in _CHILD_BANDS)
    weights = dict(calibration().value("victim_age_by_offence", _age_group(offence_code)))
    weights.pop(AGE_NOT_KNOWN)
    return float(sum(weights.get(band, 0) for band in _CHILD_BANDS) / sum(weights.values()))


def published_year(year: int) -> int:
    """The year itself, or the nearest one whose counts are published."""
    years = {published for _, published in recorded_offences()}
    return min(years, key=lambda published: (abs(published - year), published))


def monthly_counts(force_code: str, share: float, year: int, words: tuple[object, ...]) -> list[Mapping[str, int]]:
    """Crimes to make in each month of a year by offence code: ``share`` of the published counts of the force.

    Over the year they add up to the published count (as near as whole crimes allow); over the months they follow the
    published quarters and a little chance.
    """
    published = recorded_offences().get((force_code, published_year(year)), {})
    chance = Chance(*words, "volume", force_code, year)
    bounds = _month_bounds(year, chance)
    months: list[dict[str, int]] = [{} for _ in range(12)]
    for offence_code, recorded in published.items():
        total = int(recorded * share + chance.share())
        start = chance.share()
        cuts = [int(total * bound + start) for bound in bounds]
        for month, (low, high) in enumerate(zip([0, *cuts[:-1]], cuts, strict=True)):
            if high > low:
                months[month][offence_code] = high - low
    return list(months)


def _month_bounds(year: int, chance: Chance) -> list[float]:
    """The share of a year that has passed at the end of each month."""
    table = calibration()
    quarters = table.in_year(year, "recorded_by_quarter")
    noise = table.number("month_noise")
    weights = [quarters[month // 3] * (1 + noise * (2 * chance.share() - 1)) for month in range(12)]
    total, bounds, passed = sum(weights), [], 0.0
    for weight in weights:
        passed += weight
        bounds.append(passed / total)
    bounds[-1] = 1.0
    return bounds


def _age_group(offence_code: str) -> str:
    return str(calibration().value("offence_age_group").get(offence_code, "any"))


@dataclass(frozen=True, slots=True)
class _ClassTables:
    """What is drawn for crimes of one class."""

    non_recent_share: float
    outcomes: Mix
    outcome_delay: tuple[int, ...]


class CrimeMaker:
    """Makes the crimes of one force's share in one Area."""

    def __init__(self, mint: ReferenceMint) -> None:
        table = calibration()
        self._mint = mint
        self._classes = {
            name: _ClassTables(
                table.number("non_recent_share", name),
                mix_of(
                    {
                        code: n
                        for code, n in table.value("outcome_mix", name).items()
                        if code not in _OUTCOMES_OF_THE_CPS
                    }
                ),
                table.spread("outcome_delay", name).days,
            )
            for name in ("rape", "other")
        }
        self._recording_share = table.number("recording_delay", "same_day_share")
        self._recording = table.spread("recording_delay", "later")
        self._recent = table.spread("offence_to_report", "recent")
        self._non_recent = table.spread("offence_to_report", "non_recent")
        self._longest = int(table.number("offence_to_report", "longest"))
        self._unknown = table.number("committed_known", "neither")
        self._range_share = table.number("committed_known", "range")
        self._range = table.spread("committed_known", "range_days")
        codes = {code for counts in recorded_offences().values() for code in counts}
        self._ages = {code: table.mix("victim_age_by_offence", _age_group(code)) for code in codes}
        self._one_report = table.number("crimes_of_a_case", "one_report")
        self._one_victim = table.number("crimes_of_a_case", "one_victim")
        self._alike_in_recency = table.number("crimes_of_a_case", "alike_in_recency")
        low, high = table.value("equality_completeness", "force")
        completeness = low + (high - low) * Chance("equalities", mint.force_code).share()
        shares = table.value("characteristics_recorded").items()
        ranked = sorted(((share ** (1 / completeness), name) for name, share in shares), reverse=True)
        self._filled = [share for share, _ in ranked]
        self._missing = [1 - share for share in self._filled]
        self._characteristics = ["age", *(name for _, name in ranked)]
        self._from_the_first: dict[int, list[str]] = {
            first: ["|".join(self._characteristics[first : 1 + number]) for number in range(len(ranked) + 1)]
            for first in (0, 1)
        }
        self._of_record = table.number("equality_completeness", "of_record")
        self._reason_given = table.number("not_referred_reason_given")
        self._reasons = {str(code): reason for code, reason in table.value("not_referred_reason_by_outcome").items()}

    def crime(self, chance: Chance, offence_code: str, month: int) -> Crime:
        """One crime recorded in a month, still open."""
        share = chance.share
        recorded = chance.between(first_day(month), last_day(month))
        reported = recorded if share() < self._recording_share else recorded - chance.days(self._recording)
        is_non_recent = share() < self._classes[crime_class(offence_code)].non_recent_share
        committed_from, committed_to = self._committed(chance, reported, is_non_recent)
        age_band = chance.pick(self._ages[offence_code])
        return Crime(
            reference=self._mint.crime_reference(),
            unit=chance.one_of(self._mint.units),
            offence_code=offence_code,
            committed_from=committed_from,
            committed_to=committed_to,
            reported=reported,
            recorded=recorded,
            age_band=age_band,
            is_non_recent=is_non_recent,
            characteristics=self._characteristics_filled(chance, age_band),
        )

    def further_crime(self, chance: Chance, offence_code: str, month: int, first: Crime) -> Crime:
        """Another crime of the case that a first one began: of one unit, and mostly of one victim and one report."""
        crime = self.crime(chance, offence_code, month)
        crime.unit = first.unit
        if chance.happens(self._one_report):
            crime.reported, crime.recorded = first.reported, first.recorded
        if chance.happens(self._alike_in_recency):
            crime.is_non_recent = first.is_non_recent
        crime.committed_from, crime.committed_to = self._committed(chance, crime.reported, crime.is_non_recent)
        # Another offence may have other bounds of age: then it was done to somebody else.
        if first.age_band in self._ages[offence_code].values and chance.happens(self._one_victim):
            crime.age_band, crime.characteristics = first.age_band, first.characteristics
        else:
            crime.victim = first.victim + 1
        return crime

    def revise(self, chance: Chance, crime: Crime, day: int) -> None:
        """Let the record of a crime read differently from a day on: more may be filled in by then."""
        filled = {*crime.characteristics.split("|"), *self._characteristics_filled(chance, crime.age_band).split("|")}
        names = [name for name in self._characteristics if name in filled]
        crime.revised_on, crime.revised_characteristics = day, "|".join(names)

    def close_unreferred(self, chance: Chance, crime: Crime, earliest: int | None = None) -> None:
        """Give an outcome that needs no prosecutor, on or after a day."""
        tables = self._classes[crime_class(crime.offence_code)]
        crime.outcome = str(chance.pick(tables.outcomes))
        start = crime.recorded if earliest is None else max(crime.recorded, earliest)
        crime.outcome_day = start + tables.outcome_delay[int(chance.share() * len(tables.outcome_delay))]
        if earliest is None and chance.share() < self._reason_given:
            crime.not_referred_reason = self._reasons.get(crime.outcome, "other")

    def _characteristics_filled(self, chance: Chance, age_band: str) -> str:
        """Which characteristics of the victim are filled in: mostly those up to how complete the record is."""
        share, first = chance.share, int(age_band == AGE_NOT_KNOWN)
        if share() < self._of_record:
            return self._from_the_first[first][bisect_left(self._missing, share())]
        others = zip(self._characteristics[1:], self._filled, strict=True)
        return "|".join([*self._characteristics[first:1], *(name for name, filled in others if share() < filled)])

    def _committed(self, chance: Chance, reported: int, is_non_recent: bool) -> tuple[int | None, int | None]:
        """First and last day of the offence; neither near the anniversary, on which the year of delay turns."""
        if chance.share() < self._unknown and not is_non_recent:
            return None, None
        if is_non_recent:
            last = reported - _YEAR - 1 - min(chance.days(self._non_recent), self._longest)
        else:
            last = reported - min(chance.days(self._recent), _YEAR - 1)
        is_range = chance.share() < self._range_share
        return last - chance.days(self._range) if is_range else last, last
