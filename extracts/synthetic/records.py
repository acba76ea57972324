"""Records of both services: each knows its days and how its row reads at the end of a day.

Belongs here: one class per kind of case-level extract. Does not belong here: drawing what they hold (``crimes``,
``case_records``, ``panels``). What happens after the day that a row describes is not in the row yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from extracts.synthetic.months import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extracts.synthetic.references import CrimeReference


_NOT_WITHDRAWN = ""  # empty counts as false


def _by(day: int | None, state_day: int) -> str:
    """A day as text, empty where it has not come yet."""
    return DAY[day] if day is not None and day <= state_day else ""


def _yes(answer: bool) -> str:
    return "true" if answer else "false"


@dataclass(slots=True)
class Crime:
    """One recorded crime; ``victim`` numbers the victims of its case and is written nowhere."""

    reference: CrimeReference
    unit: str
    offence_code: str
    committed_from: int | None
    committed_to: int | None
    reported: int
    recorded: int
    age_band: str
    is_non_recent: bool
    characteristics: str
    outcome: str = "0"
    outcome_day: int | None = None
    not_referred_reason: str = ""
    revised_on: int | None = None
    revised_characteristics: str = ""
    victim: int = 1

    @property
    def days(self) -> Sequence[int | None]:
        """Recorded, then closed."""
        return self.recorded, self.outcome_day

    def cells(self, state_day: int) -> list[str]:
        """The row at the end of a day."""
        is_closed = self.outcome_day is not None and self.outcome_day <= state_day
        is_revised = self.revised_on is not None and self.revised_on <= state_day
        return [
            self.reference.text,
            self.unit,
            self.offence_code,
            "" if self.committed_from is None else DAY[self.committed_from],
            "" if self.committed_to is None else DAY[self.committed_to],
            DAY[self.reported],
            DAY[self.recorded],
            self.age_band,
            "true" if self.is_non_recent else "false",
            self.revised_characteristics if is_revised else self.characteristics,
            self.outcome if is_closed else "0",
            DAY[self.outcome_day] if is_closed and self.outcome_day is not None else "",
            self.not_referred_reason if is_closed else "",
            _NOT_WITHDRAWN,
        ]


@dataclass(frozen=True, slots=True)
class Referral:
    """One submission of one suspect for one crime, as the officer typed it."""

    urn: str
    crime_reference: str
    suspect_number: int
    submission_type: str
    submitted: int
    reason: str

    @property
    def days(self) -> Sequence[int | None]:
        """Submitted."""
        return (self.submitted,)

    def cells(self, state_day: int) -> list[str]:  # noqa: ARG002 - a submission never changes
        """The row."""
        number = str(self.suspect_number)
        return [
            self.urn,
            self.crime_reference,
            number,
            self.submission_type,
            DAY[self.submitted],
            self.reason,
            _NOT_WITHDRAWN,
        ]


@dataclass(frozen=True, slots=True)
class Discussion:
    """One early discussion of a complex investigation."""

    crime_reference: str
    force_code: str
    reasons: str
    held: int
    expected: int
    allocated: int | None

    @property
    def days(self) -> Sequence[int | None]:
        """Held, then a prosecutor allocated."""
        return self.held, self.allocated

    def cells(self, state_day: int) -> list[str]:
        """The row at the end of a day."""
        allocated = _by(self.allocated, state_day)
        return [
            self.crime_reference,
            self.force_code,
            self.reasons,
            DAY[self.held],
            DAY[self.expected],
            allocated,
            _NOT_WITHDRAWN,
        ]


@dataclass(slots=True)
class Receipt:
    """One suspect on one receipt."""

    urn: str
    suspect_number: int
    unit: str
    received: int
    receipt_type: str
    is_in_custody: bool
    target_days: int
    flags: str
    is_by_cps_direct: bool
    triage_outcome: str = ""
    triaged: int | None = None
    triage_reasons: str = ""
    respond_by: int | None = None
    allocated: int | None = None
    lead_urn: str = ""
    lead_suspect_number: str = ""
    led_from: int | None = None
    revised_on: int | None = None
    revised_flags: str = ""

    @property
    def days(self) -> Sequence[int | None]:
        """Received, triaged, allocated, led by another URN."""
        return self.received, self.triaged, self.allocated, self.led_from

    def flags_on(self, state_day: int) -> str:
        """The monitoring flags at the end of a day."""
        is_revised = self.revised_on is not None and self.revised_on <= state_day
        return self.revised_flags if is_revised else self.flags

    def cells(self, state_day: int) -> list[str]:
        """The row at the end of a day."""
        is_triaged = self.triaged is not None and self.triaged <= state_day
        is_led = self.led_from is not None and self.led_from <= state_day
        return [
            self.urn,
            str(self.suspect_number),
            self.unit,
            DAY[self.received],
            self.receipt_type,
            _yes(self.is_in_custody),
            str(self.target_days),
            self.flags_on(state_day),
            self.triage_outcome if is_triaged else "",
            _by(self.triaged, state_day),
            self.triage_reasons if is_triaged else "",
            DAY[self.respond_by] if is_triaged and self.respond_by is not None else "",
            _by(self.allocated, state_day),
            _yes(self.is_by_cps_direct),
            self.lead_urn if is_led else "",
            self.lead_suspect_number if is_led else "",
            _NOT_WITHDRAWN,
        ]


@dataclass(frozen=True, slots=True)
class Review:
    """One review for one suspect."""

    urn: str
    suspect_number: int
    review_type: str
    reviewed: int
    assessment: str

    @property
    def days(self) -> Sequence[int | None]:
        """Reviewed."""
        return (self.reviewed,)

    def cells(self, state_day: int) -> list[str]:  # noqa: ARG002 - a review never changes
        """The row."""
        number = str(self.suspect_number)
        return [self.urn, number, self.review_type, DAY[self.reviewed], self.assessment, _NOT_WITHDRAWN]


@dataclass(frozen=True, slots=True)
class GuidanceFailure:
    """One failure reason of one review; a dispute is settled some days after."""

    urn: str
    reviewed: int
    reason: str
    is_disputed: bool
    is_upheld: bool
    settled: int | None

    @property
    def days(self) -> Sequence[int | None]:
        """Reviewed, dispute settled."""
        return self.reviewed, self.settled

    def cells(self, state_day: int) -> list[str]:
        """The row at the end of a day."""
        is_settled = self.settled is not None and self.settled <= state_day
        upheld = _yes(self.is_upheld) if self.is_disputed and is_settled else ""
        return [self.urn, DAY[self.reviewed], self.reason, _yes(self.is_disputed), upheld, _NOT_WITHDRAWN]


@dataclass(slots=True)
class InformationRequest:
    """One item of an action plan."""

    urn: str
    plan_number: int
    item_number: int
    category: str
    requested: int
    due: int
    received: int | None
    cancelled: int | None
    priority: str
    sign_off: str

    @property
    def days(self) -> Sequence[int | None]:
        """Requested, answered, cancelled."""
        return self.requested, self.received, self.cancelled

    def cells(self, state_day: int) -> list[str]:
        """The row at the end of a day."""
        return [
            self.urn,
            str(self.plan_number),
            str(self.item_number),
            self.category,
            DAY[self.requested],
            DAY[self.due],
            _by(self.received, state_day),
            _by(self.cancelled, state_day),
            self.priority,
            self.sign_off,
            _NOT_WITHDRAWN,
        ]


@dataclass(frozen=True, slots=True)
class Decision:
    """One suspect's pre-charge decision, with the flags of the suspect's last receipt."""

    urn: str
    suspect_number: int
    receipt: Receipt
    decided: int
    decision: str
    charged: int | None
    offence_code: str
    reopened: int | None

    @property
    def days(self) -> Sequence[int | None]:
        """Decided, then charged or reopened; a charge before the decision changes nothing."""
        return (
            self.decided,
            self.charged if self.charged is not None and self.charged > self.decided else None,
            self.reopened,
        )

    def cells(self, state_day: int) -> list[str]:
        """The row at the end of a day."""
        return [
            self.urn,
            str(self.suspect_number),
            DAY[self.decided],
            self.decision,
            _by(self.charged, state_day),
            self.offence_code,
            _by(self.reopened, state_day),
            self.receipt.flags_on(state_day),
            _NOT_WITHDRAWN,
        ]


@dataclass(frozen=True, slots=True)
class Prosecution:
    """One defendant, with the flags of the last receipt."""

    urn: str
    suspect_number: int
    receipt: Receipt
    first_hearing: int
    crown_court: int | None
    finalised: int
    outcome: str
    victim_reason: str
    offence_code: str

    @property
    def days(self) -> Sequence[int | None]:
        """First hearing, sent to the Crown Court, finalised."""
        return self.first_hearing, self.crown_court, self.finalised

    def cells(self, state_day: int) -> list[str]:
        """The row at the end of a day."""
        is_final = self.finalised <= state_day
        return [
            self.urn,
            str(self.suspect_number),
            DAY[self.first_hearing],
            _by(self.crown_court, state_day),
            _by(self.finalised, state_day),
            self.outcome if is_final else "",
            self.victim_reason if is_final else "",
            self.offence_code if is_final and self.outcome.startswith("convicted") else "",
            self.receipt.flags_on(state_day),
            _NOT_WITHDRAWN,
        ]


@dataclass(frozen=True, slots=True)
class PanelFinding:
    """One sampled item read by one service."""

    row: list[str]
    reviewed: int

    @property
    def days(self) -> Sequence[int | None]:
        """Read."""
        return (self.reviewed,)

    def cells(self, state_day: int) -> list[str]:  # noqa: ARG002 - a finding never changes
        """The row."""
        return [*self.row, DAY[self.reviewed], _NOT_WITHDRAWN]


@dataclass(frozen=True, slots=True)
class Meeting:
    """One joint meeting with one force."""

    force_code: str
    met: int
    roles: str
    items: int
    decisions: int

    @property
    def days(self) -> Sequence[int | None]:
        """Held."""
        return (self.met,)

    def cells(self, state_day: int) -> list[str]:  # noqa: ARG002 - a meeting never changes
        """The row."""
        return [self.force_code, DAY[self.met], self.roles, str(self.items), str(self.decisions), _NOT_WITHDRAWN]


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a local plan, which ends as completed or cancelled."""

    row: list[str]
    opened: int
    due: int
    ended: int
    end: str

    @property
    def days(self) -> Sequence[int | None]:
        """Opened, ended."""
        return self.opened, self.ended

    def cells(self, state_day: int) -> list[str]:
        """The row at the end of a day."""
        is_over = self.ended <= state_day
        completed = DAY[self.ended] if is_over and self.end == "completed" else ""
        state = self.end if is_over else "open"
        return [*self.row, DAY[self.opened], DAY[self.due], state, completed, _NOT_WITHDRAWN]
