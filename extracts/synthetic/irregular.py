"""Who delivers irregularly: late suppliers, past months sent again, deliveries that must be held, the canary.

Belongs here: choosing suppliers for what is out of the ordinary. The yardstick's Area and its forces stay regular, but
may be late. Does not belong here: writing anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extracts.suppliers import Supplier, all_suppliers
from extracts.synthetic import yardstick
from extracts.synthetic.calibration import calibration
from extracts.synthetic.chance import Chance
from extracts.synthetic.columns import COLUMNS
from extracts.synthetic.defects import DELIVERY_DEFECTS, delivery_purposes
from extracts.synthetic.places import BRITISH_TRANSPORT_POLICE, forces_of, recorded_a_year, supplier_of
from extracts.synthetic.plan import PlannedDelivery, Purpose, defective, regular_deliveries, resupply
from extracts.synthetic.references import is_distinctive

if TYPE_CHECKING:
    from collections.abc import Callable

    from extracts.synthetic.request import Request

_NEEDS_TWO_MONTHS = (Purpose.other_month, Purpose.same_bytes)
_HELD_SUPPLIERS = 6  # of the largest forces, whose files are long enough to be cut


class Irregular:
    """The choice for one run."""

    def __init__(self, request: Request) -> None:
        self._request = request
        table = calibration()
        senders = [supplier for supplier in all_suppliers().values() if supplier.group != "publisher"]
        late = Chance(request.seed, "late").shuffled(supplier.supplier_id for supplier in senders)
        self.late = set(late[: int(table.number("deliveries", "late_suppliers"))])
        taken = self.late | untouched_suppliers()
        free = [supplier for supplier in senders if supplier.supplier_id not in taken]
        forces = sorted(
            (supplier for supplier in free if supplier.group == "force"), key=lambda force: -recorded_a_year(force.code)
        )
        held = [force.supplier_id for force in forces[:_HELD_SUPPLIERS]]
        self.canary = next(force.supplier_id for force in forces[_HELD_SUPPLIERS:] if is_distinctive(force.code))
        taken = {*held, self.canary}
        self.repeating: set[str] = set()
        for group, number in table.value("deliveries", "resupplies").items():
            names = [supplier.supplier_id for supplier in free if supplier.group == group]
            shuffled = Chance(request.seed, "resupplies", group).shuffled(name for name in names if name not in taken)
            self.repeating.update(shuffled[:number])
        self.held: dict[str, list[tuple[int, Purpose]]] = {}
        for number, purpose in enumerate(self._purposes()):
            self.held.setdefault(held[number % len(held)], []).append((number, purpose))

    def deliveries(self, supplier: Supplier) -> tuple[list[PlannedDelivery], list[PlannedDelivery]]:
        """The regular and the extra deliveries of a supplier."""
        request, name = self._request, supplier.supplier_id
        regular = regular_deliveries(name, request.months, request.layout, name in self.late)
        again = resupply(regular, request.months) if name in self.repeating else None
        extra = [defective(regular, purpose, request.months, number) for number, purpose in self.held.get(name, ())]
        return regular, [*([again] if again else []), *extra]

    def _purposes(self) -> list[Purpose]:
        """Extra deliveries that must be held: so many in turn, and those asked for by rule."""
        is_short = self._request.months.start.replace(day=28) >= self._request.months.end.replace(day=28)
        possible = [purpose for purpose in DELIVERY_DEFECTS if not (is_short and purpose in _NEEDS_TWO_MONTHS)]
        in_turn = [possible[number % len(possible)] for number in range(self._request.delivery_defects)]
        by_rule = delivery_purposes()
        return in_turn + [
            by_rule[rule] for rule, count in self._request.defects.items() if rule in by_rule for _ in range(count)
        ]


def untouched_suppliers() -> set[str]:
    """The yardstick's Area with its panel and its forces, whose rows are left as they are."""
    area = all_suppliers()[yardstick.supplier()]
    forces = {supplier_of("force", code).supplier_id for code in forces_of(area) if code != BRITISH_TRANSPORT_POLICE}
    return {area.supplier_id, supplier_of("joint_panel", area.code).supplier_id, *forces}


def _first_half(lines: list[bytes]) -> list[bytes]:
    return lines[: 1 + (len(lines) - 1) // 2]


def _mostly_bad(lines: list[bytes]) -> list[bytes]:
    """An impossible age band in four rows of five."""
    place = COLUMNS["police_crimes"].index("victim_age_band")
    changed = lines[:1]
    for number, line in enumerate(lines[1:]):
        cells = line.split(b",")
        if number % 5:
            cells[place] = b"not_a_code"
        changed.append(b",".join(cells))
    return changed


CHANGES: dict[Purpose, Callable[[list[bytes]], list[bytes]]] = {
    Purpose.cut_off: _first_half,
    Purpose.same_bytes: lambda lines: lines,
    Purpose.bad_rows: _mostly_bad,
}
