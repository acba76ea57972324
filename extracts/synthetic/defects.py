"""Defects: which rows and deliveries are spoiled, and the answer key that lists them.

Belongs here: sharing defects out over files, and remembering where they went. Does not belong here: how a row is
spoiled (``recipes``). Rows of the yardstick's Area and of its forces are never touched.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from extracts.contract import Contract, Rule, all_contracts
from extracts.synthetic.chance import Chance
from extracts.synthetic.columns import COLUMNS
from extracts.synthetic.files import NEVER
from extracts.synthetic.plan import KINDS_BY_GROUP, Purpose
from extracts.synthetic.recipes import DUPLICATE, recipe_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from extracts.synthetic.files import CsvFile, DeliveryFolder
    from extracts.synthetic.outbox import Outbox
    from extracts.synthetic.recipes import Row

_MOST_IN_A_FILE = 8  # below the 10 rows that the share of quarantined rows always lets pass
_MOST_SHARE = 0.02
_LONGEST_GAP = 40  # rows between two defects of a file
_ROWS_A_DEFECT = 10  # a short file gets fewer
SAME_BYTES = "SAME_BYTES_OTHER_PERIOD"  # no rule of a contract: intake sees it in the manifest
_DELIVERY_KIND = "police_crimes"
_CHECK_OF_PURPOSE = {Purpose.cut_off: "declared_rows", Purpose.bad_rows: "quarantined_share"}
DELIVERY_DEFECTS = (Purpose.cut_off, Purpose.other_month, Purpose.same_bytes, Purpose.bad_rows)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the answer key. ``row`` counts from 1 below the header; 0 stands for the file as a whole."""

    delivery: str
    file: str
    row: int
    rule: str
    level: str


@dataclass(frozen=True, slots=True)
class _Defect:
    rule: Rule
    recipe: Callable[[Row], Row | None]


@dataclass(slots=True)
class _FileDefects:
    """The defects that wait for suitable rows of one file."""

    delivery: str
    file: CsvFile
    rows_expected: float
    chance: Chance
    entries: list[Entry]
    waiting: list[_Defect] = field(default_factory=list)
    done: list[Rule] = field(default_factory=list)
    spoiled: int = 0

    def has_room_for(self, rule: Rule) -> bool:
        """Whether the rule is not tripped here yet, and one more defect leaves the file acceptable."""
        rules = [defect.rule for defect in self.waiting] + self.done
        return rule not in rules and len(rules) < min(
            _MOST_IN_A_FILE / 2, max(1.0, self.rows_expected / _ROWS_A_DEFECT)
        )

    def spoil(self, row_number: int, cells: list[str], is_spare: bool) -> tuple[list[list[str]], int]:
        """Spoil a row by the first waiting defect that it can carry."""
        if not is_spare or self.spoiled >= max(_MOST_IN_A_FILE - 1, _MOST_SHARE * row_number):
            return [cells], row_number + 1
        columns = COLUMNS[self.file.kind]
        row = dict(zip(columns, cells, strict=True))
        for defect in self.waiting:
            spoiled = defect.recipe(row)
            if spoiled is None:
                continue
            self.waiting.remove(defect)
            self.done.append(defect.rule)
            rows = [list(spoiled.values())] * (2 if defect.rule.check == DUPLICATE else 1)
            for place in range(len(rows)):
                self._note(row_number + place, defect.rule)
            gap = self.chance.between(1, self._longest_gap) if self.waiting else NEVER
            return rows, row_number + len(rows) + gap
        return [cells], row_number + 1

    @property
    def _longest_gap(self) -> int:
        return max(1, min(_LONGEST_GAP, int(self.rows_expected / 20)))

    def _note(self, row_number: int, rule: Rule) -> None:
        self.spoiled += 1
        self.entries.append(Entry(self.delivery, self.file.path.name, row_number, rule.rule_id, rule.severity))


