"""Suppliers that belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extracts.suppliers import all_suppliers

if TYPE_CHECKING:
    from collections.abc import Iterable

_NO_TERRITORY = {"93"}  # the British Transport Police, whose cases go to every CPS Area


def suppliers_of(areas: Iterable[str]) -> set[str]:
    """Forces, CPS Areas and panels of some CPS Areas, by their codes."""
    codes = set(areas)
    of_areas = [
        one for one in all_suppliers().values() if one.group in ("cps_area", "joint_panel") and one.code in codes
    ]
    force_codes = {code for one in of_areas for code in one.own_force_codes} - _NO_TERRITORY
    forces = [one for one in all_suppliers().values() if one.group == "force" and one.code in force_codes]
    return {one.supplier_id for one in (*of_areas, *forces)}
