"""Suppliers: who may send extracts, and whose cases they may speak of.

Belongs here: the register of suppliers. Does not belong here: which of them sends what (``extracts/contracts``).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

REGISTER = Path(__file__).parent / "suppliers.csv"
GROUPS = ("publisher", "force", "cps_area", "joint_panel")


@dataclass(frozen=True, slots=True)
class Supplier:
    """One supplier.

    ``code`` is the force's code in a URN, or the number of the CPS Area; empty for a publisher of statistics.
    ``own_force_codes`` are the force codes of whose cases it may speak: 00 stands for systems that forces share, 02 is
    a second code of the Metropolitan Police, 93 the British Transport Police, whose cases go to every Area.
    """

    supplier_id: str
    group: str
    name: str
    code: str
    own_force_codes: tuple[str, ...]


@cache
def all_suppliers() -> Mapping[str, Supplier]:
    """Every supplier by its id."""
    with REGISTER.open(encoding="utf-8", newline="") as lines:
        suppliers = [
            Supplier(
                supplier_id=row["supplier_id"],
                group=row["supplier_group"],
                name=row["supplier_name"],
                code=row["supplier_code"],
                own_force_codes=tuple(code for code in row["own_force_codes"].split("|") if code),
            )
            for row in csv.DictReader(lines)
        ]
    return {supplier.supplier_id: supplier for supplier in suppliers}


def named(names: tuple[str, ...]) -> tuple[str, ...]:
    """Supplier ids of names that are ids or groups; a name that is neither is not among them."""
    return tuple(
        supplier.supplier_id
        for supplier in all_suppliers().values()
        if supplier.supplier_id in names or supplier.group in names
    )
