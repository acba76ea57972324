"""Measures counted a second time, in pandas and straight from the extract files, without a look at the models.

Belongs here: the definitions of the catalogue, read as a person reads them. Does not belong here: anything of
``transforms``; only the files that suppliers sent are opened.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from extracts.suppliers import all_suppliers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LEGAL = (
    "charge", "no_further_action_evidential", "no_further_action_public_interest", "out_of_court_disposal",
)  # fmt: skip
FINALISED = "administratively_finalised"
KEYS = {
    "police_crimes": ["crime_reference"],
    "cps_receipts": ["urn", "suspect_number", "received_date", "receipt_type"],
    "cps_decisions": ["urn", "suspect_number", "decision_date"],
    "cps_prosecution_outcomes": ["urn", "suspect_number"],
    "cps_information_requests": ["urn", "plan_number", "item_number"],
    "cps_reviews": ["urn", "suspect_number", "review_type", "review_date"],
    "cps_guidance_failures": ["urn", "review_date", "failure_reason"],
    "joint_meetings": ["force_code", "meeting_date"],
}


class ByHand:
    """Counts of one CPS Area; ``period`` is (first day, last day) as ISO text."""

    def __init__(self, extracts: Path, area_code: str) -> None:
        suppliers = all_suppliers().values()
        area = next(one for one in suppliers if one.group == "cps_area" and one.code == area_code)
        self.forces = [code for code in area.own_force_codes if code not in ("00", "02", "93")]
        self._extracts = extracts
        self._cps = [area.supplier_id]
        self._panel = [one.supplier_id for one in suppliers if one.group == "joint_panel" and one.code == area_code]
        self._police = [one.supplier_id for one in suppliers if one.group == "force" and one.code in self.forces]

    def _rows(self, kind: str) -> pd.DataFrame:
        """Current rows of a kind: of each record the row that was sent last."""
        senders = {"police_crimes": self._police, "joint_meetings": self._panel}.get(kind, self._cps)
        found = []
        for supplier in senders:
            for delivery in sorted((self._extracts / supplier).iterdir()):
                manifest = json.loads((delivery / "manifest.json").read_text(encoding="utf-8"))
                for file in (file for file in manifest["files"] if file["kind"] == kind):
                    table = pd.read_csv(delivery / file["name"], dtype=str, keep_default_na=False)
                    found.append(table.assign(sent_at=manifest["sent_at"], supplier=supplier))
        rows = pd.concat(found).sort_values("sent_at", kind="stable")
        rows = rows.drop_duplicates(["supplier", *KEYS[kind]], keep="last")
        return rows[rows["is_withdrawn"] != "true"]

    @cached_property
    def _crimes(self) -> pd.DataFrame:
        return self._rows("police_crimes")

    @cached_property
    def _receipts(self) -> pd.DataFrame:
        rows = self._rows("cps_receipts")
        flags = rows["monitoring_flags"].str.split("|")
        went_on = rows["lead_urn"] != ""
        number = rows["lead_suspect_number"].where(rows["lead_suspect_number"] != "", rows["suspect_number"])
        return rows.assign(
            is_rape=[("RAPE" in one) for one in flags],
            case=rows["lead_urn"].where(went_on, rows["urn"]),
            number=number.where(went_on, rows["suspect_number"]),
        )

    @cached_property
    def _went_on_as(self) -> dict[tuple[str, str], tuple[str, str]]:
        rows = self._receipts[self._receipts["lead_urn"] != ""]
        return {
            (urn, suspect): (case, number)
            for urn, suspect, case, number in rows[["urn", "suspect_number", "case", "number"]].itertuples(index=False)
        }

    @cached_property
    def _suspects(self) -> pd.DataFrame:
        requests = self._receipts[self._receipts["receipt_type"] == "charging_decision"]
        by_suspect = self._receipts.groupby(["case", "number"]).agg(
            is_rape=("is_rape", "any"), first=("received_date", "min")
        )
        by_suspect["first_request"] = requests.groupby(["case", "number"])["received_date"].min()
        return by_suspect

    def _of_suspects(self, kind: str) -> pd.DataFrame:
        """Rows of a kind with the suspect as the case goes on, and whether the CPS flagged it rape."""
        rows = self._rows(kind)
        now = [self._went_on_as.get(pair, pair) for pair in zip(rows["urn"], rows["suspect_number"], strict=True)]
        rows = rows.assign(case=[case for case, _ in now], number=[number for _, number in now])
        rows = rows.join(self._suspects, on=["case", "number"])
        own = [("RAPE" in flags) for flags in rows["monitoring_flags"].str.split("|")]
        return rows.assign(is_rape=rows["is_rape"].eq(True) | pd.Series(own, index=rows.index))

    @cached_property
    def _decisions(self) -> pd.DataFrame:
        rows = self._of_suspects("cps_decisions").sort_values(["decision_date", "urn"], kind="stable")
        has_later = rows.duplicated(["case", "number"], keep="last")
        came_back = (rows["decision"] == FINALISED) & ((rows["reopened_date"] != "") | has_later)
        return rows.assign(stands=~came_back)

    @cached_property
    def _prosecutions(self) -> pd.DataFrame:
        return self._of_suspects("cps_prosecution_outcomes")

    def measures(self) -> dict[str, Callable[[str, str], tuple[float | None, float | None, float]]]:
        """By measure id: (first day, last day) to numerator, denominator and value."""
        return {
            "recorded_crimes_rape": self._recorded_rape,
            "victim_support_ended_share_rape": self._support_ended,
            "referrals_rape_flagged": self._referrals,
            "charges_rasso": self._charges,
            "charge_rate_of_decisions_rape_flagged": self._of_decisions,
            "charge_rate_of_completions_rape_flagged": self._of_completions,
            "conviction_rate_rape_flagged": self._convictions,
            "receipt_to_decision_days_rape_flagged": self._days,
            "triage_accepted_share_rasso": self._triage,
            "information_items_answered_on_time_share_rasso": self._on_time,
            "guidance_compliant_share_rasso": self._compliant,
            "meetings_held_share": self._meetings,
        }

    def _recorded_rape(self, first: str, last: str) -> tuple[float | None, float | None, float]:
        rows = self._crimes[self._crimes["offence_code"].str.startswith("19")]
        return _count(rows["recorded_date"].between(first, last).sum())

    def _support_ended(self, first: str, last: str) -> tuple[float | None, float | None, float]:
        rows = self._crimes[self._crimes["offence_code"].str.startswith("19")]
        closed = rows[rows["outcome_date"].between(first, last) & (rows["outcome_type"] != "0")]
        return _share(closed["outcome_type"].isin(["14", "16"]))

    def _referrals(self, first: str, last: str) -> tuple[float | None, float | None, float]:
        return _count((self._suspects["is_rape"] & self._suspects["first"].between(first, last)).sum())

    def _charges(self, first: str, last: str) -> tuple[float | None, float | None, float]:
        rows = self._decisions[self._decisions["decision"] == "charge"]
        return _count(rows["charged_date"].between(first, last).sum())

    def _decided(self, first: str, last: str) -> pd.DataFrame:
        return self._decisions[self._decisions["is_rape"] & self._decisions["decision_date"].between(first, last)]

    def _of_decisions(self, first: str, last: str) -> tuple[float | None, float | None, float]:
        rows = self._decided(first, last)
        return _share(rows[rows["decision"].isin(LEGAL)]["decision"] == "charge")

    def _of_completions(self, first: str, last: str) -> tuple[float | None, float | None, float]:
        rows = self._decided(first, last)
        return _share(rows[rows["stands"] & (rows["decision"] != "other")]["decision"] == "charge")

    def _convictions(self, first: str, last: str) -> tuple[float | None, float | None, float]:
        rows = self._prosecutions[self._prosecutions["is_rape"]]
        rows = rows[rows["finalised_date"].between(first, last) & (rows["outcome"] != "other_ended")]
        return _share(rows["outcome"].str.startswith("convicted"))

    def _days(self, first: str, last: str) -> tuple[float | None, float | None, float]:
        rows = self._decided(first, last)
        rows = rows[rows["stands"] & (rows["decision"] != "other") & rows["first_request"].notna()]
        days = (pd.to_datetime(rows["decision_date"]) - pd.to_datetime(rows["first_request"])).dt.days
        days = days[days >= 0].sort_values().tolist()
        return None, float(len(days)), float(days[-(-len(days) // 2) - 1])

    def _triage(self, first: str, last: str) -> tuple[float | None, float | None, float]:
        rows = self._receipts[self._receipts["receipt_type"] == "charging_decision"]
        files = rows.groupby(["urn", "received_date"])["triage_outcome"].agg(set).reset_index()
        files = files.drop_duplicates("urn")  # in order of days: the first submission
        files = files[files["received_date"].between(first, last)]
        triaged = [outcomes - {""} for outcomes in files["triage_outcome"] if outcomes - {""}]
        return _share(pd.Series([outcomes == {"accepted"} for outcomes in triaged]))

    def _on_time(self, first: str, last: str) -> tuple[float | None, float | None, float]:
        rows = self._rows("cps_information_requests")
        rows = rows[rows["received_date"].between(first, last)]
        return _share(rows["received_date"] <= rows["due_date"])

    def _compliant(self, first: str, last: str) -> tuple[float | None, float | None, float]:
        rows, failures = self._rows("cps_reviews"), self._rows("cps_guidance_failures")
        failures = failures.assign(stands=failures["is_dispute_upheld"] != "true")
        standing = failures.groupby(["urn", "review_date"])["stands"].any().to_dict()
        files = rows.groupby(["urn", "review_type", "review_date"])["guidance_assessment"].agg(set).reset_index()
        files = files[files["review_date"].between(first, last)]
        assessed = [
            "not_compliant" not in found or not standing.get((urn, day), True)
            for urn, day, found in files[["urn", "review_date", "guidance_assessment"]].itertuples(index=False)
            if found & {"compliant", "not_compliant"}
        ]
        return _share(pd.Series(assessed))

    def _meetings(self, first: str, last: str) -> tuple[float | None, float | None, float]:
        rows = self._rows("joint_meetings")
        rows = rows[rows["meeting_date"].between(first, last)]
        held = rows.assign(month=rows["meeting_date"].str[:7]).drop_duplicates(["force_code", "month"])
        due = 12 * len(self.forces)
        return float(len(held)), float(due), 100 * len(held) / due


def _count(number: int) -> tuple[float | None, float | None, float]:
    return float(number), None, float(number)


def _share(marks: pd.Series) -> tuple[float | None, float | None, float]:
    return float(marks.sum()), float(len(marks)), 100 * float(marks.sum()) / len(marks)
