"""The records that police and the CPS keep of a case on its path.

Belongs here: receipts, triage, reviews, requests, decisions, prosecutions and the police's submissions. Does not belong
here: the path itself (``cases``), and files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from extracts.synthetic.calibration import Calibration, calibration, mix_of
from extracts.synthetic.cases import CHARGE, FINALISED, CasePath, Court, Suspect
from extracts.synthetic.chance import Chance
from extracts.synthetic.crimes import child_share
from extracts.synthetic.months import year_of
from extracts.synthetic.records import (
    Decision,
    Discussion,
    GuidanceFailure,
    InformationRequest,
    Prosecution,
    Receipt,
    Review,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extracts.synthetic.records import Crime

NEVER = 1 << 60
RAPE_FLAG = "RAPE"
CHILD_ABUSE_FLAG = "CPRO"
VULNERABLE_VICTIM_FLAG = "VIVM"
_CHARGED_IN_BREACH = "breach__charged_by_police_in_breach"


@dataclass(slots=True)
class Submission:
    """One file that reaches the CPS, for all suspects of a case; police sent it on the day ``submitted``."""

    received: int
    receipt_type: str
    submitted: int = 0
    triage_outcome: str = ""
    triaged: int | None = None
    triage_reasons: str = ""
    respond_by: int | None = None
    allocated: int | None = None


@dataclass(slots=True)
class Case:
    """A case with its names: the URN, and under which URN it goes on from a day on.

    ``reviewed`` are the days of reviews before the decision, with their types; ``requests`` are what came of them.
    ``continued`` is the URN after a split or merge and the day from which it holds; a split concerns the last suspect
    only. ``merged_as`` is the number that the one suspect of a merged case has from that day on, in the case that they
    join. ``last_receipts`` are the receipts made last, by the suspect's number.
    """

    path: CasePath
    urn: str
    unit: str
    crimes: list[Crime]
    flags: str = ""
    submissions: list[Submission] = field(default_factory=list)
    reviewed: dict[int, str] = field(default_factory=dict)
    requests: list[InformationRequest] = field(default_factory=list)
    continued: tuple[str, int] | None = None
    is_split: bool = False
    merged_as: int | None = None
    last_receipts: dict[int, Receipt] = field(default_factory=dict)

    def urn_on(self, day: int, suspect: Suspect | None = None) -> str:
        """The URN of records made on a day, of one suspect or of the whole case."""
        if self.continued is None or day < self.continued[1]:
            return self.urn
        if self.is_split and suspect is not self.path.suspects[-1]:
            return self.urn
        return self.continued[0]

    def number_on(self, day: int, suspect: Suspect) -> int:
        """The suspect's number in records made on a day, under the URN of that day."""
        if self.merged_as is None or self.continued is None or day < self.continued[1]:
            return suspect.number
        return self.merged_as


@dataclass(frozen=True, slots=True)
class _Item:
    urn: str
    plan_number: int
    number: int


