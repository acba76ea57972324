"""The path of a case: when it reaches the CPS, what is decided for each suspect, how the court ends it.

Belongs here: drawing the days and decisions on a path. Does not belong here: the records that both services keep of it
(``case_records``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from extracts.synthetic.calibration import Calibration, Mix, calibration, mix_of
from extracts.synthetic.months import year_of

if TYPE_CHECKING:
    from extracts.synthetic.chance import Chance

CHARGE = "charge"
FINALISED = "administratively_finalised"


@dataclass(frozen=True, slots=True)
class CaseBegun:
    """What is known of a case on the day of its first receipt."""

    crime_class: str
    is_flagged: bool
    is_in_custody: bool
    received: int


@dataclass(slots=True)
class Court:
    """A prosecution: days of first hearing, sending to the Crown Court and completion, and how it ended."""

    first_hearing: int
    crown_court: int | None
    finalised: int
    outcome: str


@dataclass(slots=True)
class Suspect:
    """One suspect's part of a case; without a decision where advice was never followed, with an offence if charged."""

    number: int
    decision: str = ""
    offence: str = ""
    decided: int = 0
    charged: int | None = None
    court: Court | None = None


@dataclass(slots=True)
class CasePath:
    """A case from its first receipt by the CPS.

    Attributes:
        crime_class: rape or other, after the recorded crime.
        is_flagged: the CPS flags it RAPE.
        advice: day of the receipt for early advice.
        charging: day of the first receipt for a charging decision; None where advice was never followed.
        finalised: day on which it was finalised administratively before it came back, and the day when it did.
        is_simple: it is decided without a request for information.
    """

    crime_class: str
    is_flagged: bool
    is_in_custody: bool
    advice: int | None
    charging: int | None
    finalised: tuple[int, int] | None = None
    is_simple: bool = False
    suspects: list[Suspect] = field(default_factory=list)

    @property
    def first_received(self) -> int:
        """The first receipt of any type."""
        first = self.advice if self.advice is not None else self.charging
        assert first is not None
        return first

    @property
    def first_finalised(self) -> int | None:
        """The first day on which it was finalised administratively, because something was not answered."""
        if self.finalised is not None:
            return self.finalised[0]
        return min((suspect.decided for suspect in self.suspects if suspect.decision == FINALISED), default=None)

    @property
    def last_event(self) -> int:
        """The last day on which something is decided or completed."""
        days = [self.first_received]
        for suspect in self.suspects:
            days += [suspect.decided, suspect.charged or 0, suspect.court.finalised if suspect.court else 0]
        return max(days)


