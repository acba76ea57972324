"""A stream: the crimes of one force that go to one CPS Area, month by month, with the cases that come of them.

Belongs here: joining crimes to cases, and putting every record into the outboxes of police and CPS. Does not belong
here: drawing crimes (``crimes``), paths (``cases``) or records (``case_records``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from extracts.synthetic.calibration import calibration, recorded_offences
from extracts.synthetic.case_records import Case, CaseRecorder, Submission
from extracts.synthetic.cases import FINALISED, CasePath, PathMaker, Suspect
from extracts.synthetic.chance import Chance
from extracts.synthetic.crimes import CrimeMaker, crime_class, monthly_counts, published_year
from extracts.synthetic.months import year_of
from extracts.synthetic.records import GuidanceFailure, Receipt, Referral, Review
from extracts.synthetic.references import damaged_crime_reference, damaged_urn, is_distinctive, spread_out_urn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extracts.synthetic.calibration import Calibration
    from extracts.synthetic.files import CsvFile
    from extracts.synthetic.outbox import Outbox
    from extracts.synthetic.records import Crime
    from extracts.synthetic.references import ReferenceMint

_KIND_OF_REVIEW_RECORD = {
    Review: "cps_reviews",
    GuidanceFailure: "cps_guidance_failures",
}
_WEEKS = 7


@dataclass(frozen=True, slots=True)
class Canaries:
    """References of one ordinary case, to be looked for where they must not be."""

    urn: str
    crime_reference: str
    force_supplier: str
    area_supplier: str


@dataclass(slots=True)
class _Growing:
    """A case that still gathers crimes."""

    path: CasePath
    wanted: int
    crimes: list[Crime] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Sent:
    """One submission as police sent it: why without advice, and what was mistyped."""

    case: Case
    submission: Submission
    reason: str
    damage: str
    is_carried: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream runs: seed, CPS Area, force and the share of the force's cases that go to the Area."""

    seed: int
    area_code: str
    force_code: str
    share: float
    scale: float
    mint: ReferenceMint

    @property
    def words(self) -> tuple[object, ...]:
        """What its chances are seeded with."""
        return (self.seed, self.area_code, self.force_code)


@dataclass(frozen=True, slots=True)
class Outboxes:
    """Where a stream's records go."""

    police: Outbox
    cps: Outbox
    links: CsvFile