class CaseRecorder:
    """Draws the records of cases."""

    def __init__(self, table: Calibration | None = None) -> None:
        self._table = table or calibration()

    def flags(self, chance: Chance, path: CasePath, crimes: list[Crime]) -> str:
        """The monitoring codes of a case, the same for all its suspects."""
        table = self._table
        is_child = any(chance.happens(child_share(crime.offence_code, crime.age_band)) for crime in crimes)
        is_abuse = chance.happens(table.number("child_abuse_flag", "child" if is_child else "adult"))
        shares = table.value("monitoring_flags").items()
        flags = [flag for flag, share in shares if chance.happens(share[path.crime_class])]
        return "|".join([RAPE_FLAG] * path.is_flagged + [CHILD_ABUSE_FLAG] * is_abuse + flags)

    def discussion(self, chance: Chance, case: Case) -> Discussion | None:
        """An early discussion of the case's first crime, where there was time and reason for one."""
        table, crime, first = self._table, case.crimes[0], case.path.first_received
        last = first - int(table.number("early_discussion", "days_before"))
        is_held = chance.happens(table.number("early_discussion", "share", case.path.crime_class))
        if case.path.is_in_custody or last <= crime.recorded or not is_held:
            return None
        held = chance.between(crime.recorded, last)
        is_allocated = chance.happens(table.number("early_discussion", "allocated"))
        wait = chance.between(*table.ends("early_discussion", "days_to_allocation"))
        return Discussion(
            crime_reference=crime.reference.text,
            force_code=case.unit[:2],
            reasons=self._complexity(chance, case),
            held=held,
            expected=max(held, first + chance.between(*table.ends("early_discussion", "expected"))),
            allocated=held + wait if is_allocated else None,
        )

    def receipts(self, chance: Chance, case: Case) -> Iterator[Receipt]:
        """One receipt for each suspect and submission; the case keeps each suspect's last."""
        path, table = case.path, self._table
        custody = "custody" if path.is_in_custody else "other"
        is_by_cps_direct = chance.happens(table.number("decided_by_cps_direct", custody))
        for suspect in path.suspects:
            for submission in case.submissions:
                receipt = Receipt(
                    urn=case.urn_on(submission.received, suspect),
                    suspect_number=case.number_on(submission.received, suspect),
                    unit=case.unit,
                    received=submission.received,
                    receipt_type=submission.receipt_type,
                    is_in_custody=path.is_in_custody,
                    target_days=int(table.number("target_days", custody)),
                    flags=case.flags,
                    is_by_cps_direct=is_by_cps_direct and submission.receipt_type != "early_advice",
                    triage_outcome=submission.triage_outcome,
                    triaged=submission.triaged,
                    triage_reasons=submission.triage_reasons,
                    respond_by=submission.respond_by,
                    allocated=submission.allocated,
                )
                if case.continued and receipt.urn != case.urn_on(case.continued[1], suspect):
                    receipt.lead_urn, receipt.led_from = case.continued
                    receipt.lead_suspect_number = "" if case.merged_as is None else str(case.merged_as)
                case.last_receipts[suspect.number] = receipt
                yield receipt

    def prepare(self, chance: Chance, case: Case) -> None:
        """Give a case what police and CPS exchange before the decision: submissions, reviews, action plans."""
        case.submissions = self._submissions(chance, case.path)
        case.reviewed = self._review_days(chance, case)
        first = min((day for day, kind in case.reviewed.items() if kind == "initial_review"), default=None)
        if first is not None and not case.path.is_simple:
            case.requests = list(self._requests(chance, case, first))
            self._submit_answers(chance, case)
        earliest = case.crimes[0].recorded
        for submission in case.submissions:
            delay = int(chance.pick(self._table.mix("submission_to_receipt")))
            submission.submitted = max(min(earliest, submission.received), submission.received - delay)
            earliest = submission.received + 1  # a file goes once a day at most

    def reviews(self, chance: Chance, case: Case) -> Iterator[Review | GuidanceFailure]:
        """Reviews with the failures that they find."""
        for reviewed, kind in case.reviewed.items():
            yield from self._review(chance, case, reviewed, kind, case.path.suspects)
        yield from self._decision_reviews(chance, case)

    def decisions(self, case: Case) -> Iterator[Decision]:
        """Each suspect's decisions, once the receipts are made: one that was reopened, and the last."""
        path = case.path
        for suspect in path.suspects:
            receipt = case.last_receipts[suspect.number]
            if path.finalised is not None:
                decided, reopened = path.finalised
                urn, number = case.urn_on(decided, suspect), case.number_on(decided, suspect)
                yield Decision(urn, number, receipt, decided, FINALISED, None, "", reopened)
            if suspect.decision:
                decided, decision = suspect.decided, suspect.decision
                urn, number = case.urn_on(decided, suspect), case.number_on(decided, suspect)
                code = self._offence(case, suspect) if decision == CHARGE else ""
                yield Decision(urn, number, receipt, decided, decision, suspect.charged, code, None)

    def prosecutions(self, chance: Chance, case: Case) -> Iterator[Prosecution]:
        """One row for each defendant, once the receipts are made."""
        for suspect in case.path.suspects:
            court = suspect.court
            if court is None:
                continue
            is_convicted = court.outcome.startswith("convicted")
            yield Prosecution(
                urn=case.urn_on(court.first_hearing, suspect),
                suspect_number=case.number_on(court.first_hearing, suspect),
                receipt=case.last_receipts[suspect.number],
                first_hearing=court.first_hearing,
                crown_court=court.crown_court,
                finalised=court.finalised,
                outcome=court.outcome,
                victim_reason="" if is_convicted else self._victim_reason(chance, court.outcome),
                offence_code=self._convicted_offence(chance, case, suspect, court) if is_convicted else "",
            )

    def _submissions(self, chance: Chance, path: CasePath) -> list[Submission]:
        """Every file that reaches the CPS on a path, in order of days."""
        found = []
        if path.advice is not None:
            found.append(self._accepted(chance, path, Submission(path.advice, "early_advice")))
        if path.charging is not None:
            found += self._charging_submissions(chance, path, path.charging)
        if path.finalised is not None:
            found.append(self._accepted(chance, path, Submission(path.finalised[1], "resubmission")))
        return found

    def _charging_submissions(self, chance: Chance, path: CasePath, charging: int) -> list[Submission]:
        table = self._table
        until = min(suspect.decided for suspect in path.suspects)
        if path.first_finalised is not None:  # leave time for an action plan
            least = table.number("finalised_after", "least_days") - table.number(
                "finalised_after", "days_for_resubmission"
            )
            until = path.first_finalised - int(least)
        found = [Submission(charging, "charging_decision")]
        rejection = float(table.in_year(year_of(charging), "triage_rejection", "non_compliant"))
        while until - found[-1].received > table.number("triage_rejection", "least_days_to_decision"):
            kind = self._rejection(chance, rejection)
            if not kind:
                break
            back = self._reject(chance, found[-1], kind, until)
            found.append(Submission(back, "resubmission"))
            rejection = table.number("triage_rejection", "after_resubmission")
        self._accepted(chance, path, found[-1])
        return found

    def _complexity(self, chance: Chance, case: Case) -> str:
        """Why the investigation is complex: what is true of the case, or may be of any."""
        is_true = {
            "multiple_suspects": len(case.path.suspects) > 1,
            "multiple_victims": any(crime.victim > 1 for crime in case.crimes),
            "non_recent": any(crime.is_non_recent for crime in case.crimes),
            "vulnerable_victim": not {VULNERABLE_VICTIM_FLAG, CHILD_ABUSE_FLAG}.isdisjoint(case.flags.split("|")),
        }
        weights = self._table.value("complexity_reasons").items()
        return chance.several(mix_of({reason: weight for reason, weight in weights if is_true.get(reason, True)}), 3)

    def _rejection(self, chance: Chance, non_compliant: float) -> str:
        draw = chance.share()
        if draw < non_compliant:
            return "rejected_non_compliant"
        is_priority = draw < non_compliant + self._table.number("triage_rejection", "priority")
        return "rejected_priority" if is_priority else ""

    def _reject(self, chance: Chance, submission: Submission, kind: str, until: int) -> int:
        """Send a submission back; the day on which it comes again, before the decision."""
        table = self._table
        triaged = submission.received + int(chance.pick(table.mix("triage_delay")))
        submission.triage_outcome, submission.triaged = kind, triaged
        submission.triage_reasons = chance.several(table.mix("triage_reasons", kind), 3)
        submission.respond_by = triaged + int(table.number("respond_days"))
        back = triaged + 2 + chance.days(table.spread("rejection_to_resubmission"))
        return min(back, until - 3)

    def _accepted(self, chance: Chance, path: CasePath, submission: Submission) -> Submission:
        table = self._table
        if chance.happens(table.number("triage_rejection", "no_triage")):
            return submission
        wait = 0 if path.is_in_custody else int(chance.pick(table.mix("triage_delay")))
        submission.triage_outcome, submission.triaged = "accepted", submission.received + wait
        delay = 0 if path.is_in_custody else chance.days(table.spread("allocation_delay"))
        submission.allocated = submission.triaged + delay
        return submission

    def _review_days(self, chance: Chance, case: Case) -> dict[int, str]:
        """The days of reviews before the decision, with their types."""
        table, path = self._table, case.path
        days: dict[int, str] = {}
        until = max((suspect.decided for suspect in path.suspects), default=0)
        for submission in case.submissions:
            if submission.triage_outcome.startswith("rejected"):
                continue
            reviewed = submission.received + 1 + chance.days(table.spread("initial_review"))
            kind, latest = "initial_review", until
            if submission.receipt_type == "early_advice":
                kind, latest = "early_advice", path.charging or NEVER
            elif path.first_finalised is not None and submission.received < path.first_finalised:
                reviewed = min(reviewed, path.first_finalised - int(table.number("finalised_after", "days_for_plan")))
            elif not chance.happens(table.number("initial_review", "share")):
                continue
            if reviewed < latest and reviewed not in days:
                days[reviewed] = kind
        return days

    def _review(
        self, chance: Chance, case: Case, reviewed: int, kind: str, suspects: list[Suspect]
    ) -> Iterator[Review | GuidanceFailure]:
        assessment = self._assessment(chance, reviewed, kind)
        is_breach = any(suspect.charged is not None and suspect.charged < reviewed for suspect in suspects)
        if is_breach:
            assessment = "not_compliant"
        if case.urn_on(reviewed) != case.urn and not case.is_split:
            assessment = "not_assessed"  # the lead case keeps the findings of that day
        for suspect in suspects:
            number = case.number_on(reviewed, suspect)
            yield Review(case.urn_on(reviewed, suspect), number, kind, reviewed, assessment)
        if assessment == "not_compliant":
            several = chance.several(self._table.mix("guidance_failures"), 3)
            reasons = [_CHARGED_IN_BREACH] if is_breach else several.split("|")
            yield from self._failures(chance, case.urn_on(reviewed, suspects[0]), reviewed, reasons)

    def _decision_reviews(self, chance: Chance, case: Case) -> Iterator[Review | GuidanceFailure]:
        decided: dict[int, list[Suspect]] = {}
        for suspect in case.path.suspects:
            if suspect.decision:
                decided.setdefault(suspect.decided, []).append(suspect)
        for reviewed, suspects in decided.items():
            if reviewed not in case.reviewed:
                yield from self._review(chance, case, reviewed, "pre_charge_decision", suspects)

    def _assessment(self, chance: Chance, reviewed: int, kind: str) -> str:
        draw = chance.share()
        not_assessed = self._table.number("guidance_assessment", "not_assessed", kind)
        if draw < not_assessed:
            return "not_assessed"
        compliant = float(self._table.in_year(year_of(reviewed), "guidance_assessment", "compliant"))
        return "compliant" if draw < not_assessed + (1 - not_assessed) * compliant else "not_compliant"

    def _failures(self, chance: Chance, urn: str, reviewed: int, reasons: list[str]) -> Iterator[GuidanceFailure]:
        table = self._table
        for reason in reasons:
            is_disputed = chance.happens(table.number("guidance_dispute", "disputed"))
            is_upheld = chance.happens(table.number("guidance_dispute", "upheld"))
            delay = 1 + chance.days(table.spread("guidance_dispute", "delay"))
            yield GuidanceFailure(
                urn, reviewed, reason, is_disputed, is_upheld, reviewed + delay if is_disputed else None
            )

    def _requests(self, chance: Chance, case: Case, first: int) -> Iterator[InformationRequest]:
        """The items of all action plans; a case that is finalised administratively has one that is never answered."""
        table, path = self._table, case.path
        finalised = path.first_finalised
        until = finalised or max(suspect.decided for suspect in path.suspects)
        days = until - first
        plans = min(
            int(chance.pick(table.mix("plans_per_case"))),
            max(1, days // int(table.number("request_times", "least_days_a_plan"))),
        )
        for plan in range(plans):
            items = int(chance.pick(table.mix("items_per_plan")))
            missing = chance.between(1, items) if plan == 0 and finalised is not None else 0
            requested = first + plan * days // (plans + 1)  # the last plan has time as well
            for number in range(1, items + 1):
                item = self._request(chance, _Item(case.urn, plan + 1, number), requested)
                if finalised is None:
                    self._answer(chance, item, until)
                else:
                    self._answer_in_part(chance, path, item, finalised, is_missing=number == missing)
                yield item

    def _request(self, chance: Chance, item: _Item, requested: int) -> InformationRequest:
        table = self._table
        sign_off = ""
        if item.plan_number > 1:
            sign_off = "true" if chance.happens(table.number("request_times", "senior_sign_off")) else "false"
        return InformationRequest(
            urn=item.urn,
            plan_number=item.plan_number,
            item_number=item.number,
            category=chance.pick(table.mix("request_categories")),
            requested=requested,
            due=requested + int(chance.pick(table.mix("request_times", "due_days"))),
            received=None,
            cancelled=None,
            priority="essential" if chance.happens(table.number("request_times", "essential")) else "standard",
            sign_off=sign_off,
        )

    def _answer(self, chance: Chance, item: InformationRequest, decided: int) -> None:
        """Say when an item is answered or withdrawn; what is open on the day of the decision is mostly withdrawn."""
        table = self._table
        day = item.requested + 1 + chance.days(table.spread("request_times", "to_receipt"))
        if day > decided and chance.happens(table.number("request_times", "withdrawn_at_decision")):
            item.cancelled = decided
        elif day <= decided and chance.happens(table.number("request_times", "cancelled")):
            item.cancelled = day
        else:
            item.received = day

    def _answer_in_part(
        self, chance: Chance, path: CasePath, item: InformationRequest, finalised: int, *, is_missing: bool
    ) -> None:
        """Say when an item of a case is answered that is finalised administratively for want of answers.

        What is open on that day stays open until the case comes back, if it does; what is missing when it is finalised
        once more is never answered.
        """
        table = self._table
        if is_missing:
            item.priority = "essential"
        elif not chance.happens(table.number("finalised_after", "unanswered")):
            self._answer(chance, item, NEVER)
            if (item.received or item.cancelled or NEVER) <= finalised:
                return
            item.received = item.cancelled = None
        if path.finalised is not None and not (is_missing and path.suspects[0].decision == FINALISED):
            item.received = path.finalised[1]

    def _submit_answers(self, chance: Chance, case: Case) -> None:
        """Let the answers to some action plans come together, with a resubmission of the file before the decision."""
        until = case.path.first_finalised or min(suspect.decided for suspect in case.path.suspects)
        for plan in range(1, case.requests[-1].plan_number + 1):
            answered = [
                item
                for item in case.requests
                if item.plan_number == plan and item.received is not None and item.received < until
            ]
            if not answered or not chance.happens(self._table.number("answered_by_resubmission")):
                continue
            day = max(item.received or 0 for item in answered)
            if any(submission.received == day for submission in case.submissions):
                continue
            for item in answered:
                item.received = day
            case.submissions.append(self._accepted(chance, case.path, Submission(day, "resubmission")))
        case.submissions.sort(key=lambda submission: submission.received)

    def _offence(self, case: Case, suspect: Suspect) -> str:
        """The charged offence; the same for every record of the suspect."""
        if not suspect.offence:
            chance = Chance("charged", case.urn, suspect.number, suspect.decided)
            offence = str(chance.pick(self._table.mix("charged_offence_codes", case.crimes[0].offence_code)))
            suspect.offence = self._or_lesser(chance, offence, "charged") if case.path.is_flagged else offence
        return suspect.offence

    def _convicted_offence(self, chance: Chance, case: Case, suspect: Suspect, court: Court) -> str:
        return self._or_lesser(chance, self._offence(case, suspect), court.outcome)

    def _or_lesser(self, chance: Chance, offence: str, stage: str) -> str:
        """The offence, or at times a lesser one that takes its place when it is charged or when the court convicts."""
        is_lesser = chance.happens(self._table.number("lesser_offence_share", stage))
        if not is_lesser or offence not in self._table.value("lesser_offence_codes"):
            return offence
        return str(chance.pick(self._table.mix("lesser_offence_codes", offence)))

    def _victim_reason(self, chance: Chance, outcome: str) -> str:
        if not chance.happens(self._table.number("victim_reason", "share", outcome)):
            return ""
        return str(chance.pick(self._table.mix("victim_reason", "reasons")))