class PathMaker:
    """Draws paths."""

    def __init__(self, table: Calibration | None = None) -> None:
        self._table = table or calibration()
        self._decision_mixes: dict[tuple[str, int, bool], Mix] = {}

    def path(self, chance: Chance, crime_class: str, earliest: int, suspects: int) -> CasePath:
        """The path of a case whose crime was recorded on the day ``earliest``."""
        table = self._table
        is_in_custody = chance.happens(table.number("custody_share", crime_class))
        delay = table.spread("report_to_submission", "custody" if is_in_custody else crime_class)
        submitted = earliest + chance.days(delay)
        is_flagged = chance.happens(table.number("rape_flag_share", crime_class))
        received = submitted + int(chance.pick(table.mix("submission_to_receipt")))
        return self.path_from(chance, CaseBegun(crime_class, is_flagged, is_in_custody, received), suspects)

    def path_from(self, chance: Chance, case: CaseBegun, suspects: int) -> CasePath:
        """The path of a case from its first receipt."""
        table, crime_class, received = self._table, case.crime_class, case.received
        is_in_custody = case.is_in_custody
        advice_share = table.in_year(year_of(received), "early_advice_share", crime_class)
        advice: int | None = None
        charging: int | None = received
        if not is_in_custody and chance.happens(advice_share):
            advice = received
            charging = received + 1 + chance.days(table.spread("early_advice_to_submission"))
            if chance.happens(table.number("early_advice_not_followed")):
                charging = None
        path = CasePath(crime_class, case.is_flagged, is_in_custody, advice, charging)
        path.suspects = [Suspect(number + 1) for number in range(suspects)]
        if charging is not None:
            self._decide(chance, path, charging)
        return path

    def settle(self, chance: Chance, path: CasePath, suspect: Suspect, decision: str) -> None:
        """Give a suspect a decision on the day on which it is due, and all that follows from it."""
        suspect.decision, suspect.charged, suspect.court = decision, None, None
        if decision == CHARGE:
            suspect.charged = self._charged(chance, path, suspect.decided)
            suspect.court = self._court(chance, path, suspect.charged)

    def outcome(self, chance: Chance, crime_class: str, finalised: int) -> str:
        """How a prosecution that ends on a day ends."""
        return str(chance.pick(self._table.mix_in_year(year_of(finalised), "court_outcome_mix", crime_class)))

    def _decide(self, chance: Chance, path: CasePath, charging: int) -> None:
        table = self._table
        decided = charging + self._days_to_decision(chance, path)
        decisions = self._decisions(chance, path, decided)
        if decisions[0] == FINALISED:
            path.is_simple = False
            least = int(table.number("finalised_after", "least_days"))
            decided = charging + least + chance.days(table.spread("finalised_after", "later"))
            if chance.happens(table.number("reopened_share", "share")):
                reopened = decided + 1 + chance.days(table.spread("reopened_share", "after"))
                path.finalised = (decided, reopened)
                decided = reopened + 1 + chance.days(table.spread("receipt_to_decision", "without_request"))
                decisions = self._decisions(chance, path, decided)
        for suspect, decision in zip(path.suspects, decisions, strict=True):
            suspect.decided = decided
            self.settle(chance, path, suspect, decision)

    def _days_to_decision(self, chance: Chance, path: CasePath) -> int:
        table = self._table
        if path.is_in_custody:
            return chance.days(table.spread("receipt_to_decision", "custody"))
        path.is_simple = chance.happens(table.number("no_request_share", path.crime_class))
        spread = table.spread("receipt_to_decision", "without_request" if path.is_simple else path.crime_class)
        return 1 + chance.days(spread)

    def _decisions(self, chance: Chance, path: CasePath, decided: int) -> list[str]:
        """A decision for each suspect; the whole case is finalised administratively, or nobody in it."""
        year = year_of(decided)
        first = str(chance.pick(self._decision_mix(path.crime_class, year, can_be_finalised=not path.is_in_custody)))
        if first == FINALISED:
            return [first] * len(path.suspects)
        mix = self._decision_mix(path.crime_class, year, can_be_finalised=False)
        return [first, *(str(chance.pick(mix)) for _ in path.suspects[1:])]

    def _decision_mix(self, crime_class: str, year: int, *, can_be_finalised: bool) -> Mix:
        """The mix of a year: over cases in custody, which are never finalised administratively, and all others."""
        key = (crime_class, year, can_be_finalised)
        if key not in self._decision_mixes:
            weights = dict(self._table.in_year(year, "decision_mix", crime_class))
            share = weights[FINALISED] / sum(weights.values())
            share /= 1 - self._table.number("custody_share", crime_class)
            others = sum(weights.values()) - weights.pop(FINALISED)
            if can_be_finalised:
                weights[FINALISED] = others * share / (1 - share)
            self._decision_mixes[key] = mix_of(weights)
        return self._decision_mixes[key]

    def _charged(self, chance: Chance, path: CasePath, decided: int) -> int:
        table = self._table
        if chance.happens(table.number("police_charged_first")):
            return max(decided - 1, path.first_received)
        if path.is_in_custody or chance.happens(table.number("decision_to_charge", "same_day_share")):
            return decided
        return decided + 1 + chance.days(table.spread("decision_to_charge", "later"))

    def _court(self, chance: Chance, path: CasePath, charged: int) -> Court:
        table = self._table
        if path.is_in_custody:
            first_hearing = charged + int(table.number("charge_to_first_hearing", "custody_days"))
        else:
            first_hearing = charged + 1 + chance.days(table.spread("charge_to_first_hearing"))
        factor = float(table.in_year(year_of(charged), "court_time_factor"))
        if not chance.happens(table.number("sent_to_crown_court", path.crime_class)):
            finalised = first_hearing + int(factor * chance.days(table.spread("magistrates_time")))
            return Court(first_hearing, None, finalised, self.outcome(chance, path.crime_class, finalised))
        crown_court = first_hearing + int(chance.pick(table.mix("sent_to_crown_court", "days")))
        hearing = chance.days(table.spread("crown_court_to_hearing"))
        completion = chance.days(table.spread("hearing_to_completion"))
        finalised = crown_court + int(factor * (hearing + completion))
        return Court(first_hearing, crown_court, finalised, self.outcome(chance, path.crime_class, finalised))