class Stream:
    """Crimes and cases of one force in one Area."""

    def __init__(
        self,
        place: Place,
        out: Outboxes,
        *,
        damaged_share: float,
        planned: Mapping[tuple[int, str], list[CasePath]] | None = None,
    ) -> None:
        self._place, self._mint = place, place.mint
        self._police, self._cps, self._links = out.police, out.cps, out.links
        self._table: Calibration = calibration()
        self._damaged_share = damaged_share
        self._planned = planned
        self._crimes = CrimeMaker(place.mint)
        self._paths = PathMaker(self._table)
        self._recorder = CaseRecorder(self._table)
        self._factor = _force_factor(place.seed, place.force_code)
        self._earlier: Case | None = None
        self._writes_slashes = Chance("slashes", place.force_code).happens(
            self._table.number("typed_otherwise", "urn_with_slashes")
        )
        self._counts: tuple[int, list[Mapping[str, int]]] = (0, [])
        self._growing: dict[str, _Growing] = {}
        self._rates: dict[tuple[str, int, int], float] = {}
        self.canaries: Canaries | None = None

    def month(self, month: int) -> None:
        """Make one month."""
        year = month // 12
        if self._counts[0] != year:
            place = self._place
            counts = monthly_counts(place.force_code, place.share * place.scale, year, place.words)
            self._counts = (year, counts)
        self._mint.month_begins(month)
        chance = Chance(*self._place.words, "month", month)
        counts_of_month = self._with_room(self._counts[1][month % 12], month)
        left = _by_class(counts_of_month)
        for offence_code, count in counts_of_month.items():
            name = crime_class(offence_code)
            rate = max(self._case_rate(name, year, received) for received in (year, year + 1))
            for _ in range(count):
                self._crime(chance, offence_code, month, rate, left[name])
                left[name] -= 1
        for growing in self._growing.values():
            self._finish(chance, growing)
        self._growing.clear()

    def _crime(self, chance: Chance, offence_code: str, month: int, rate: float, left: int) -> None:
        """Make a crime, and let it join a case that gathers, begin one, or end without one."""
        name = crime_class(offence_code)
        growing = self._growing.get(name)
        if growing is not None:
            crime = self._crimes.further_crime(chance, offence_code, month, growing.crimes[0])
        else:
            crime = self._crimes.crime(chance, offence_code, month)
            path = self._next_path(chance, crime, month, rate, left)
            if path is None:
                self._put_unreferred(chance, crime)
                return
            room = left if self._planned is None else left - len(self._planned.get((month, name), ()))
            growing = _Growing(path, min(int(chance.pick(self._table.mix("crimes_per_case"))), max(room, 1)))
            self._growing[name] = growing
        growing.crimes.append(crime)
        if len(growing.crimes) >= growing.wanted:
            del self._growing[name]
            self._finish(chance, growing)

    def _next_path(self, chance: Chance, crime: Crime, month: int, rate: float, left: int) -> CasePath | None:
        name = crime_class(crime.offence_code)
        if self._planned is not None:
            waiting = self._planned.get((month, name))
            if not waiting or not chance.happens(len(waiting) / left):
                return None
            return waiting.pop()
        draw = chance.share()
        if draw >= rate:
            return None
        suspects = int(chance.pick(self._table.mix("suspects_per_case")))
        path = self._paths.path(chance, name, crime.recorded, suspects)
        # How many are referred belongs to the year of the receipt, not to that of the crime.
        return path if draw < self._case_rate(name, month // 12, year_of(path.first_received)) else None

    def _with_room(self, counts: Mapping[str, int], month: int) -> Mapping[str, int]:
        """The month's crimes, with more where more cases are planned than crimes were recorded."""
        if self._planned is None:
            return counts
        counts = dict(counts)
        have = _by_class(counts)
        for name, offence_code in (("rape", "19C"), ("other", "20A")):
            missing = len(self._planned.get((month, name), ())) - have[name]
            if missing > 0:
                counts[offence_code] = counts.get(offence_code, 0) + missing
        return counts

    def _case_rate(self, name: str, year: int, received: int) -> float:
        """Probability that a crime of a year which is free begins a case that is received in a year.

        With t cases wanted per crime and c crimes in a case, t * (c - 1) crimes join others and are not free.
        """
        key = (name, year, received)
        if key not in self._rates:
            table = self._table
            suspects = float(table.in_year(received, "suspects_referred", name)) * self._factor
            per_case, crimes_per_case = _mean(table.value("suspects_per_case")), _mean(table.value("crimes_per_case"))
            wanted = suspects / per_case / _recorded_nationally(published_year(year))[name]
            self._rates[key] = wanted / (1 - wanted * (crimes_per_case - 1))
        return self._rates[key]

    def _put_unreferred(self, chance: Chance, crime: Crime) -> None:
        self._crimes.close_unreferred(chance, crime)
        self._put_crime(chance, crime, is_carried=False, is_spare=True)

    def _put_crime(self, chance: Chance, crime: Crime, *, is_carried: bool, is_spare: bool) -> None:
        revised_on = self._police.revised_on(crime.recorded)
        if revised_on is not None and chance.happens(self._table.number("deliveries", "revised_share")):
            self._crimes.revise(chance, crime, revised_on)
        self._police.put("police_crimes", crime, is_carried=is_carried, is_spare=is_spare)

    def _finish(self, chance: Chance, growing: _Growing) -> None:
        """Name a case, and write it; a suspect who is found later gets a case of their own for the first crime."""
        path, crimes = growing.path, growing.crimes
        paths = [path]
        is_several = len(path.suspects) > 1 and self._planned is None
        if is_several and chance.happens(self._table.number("second_urn_share")):
            path.suspects.pop()
            other = self._paths.path(chance, path.crime_class, crimes[0].recorded, 1)
            other.is_flagged = path.is_flagged
            paths.append(other)
        flags = self._recorder.flags(chance, path, crimes)
        cases = [self._named(chance, each, crimes if each is path else crimes[:1], flags) for each in paths]
        for crime in crimes:
            _bring_forward(crime, min(case.submissions[0].submitted for case in cases))
        self._close(chance, crimes, paths)
        last = max(path.last_event for path in paths)
        is_carried = max(last, *(crime.outcome_day or 0 for crime in crimes)) >= self._police.first
        for crime in crimes:
            self._put_crime(chance, crime, is_carried=is_carried, is_spare=False)
        for case in cases:
            if self._planned is None:
                self._split_or_merge(chance, case)
            self._put_case(chance, case, is_carried)

    def _named(self, chance: Chance, path: CasePath, crimes: list[Crime], flags: str) -> Case:
        unit = crimes[0].unit
        case = Case(path, self._mint.urn(unit), unit, crimes, flags)
        self._recorder.prepare(chance, case)
        return case

    def _split_or_merge(self, chance: Chance, case: Case) -> None:
        last = case.path.suspects[-1]
        day = last.decided - 2
        if not last.decision or day <= case.path.first_received + 2 * _WEEKS:
            return
        if len(case.path.suspects) > 1:
            if chance.happens(self._table.number("split_share")):
                case.continued, case.is_split = (f"{case.urn}/1", day), True
        elif self._earlier is not None and chance.happens(self._table.number("merged_share")):
            taken = self._earlier.path.suspects
            case.merged_as = taken[-1].number + 1
            taken.append(Suspect(case.merged_as))  # its number is taken now; the case itself is written already
            case.continued = (self._earlier.urn, day)
        if case.continued is None:
            self._earlier = case

    def _close(self, chance: Chance, crimes: list[Crime], paths: list[CasePath]) -> None:
        """Give the crimes of a case their outcome: the strongest of the suspects' decisions."""
        suspects = [suspect for path in paths for suspect in path.suspects if suspect.decision]
        if not suspects:
            for crime in crimes:
                self._crimes.close_unreferred(chance, crime, earliest=paths[0].first_received + 2 * _WEEKS)
            return
        outcome, day = self._outcome(chance, suspects, paths[0].crime_class)
        for crime in crimes:
            delay = self._outcome_delay(chance)
            crime.outcome, crime.outcome_day = outcome, max(day + delay, crime.recorded)

    def _outcome(self, chance: Chance, suspects: list[Suspect], name: str) -> tuple[str, int]:
        charged = [suspect.charged for suspect in suspects if suspect.charged is not None]
        if charged:
            return ("1A" if chance.happens(self._table.number("of_which_share")) else "1"), min(charged)
        day = max(suspect.decided for suspect in suspects)
        decisions = {suspect.decision for suspect in suspects}
        if "out_of_court_disposal" in decisions:
            return "3", day
        if "no_further_action_public_interest" in decisions:
            return "9", day
        if FINALISED in decisions or "no_further_action_evidential" in decisions:
            withdraws = chance.happens(self._table.number("victim_withdraws_before_decision", name))
            return ("16" if withdraws else "15"), day
        return "21", day

    def _outcome_delay(self, chance: Chance) -> int:
        if chance.happens(self._table.number("outcome_delay_after_cps", "same_week_share")):
            return chance.between(0, _WEEKS - 1)
        return _WEEKS + chance.days(self._table.spread("outcome_delay_after_cps", "later"))

    def _put_case(self, chance: Chance, case: Case, is_carried: bool) -> None:
        recorder, cps = self._recorder, self._cps
        self._put_referrals(chance, case, is_carried)
        discussion = recorder.discussion(chance, case)
        if discussion is not None:
            cps.put("early_discussions", discussion, is_carried=is_carried)
        for receipt in recorder.receipts(chance, case):
            self._put_receipt(chance, receipt, is_carried)
        for record in recorder.reviews(chance, case):
            cps.put(_KIND_OF_REVIEW_RECORD[type(record)], record, is_carried=is_carried)
        for request in case.requests:
            cps.put("cps_information_requests", request, is_carried=is_carried)
        for decision in recorder.decisions(case):
            cps.put("cps_decisions", decision, is_carried=is_carried)
        for prosecution in recorder.prosecutions(chance, case):
            cps.put("cps_prosecution_outcomes", prosecution, is_carried=is_carried)

    def _put_receipt(self, chance: Chance, receipt: Receipt, is_carried: bool) -> None:
        revised_on = self._cps.revised_on(receipt.received)
        if revised_on is not None and chance.happens(self._table.number("deliveries", "revised_share")):
            receipt.revised_on = revised_on
            receipt.revised_flags = "|".join(sorted({*receipt.flags.split("|"), "VIVM"} - {""}))
        self._cps.put("cps_receipts", receipt, is_carried=is_carried)

    def _put_referrals(self, chance: Chance, case: Case, is_carried: bool) -> None:
        reason = self._why_no_advice(chance, case)
        for submission in case.submissions:
            damage = self._damage(chance)
            for suspect in case.path.suspects:
                is_charging = submission.receipt_type == "charging_decision"
                sent = _Sent(case, submission, reason if is_charging else "", damage, is_carried)
                self._put_submission(chance, sent, suspect)

    def _put_submission(self, chance: Chance, sent: _Sent, suspect: Suspect) -> None:
        submission, damage, is_carried = sent.submission, sent.damage, sent.is_carried
        true_urn = sent.case.urn_on(submission.received, suspect)
        whole = Chance(*self._place.words, true_urn, submission.received)  # the URN is typed once for a submission
        urn = spread_out_urn(true_urn) if self._writes_slashes and "/" not in true_urn else true_urn
        is_urn_damaged = damage in ("urn", "both") and "/" not in true_urn
        if is_urn_damaged:
            urn = damaged_urn(true_urn, str(whole.pick(self._table.mix("damage", "how_urn"))), whole)
        for number, crime in enumerate(self._crimes_of(sent.case, suspect)):
            text = crime.reference.text
            is_crime_damaged = damage in ("crime_reference", "both") and number == 0
            if is_crime_damaged:
                how = str(chance.pick(self._table.mix("damage", "how_crime_reference")))
                text = damaged_crime_reference(crime.reference, how, chance)
            elif chance.happens(self._table.number("typed_otherwise", "crime_reference_in_small_letters")):
                text = text.lower()
            number_then = sent.case.number_on(submission.received, suspect)
            referral = Referral(urn, text, number_then, submission.receipt_type, submission.submitted, sent.reason)
            self._police.put("police_referrals", referral, is_carried=is_carried)
            if self._police.holds("police_referrals", submission.submitted, is_carried):
                self._link(referral, crime, true_urn, is_crime_damaged or is_urn_damaged)

    def _link(self, referral: Referral, crime: Crime, true_urn: str, is_damaged: bool) -> None:
        supplier = self._police.regular[0].plan.supplier_id
        truth = [self._place.force_code, crime.reference.text, true_urn, "true" if is_damaged else "false"]
        self._links.write([supplier, *referral.cells(0)[:5], *truth])
        is_plain = not is_damaged and referral.urn == true_urn and referral.crime_reference == crime.reference.text
        if self.canaries is None and is_plain and "/" not in true_urn and is_distinctive(self._place.force_code):
            area = self._cps.regular[0].plan.supplier_id
            self.canaries = Canaries(true_urn, crime.reference.text, supplier, area)

    def _crimes_of(self, case: Case, suspect: Suspect) -> Iterator[Crime]:
        """The crimes that a suspect is submitted for: always the first, mostly the others."""
        pairs = Chance(*self._place.words, case.urn, "pairs", suspect.number)
        for number, crime in enumerate(case.crimes):
            if number == 0 or suspect.number == 1 or pairs.happens(self._table.number("other_suspects_crimes")):
                yield crime

    def _damage(self, chance: Chance) -> str:
        if not chance.happens(self._damaged_share):
            return ""
        return str(chance.pick(self._table.mix("damage", "where")))

    def _why_no_advice(self, chance: Chance, case: Case) -> str:
        if case.path.advice is not None:
            return ""
        if case.path.is_in_custody:
            return "custody_case"
        is_given = chance.happens(self._table.number("early_advice_not_sought", "given"))
        return str(chance.pick(self._table.mix("early_advice_not_sought", "reasons"))) if is_given else ""


def _bring_forward(crime: Crime, day: int) -> None:
    """A crime is recorded by the day on which police send the first file of its case."""
    days = crime.recorded - day
    if days <= 0:
        return
    crime.recorded -= days
    crime.reported -= days
    crime.committed_from = None if crime.committed_from is None else crime.committed_from - days
    crime.committed_to = None if crime.committed_to is None else crime.committed_to - days


def _by_class(counts: Mapping[str, int]) -> dict[str, int]:
    classes = {"rape": 0, "other": 0}
    for offence_code, count in counts.items():
        classes[crime_class(offence_code)] += count
    return classes


def _mean(shares: Mapping[int, float]) -> float:
    return sum(number * share for number, share in shares.items()) / sum(shares.values())


@cache
def _recorded_nationally(year: int) -> dict[str, int]:
    totals = {"rape": 0, "other": 0}
    for (_, published), counts in recorded_offences().items():
        if published == year:
            for name, count in _by_class(counts).items():
                totals[name] += count
    return totals


def _force_factor(seed: int, force_code: str) -> float:
    table = calibration()
    low, high = table.number("force_referral_factor", "low"), table.number("force_referral_factor", "high")
    return low + (high - low) * Chance(seed, "factor", force_code).share()
