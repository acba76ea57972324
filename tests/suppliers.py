"""Suppliers that belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extracts.suppliers import all_suppliers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


def suppliers_with(answer_key: Mapping[str, Any], areas: Iterable[str]) -> set[str]:
    """Suppliers of some CPS Areas, and whoever else has a canary or a delivery with a defect of the whole."""
    canaries = answer_key["canaries"]
    deliveries = {defect["delivery"] for defect in answer_key["defects"] if defect["level"] == "delivery"}
    deliveries.add(canaries["undeclared_column"]["delivery"])
    with_canaries = {canaries["force_supplier"], canaries["area_supplier"]}
    return suppliers_of(areas) | with_canaries | {name.split("/")[0] for name in deliveries}