class Defects:
    """All defects of one run."""

    def __init__(self, seed: int, row_defects: int, chosen: Mapping[str, int]) -> None:
        self._chance = Chance(seed, "defects")
        self._seed = seed
        self.entries: list[Entry] = []
        self.not_placed: list[str] = []
        self._entries: list[_FileDefects] = []
        self._open: list[Outbox] = []
        self._rows_expected: Callable[[str, str], float] = lambda _supplier_id, _kind: 0.0
        self._wanted: dict[str, list[_Defect]] = {}
        rules = injectable_rules() if row_defects or chosen else {}
        names = list(rules)
        wanted = [names[number % len(names)] for number in range(row_defects)]
        wanted += [name for name, count in chosen.items() if name in rules for _ in range(count)]
        for name in wanted:
            kind, rule, recipe = rules[name]
            self._wanted.setdefault(kind, []).append(_Defect(rule, recipe))

    def share_out(self, outboxes: Mapping[str, tuple[str, Outbox]], rows_expected: Callable[[str, str], float]) -> None:
        """Give every defect a file among those of suppliers whose rows may be spoiled.

        Args:
            outboxes: group and outbox by supplier id, without those that stay as they are.
            rows_expected: rows a month that a supplier is expected to send of a kind, roughly.
        """
        self._open = [box for _, box in outboxes.values()]
        self._rows_expected = rows_expected
        for kind, defects in self._wanted.items():
            boxes = [box for group, box in outboxes.values() if kind in KINDS_BY_GROUP[group]]
            for defect in defects:
                # The last of several suppliers is left free for what finds no suitable row elsewhere.
                file = self._file_for(kind, boxes[:-1] or boxes, defect)
                if file is None:
                    self.not_placed.append(defect.rule.rule_id)
                else:
                    file.waiting.append(defect)
        for entry in self._entries:
            entry.file.spoil_from = entry.chance.between(1, max(1, int(entry.rows_expected / 2)))

    def close(self, outbox: Outbox) -> None:
        """Hand defects for which a supplier's files had no suitable row to a supplier who still writes."""
        if outbox in self._open:
            self._open.remove(outbox)
        for folder in outbox.regular:
            for kind, file in folder.files.items():
                entry = file.spoiler
                if isinstance(entry, _FileDefects):
                    file.spoil_from = NEVER
                    for defect in entry.waiting:
                        self._hand_on(kind, defect)

    def _hand_on(self, kind: str, defect: _Defect) -> None:
        for outbox in self._open:
            folder = outbox.regular[0]
            if kind in folder.files:
                heir = self._entry(kind, folder)
                if heir.has_room_for(defect.rule):
                    heir.waiting.append(defect)
                    heir.file.spoil_from = min(heir.file.spoil_from, heir.file.rows + 2)
                    return
        self.not_placed.append(defect.rule.rule_id)  # the key says so instead of keeping quiet

    def note_delivery(self, folder: DeliveryFolder) -> None:
        """Note an extra delivery that must be held."""
        plan = folder.plan
        if plan.purpose not in DELIVERY_DEFECTS:
            return
        rule = rule_of_purpose(all_contracts()[_DELIVERY_KIND], plan.purpose)
        for file in folder.files.values():
            self.entries.append(Entry(f"{plan.supplier_id}/{plan.name}", file.path.name, 0, rule, "delivery"))

    def listed(self) -> list[dict[str, Any]]:
        """The answer key's entries in order of deliveries and rows."""
        return [asdict(entry) for entry in sorted(self.entries, key=lambda e: (e.delivery, e.file, e.row, e.rule))]

    def _file_for(self, kind: str, boxes: Sequence[Outbox], defect: _Defect) -> _FileDefects | None:
        """A file in which this rule is not tripped yet: one row in five in the last delivery, the others before."""
        for _ in range(200 if boxes else 0):
            box = self._chance.one_of(boxes)
            last = len(box.regular) - 1
            place = last if self._chance.happens(0.2) else self._chance.between(0, max(last - 1, 0))
            folder = box.regular[place]
            entry = self._entry(kind, folder)
            if entry.has_room_for(defect.rule):
                return entry
        return None

    def _entry(self, kind: str, folder: DeliveryFolder) -> _FileDefects:
        file = folder.files[kind]
        entry = file.spoiler
        if not isinstance(entry, _FileDefects):
            name = f"{folder.plan.supplier_id}/{folder.plan.name}"
            chance = Chance(self._seed, "defects", name, kind)
            expected = self._rows_expected(folder.plan.supplier_id, kind) * folder.plan.months
            entry = _FileDefects(name, file, expected, chance, self.entries)
            file.spoiler = entry
            self._entries.append(entry)
        return entry


def injectable_rules() -> dict[str, tuple[str, Rule, Callable[[Row], Row | None]]]:
    """Row-level rules that can be tripped alone, by id, in turn over the kinds: kind, rule, recipe."""
    by_kind = []
    for kind in (kind for kinds in KINDS_BY_GROUP.values() for kind in kinds):
        contract = all_contracts()[kind]
        recipes = ((rule, recipe_for(contract, rule)) for rule in contract.rules)
        by_kind.append([(kind, rule, recipe) for rule, recipe in recipes if recipe is not None])
    in_turn = (entry for entries in zip_longest(*by_kind) for entry in entries if entry is not None)
    return {entry[1].rule_id: entry for entry in in_turn}


def delivery_purposes() -> dict[str, Purpose]:
    """What may be wrong with a whole delivery, by the rule that holds it."""
    contract = all_contracts()[_DELIVERY_KIND]
    return {rule_of_purpose(contract, purpose): purpose for purpose in DELIVERY_DEFECTS}


def rule_of_purpose(contract: Contract, purpose: Purpose) -> str:
    """The rule, or the intake's own reason, by which an extra delivery is held."""
    if purpose is Purpose.same_bytes:
        return SAME_BYTES
    if purpose is Purpose.other_month:
        found = [rule for rule in contract.rules if "having" in str(rule.arguments.get("unexpected_rows_query", ""))]
    else:
        found = [rule for rule in contract.rules if rule.check == _CHECK_OF_PURPOSE[purpose]]
    return found[0].rule_id
