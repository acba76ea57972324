"""Forces and CPS Areas: who sends what where, and how much each force records."""

from __future__ import annotations

from functools import cache

from extracts.suppliers import Supplier, all_suppliers
from extracts.synthetic.calibration import calibration, recorded_offences

BRITISH_TRANSPORT_POLICE = "93"
_SHARED_CODES = ("00", "02")


@cache
def supplier_of(group: str, code: str) -> Supplier:
    """The supplier of a group with a code."""
    return next(supplier for supplier in all_suppliers().values() if (supplier.group, supplier.code) == (group, code))


def forces_of(area: Supplier) -> list[str]:
    """Codes of the forces whose cases go to a CPS Area; codes that systems share are not forces."""
    return [code for code in area.own_force_codes if code not in _SHARED_CODES]


@cache
def areas_of(force_code: str) -> dict[str, float]:
    """CPS Areas of a force, with the share of its cases that goes to each."""
    shares = calibration().value("area_share_of_force")
    if force_code in shares:
        total = sum(shares[force_code].values())
        return {str(area): share / total for area, share in shares[force_code].items()}
    areas = [supplier for supplier in all_suppliers().values() if supplier.group == "cps_area"]
    return {area.code: 1.0 for area in areas if force_code in area.own_force_codes}


@cache
def recorded_a_year(force_code: str) -> int:
    """Crimes of the last published year of a force."""
    counts = recorded_offences()
    last = max(year for _, year in counts)
    return sum(counts.get((force_code, last), {}).values())
