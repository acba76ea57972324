"""What the joint panels of police and CPS send: findings on sampled items, meetings, local action plans.

Belongs here: one panel's month. Does not belong here: the cases that they read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from extracts.synthetic.calibration import Calibration, calibration
from extracts.synthetic.chance import Chance
from extracts.synthetic.months import first_day
from extracts.synthetic.records import Action, Meeting, PanelFinding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extracts.synthetic.outbox import Outbox

_SAMPLES = {"N": "not_referred", "C": "no_further_action", "I": "information_request"}
_LOCKDOWN = range(2020 * 12 + 3, 2020 * 12 + 6)  # April to June 2020
_ITEMS_A_PANEL, _ACTIONS_A_PANEL = 70, 70  # so that numbers of three digits differ between the 14 panels
_MOST_ACTIONS = 5  # of one panel in a month
_BRITISH_TRANSPORT_POLICE = "93"
TITLES = (
    ("Agree a template for requests for third-party material", "information_requests_per_case_rasso"),
    ("Brief investigators on early advice", "early_advice_share_rape_flagged"),
    ("Check disclosure schedules before submission", "triage_rejected_share_rasso"),
    ("Answer action plans within the period agreed", "information_items_answered_on_time_share_rasso"),
    ("Call victims within a day of a decision", "post_charge_victim_reason_share_rape_flagged"),
    ("Focus lines of enquiry on the suspect", "charge_rate_of_decisions_rape_flagged"),
    ("Name a disclosure champion in each unit", "guidance_compliant_share_rasso"),
    ("Review cases without progress after half a year", "report_to_referral_days_rape"),
    ("Record the rationale of decisions not to refer", "panel_agreement_share"),
    ("Limit requests for digital material to what the case needs", "information_items_requested_rasso"),
)


@dataclass(frozen=True, slots=True)
class _Item:
    """One sampled item: the answer that it deserves, what a request is, and whether the decision is changed."""

    sample_item_id: str
    letter: str
    agreed: str
    request: str
    is_decision_changed: bool


class Panel:
    """One joint panel."""

    def __init__(self, seed: int, area_code: str, force_codes: Sequence[str], outbox: Outbox) -> None:
        self._seed, self._area_code, self._outbox = seed, area_code, outbox
        self._forces = [code for code in force_codes if code not in ("00", "02", _BRITISH_TRANSPORT_POLICE)]
        self._table: Calibration = calibration()
        self._first_item = (int(area_code) - 1) * _ITEMS_A_PANEL
        self._first_action = (int(area_code) - 1) * _ACTIONS_A_PANEL

    def month(self, month: int) -> None:
        """Make one month."""
        chance = Chance(self._seed, "panel", self._area_code, month)
        meeting_day = self._meetings(chance, month)
        self._findings(chance, month, meeting_day)
        self._actions(chance, month, meeting_day)

    def _meetings(self, chance: Chance, month: int) -> int:
        """Meetings with each force; the day on which the panel sat, also where nobody came."""
        table = self._table
        held = table.number("joint_meeting", "held_in_lockdown" if month in _LOCKDOWN else "held")
        day = first_day(month) + chance.between(*table.ends("joint_meeting", "days_of_month"))
        for force_code in self._forces:
            met = day + chance.between(0, 3)
            met += (met + int(self._area_code)) % 2  # the two panels of London never meet one force on the same day
            if not chance.happens(held):
                continue
            roles = [role for role, share in table.value("joint_meeting", "roles").items() if chance.happens(share)]
            items = chance.between(*table.ends("joint_meeting", "items"))
            chosen = "|".join(roles or ["police_rasso_lead", "cps_rasso_head"])
            meeting = Meeting(force_code, met, chosen, items, chance.between(0, items // 3))
            self._outbox.put("joint_meetings", meeting)
        return day

    def _findings(self, chance: Chance, month: int, meeting_day: int) -> None:
        table = self._table
        for letter, number_drawn in table.value("panel_sample").items():
            for number in range(1, int(number_drawn) + 1):
                name = f"{month // 12}-{month % 12 + 1:02d}-{letter}{self._first_item + number:03d}"
                item = self._item(chance, name, letter)
                for role in ("police", "cps"):
                    if chance.happens(table.number("panel_reading", "both_read")):
                        self._outbox.put("panel_findings", self._finding(chance, item, role, meeting_day))

    def _item(self, chance: Chance, name: str, letter: str) -> _Item:
        agreed = str(chance.pick(self._table.mix("panel_agreed", "answers")))
        is_changed = agreed == "no" and chance.happens(self._table.number("panel_judgement", "decision_changed"))
        return _Item(name, letter, agreed, self._request(chance, agreed), is_changed)

    def _request(self, chance: Chance, agreed: str) -> str:
        """What a request is, so that it fits the answer."""
        return str(chance.pick(self._table.mix("panel_judgement", "request", agreed)))

    def _finding(self, chance: Chance, item: _Item, role: str, meeting_day: int) -> PanelFinding:
        table = self._table
        agreed, request = item.agreed, item.request
        is_of_one_mind = chance.happens(table.number("panel_agreed", "of_one_mind"))
        if not is_of_one_mind and not item.is_decision_changed:
            agreed = str(chance.pick(table.mix("panel_agreed", "answers")))
            request = self._request(chance, agreed)
        is_judged = item.letter == "I"
        row = [
            item.sample_item_id,
            _SAMPLES[item.letter],
            role,
            agreed,
            self._themes(chance, agreed),
            _yes("relevant" in request.split("_")) if is_judged else "",
            _yes("proportionate" in request.split("_")) if is_judged else "",
            _yes(item.is_decision_changed),
        ]
        return PanelFinding(row, meeting_day - chance.between(*table.ends("panel_reading", "days_before_meeting")))

    def _themes(self, chance: Chance, agreed: str) -> str:
        themes: list[str] = []
        if agreed != "yes" or chance.happens(self._table.number("panel_themes", "issue_though_agreed")):
            themes = chance.several(self._table.mix("panel_themes", "issue"), 2).split("|")
        if agreed == "yes" and chance.happens(self._table.number("panel_themes", "good_where_agreed")):
            themes.append(str(chance.pick(self._table.mix("panel_themes", "good"))))
        return "|".join(themes)

    def _actions(self, chance: Chance, month: int, meeting_day: int) -> None:
        table = self._table
        expected = table.number("action_plan", "opened_a_month")
        opened = min(int(expected + chance.share()), _MOST_ACTIONS)
        for number in range(opened):
            title, measure_id = chance.one_of(TITLES)
            force = chance.one_of(self._forces) if chance.happens(table.number("action_plan", "for_one_force")) else ""
            owner = chance.one_of(list(table.value("joint_meeting", "roles")))
            action_id = f"A{month // 12}-{self._first_action + month % 12 * _MOST_ACTIONS + number + 1:03d}"
            due = meeting_day + 1 + chance.days(table.spread("action_plan", "days_to_due"))
            ended = meeting_day + 1 + chance.days(table.spread("action_plan", "days_to_completion"))
            end = "cancelled" if chance.happens(table.number("action_plan", "cancelled")) else "completed"
            action = Action([action_id, force, title, owner, measure_id], meeting_day, due, ended, end)
            self._outbox.put("local_action_plan", action)


def _yes(answer: bool) -> str:
    return "true" if answer else "false"
