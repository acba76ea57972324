"""A small world whose truth is known: cases with crimes, suspects, submissions and receipts, and what was mistyped.

Numbers are drawn at random within force and year, so a mistyped reference may by chance be another case's. With
``is_dense`` all cases are of one unit and numbered in sequence, so that a mistyped number mostly is another case's;
crimes are numbered in sequence with the other crimes of the force between them.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from linkage_records import Crime, Receipt, Record, Referral

if TYPE_CHECKING:
    from collections.abc import Callable

FORCES = {"20": "13", "21": "13", "01": "4"}
_START = date(2020, 1, 1)
_DAYS = 180
_CONFUSED = {"0": "ODQ", "1": "IL", "2": "Z", "5": "S", "6": "G", "8": "B"}


@dataclass
class World:
    """Records, how some of them change later, and the right (crime reference, URN) of each referral."""

    crimes: list[Crime] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    truth: dict[Referral, tuple[str, str]] = field(default_factory=dict)
    changes: list[tuple[date, Record]] = field(default_factory=list)

    def deliveries(self) -> list[list[Record]]:
        """What police and CPS send for each month, apart, and apart from it what changed."""
        months: dict[tuple[str, date], list[Record]] = {}
        for crime in self.crimes:
            months.setdefault(("police", crime.reported_date.replace(day=1)), []).append(crime)
        for referral in self.referrals:
            months.setdefault(("police", referral.submitted_date.replace(day=1)), []).append(referral)
        for receipt in self.receipts:
            months.setdefault(("cps", receipt.received_date.replace(day=1)), []).append(receipt)
        for day, record in self.changes:
            months.setdefault(("change", day.replace(day=1)), []).append(record)
        return [records for _key, records in sorted(months.items(), key=lambda item: item[0][1])]


class _Numbers:
    """Where references come from: drawn at random, each once, or given in sequence."""

    def __init__(self, chance: random.Random, *, is_dense: bool) -> None:
        self._chance, self._is_dense = chance, is_dense
        self._used: set[str] = set()
        self._cases, self._crimes = itertools.count(1), 0

    def unit(self, force: str) -> str:
        return f"{force}AA" if self._is_dense else f"{force}{self._chance.choice(['AA', 'B4', 'CC', 'DN'])}"

    def urn(self, unit: str) -> str:
        if self._is_dense:
            return f"{unit}{next(self._cases):05d}20"
        return self._unused(lambda: f"{unit}{self._chance.randrange(10**5):05d}20")

    def crime_reference(self, force: str) -> str:
        if self._is_dense:
            self._crimes += self._chance.randrange(1, 40)
            return f"{force}DV/{self._crimes:06d}/19"
        return self._unused(lambda: f"{force}DV/{self._chance.randrange(10**6):06d}/19")

    def _unused(self, make: Callable[[], str]) -> str:
        while (text := make()) in self._used:
            pass
        self._used.add(text)
        return text


def make_world(
    seed: int, cases: int, damaged_share: float, *, is_dense: bool = False, differing_share: float = 0.0
) -> World:
    """Cases of three forces over half a year, with crimes that were never referred between them.

    ``differing_share`` of the receipts differ from their submission in date, suspect number or purpose.
    """
    chance, world = random.Random(seed), World()  # noqa: S311 - made-up records, no secrets
    numbers, forces = _Numbers(chance, is_dense=is_dense), ["20"] if is_dense else list(FORCES)
    for number in range(cases):
        _case(world, chance, numbers, forces[number % len(forces)], damaged_share)
    for _ in range(cases * 4):
        force, day = chance.choice(forces), _START + timedelta(days=chance.randrange(-300, _DAYS))
        reference = numbers.crime_reference(force)
        closed = "suspect_not_identified" if chance.random() < 0.7 else None
        world.crimes.append(
            Crime(reference, force, numbers.unit(force), chance.choice(["19C", "17A"]), day, not_referred_reason=closed)
        )
    _change_some(world, chance)
    for place, receipt in enumerate(world.receipts):
        if chance.random() < differing_share:
            world.receipts[place] = _differing(receipt, chance)
    return world


def _case(world: World, chance: random.Random, numbers: _Numbers, force: str, damaged_share: float) -> None:
    unit, is_rape = numbers.unit(force), chance.random() < 0.4
    urn = numbers.urn(unit)
    submitted = _START + timedelta(days=chance.randrange(_DAYS))
    crimes = [
        Crime(
            numbers.crime_reference(force),
            force,
            unit,
            "19C" if is_rape else "17A",
            submitted - timedelta(days=chance.randrange(1, 300)),
        )
        for _ in range(chance.choices([1, 2, 3], [8, 2, 1])[0])
    ]
    world.crimes += crimes
    flag = "RAPE|VIVM" if is_rape != (chance.random() < 0.02) else "VIVM"
    kinds = ["early_advice", "charging_decision"] if chance.random() < 0.15 else ["charging_decision"]
    for kind in [*kinds, "resubmission"] if chance.random() < 0.25 else kinds:
        received = submitted + timedelta(days=chance.choices([0, 1, 2, 5], [6, 2, 1, 1])[0])
        is_late = received >= _START + timedelta(days=_DAYS)
        damage_urn, damage_crime = 0, 0
        if chance.random() < damaged_share:
            damage_urn, damage_crime = chance.choices([(1, 0), (0, 1), (1, 1)], [5, 4, 1])[0]
        typed_urn = damaged(chance, urn, 4, 11) if damage_urn else urn  # typed once for a submission
        for suspect in range(1, chance.choices([2, 3], [9, 1])[0]):
            if not is_late:
                world.receipts.append(Receipt(urn, force, unit, suspect, kind, received, flag, FORCES[force]))
            for place, crime in enumerate(crimes):
                typed_crime = crime.crime_reference
                if damage_crime and place == 0:
                    typed_crime = damaged(chance, typed_crime, 5, 11)
                referral = Referral(typed_urn, typed_crime, force, suspect, kind, submitted)
                if referral not in world.truth:
                    world.referrals.append(referral)
                    world.truth[referral] = (crime.crime_reference, urn)
        submitted += timedelta(days=chance.randrange(20, 90))


def _change_some(world: World, chance: random.Random) -> None:
    """Crimes that are closed or become another offence later, receipts that are flagged or lose their flag.

    And some of everything is withdrawn.
    """
    for crime in world.crimes:
        later = crime.reported_date + timedelta(days=chance.randrange(31, 300))
        if crime.not_referred_reason is None and chance.random() < 0.1:
            change = {"offence_code": "17A"} if chance.random() < 0.3 else {"not_referred_reason": "other"}
            world.changes.append((later, replace(crime, **change)))
    for receipt in world.receipts:
        if chance.random() < 0.1:
            later = receipt.received_date + timedelta(days=chance.randrange(31, 120))
            world.changes.append((later, replace(receipt, monitoring_flags=chance.choice(["RAPE", "VIVM"]))))
    days = [(crime.reported_date, crime) for crime in world.crimes]
    days += [(referral.submitted_date, referral) for referral in world.referrals]
    days += [(receipt.received_date, receipt) for receipt in world.receipts]
    for day, record in days:
        if chance.random() < 0.05:
            world.changes.append((day + timedelta(days=chance.randrange(31, 120)), replace(record, is_withdrawn=True)))


def _differing(receipt: Receipt, chance: random.Random) -> Receipt:
    """A receipt as it stands where the CPS registered it otherwise than the police sent it."""
    how = chance.randrange(4)
    if how == 0:
        return replace(receipt, received_date=receipt.received_date - timedelta(days=chance.randrange(6, 12)))
    if how == 1:
        return replace(receipt, received_date=receipt.received_date + timedelta(days=chance.randrange(15, 40)))
    if how == 2:
        return replace(receipt, suspect_number=receipt.suspect_number + 1)
    kinds = ["early_advice", "charging_decision", "resubmission"]
    return replace(receipt, receipt_type=chance.choice([kind for kind in kinds if kind != receipt.receipt_type]))


def damaged(chance: random.Random, text: str, start: int, end: int) -> str:
    """A reference as it may be mistyped between two places: a zero lost, a letter for a digit, a swap, a typo."""
    if text[0] == "0" and chance.random() < 0.3:
        return text[1:]
    how = chance.choice(["confusable", "swapped", "typo"])
    places = [place for place in range(start, end) if text[place] in _CONFUSED]
    if how == "confusable" and places:
        place = chance.choice(places)
        return text[:place] + chance.choice(_CONFUSED[text[place]]) + text[place + 1 :]
    places = [place for place in range(start, end - 1) if text[place] != text[place + 1]]
    if how == "swapped" and places:
        place = chance.choice(places)
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    place = chance.randrange(start, end)
    return text[:place] + chance.choice([digit for digit in "0123456789" if digit != text[place]]) + text[place + 1 :]
