"""Small aggregate extracts in the shape of the public ones, from one seed.

Belongs here: samples for ``rasso up`` and for tests. Volumes are plausible and nothing more: no figure here is
calibrated, and every page that shows one says that it is synthetic.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from extracts.contract import place_aliases
from extracts.period import Period

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SEED = 1992  # the year of the Act that protects complainants

# Home Office codes with a rough share of recorded sexual offences, so that series differ in size.
_OFFENCES = (
    ("19C", "Rape of a female aged 16 and over", "Rape", 0.22),
    ("19D", "Rape of a female child under 16", "Rape", 0.06),
    ("19E", "Rape of a female child under 13", "Rape", 0.04),
    ("19F", "Rape of a male aged 16 and over", "Rape", 0.02),
    ("20A", "Sexual assault on a female aged 13 and over", "Other sexual offences", 0.34),
    ("17A", "Sexual assault on a male aged 13 and over", "Other sexual offences", 0.08),
    ("22B", "Sexual activity involving child under 16", "Other sexual offences", 0.14),
    ("88A", "Sexual grooming", "Other sexual offences", 0.10),
)
_OUTCOMES = (
    ("1", "Charged/Summonsed", "Charged/Summonsed", 0.06),
    ("3", "Caution \u2013 adults", "Out-of-court (formal)", 0.02),
    ("14", "Evidential difficulties: suspect not identified; victim does not support further action",
     "Evidential difficulties (victim does not support action)", 0.10),
    ("15", "Evidential difficulties: suspect identified; victim supports action",
     "Evidential difficulties (suspect identified; victim supports action)", 0.20),
    ("16", "Evidential difficulties: suspect identified; victim does not support further action",
     "Evidential difficulties (victim does not support action)", 0.38),
    ("18", "Investigation complete \u2013 no suspect identified",
     "Investigation complete \u2013 no suspect identified", 0.12),
    ("0", "Not yet assigned an outcome", "Not yet assigned an outcome", 0.12),
)  # fmt: skip
_LONDON = ("01", "48")


@dataclass(frozen=True, slots=True)
class Sample:
    """A file that was written, and how it is to be delivered."""

    path: Path
    supplier: str
    kind: str
    period: Period


def write_samples(
    folder: Path,
    seed: int = SEED,
    *,
    financial_years: Sequence[int] = (2015, 2016, 2017),
    cps_years: Sequence[int] = (2016, 2017),
) -> list[Sample]:
    """Write recorded crime and outcomes by financial year and CPS outcomes by month; equal arguments, equal bytes.

    A financial year is named by the calendar year in which it begins. The CPS months come last, in their order.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    chance = random.Random(seed)  # noqa: S311 - reproducible figures are the point
    volumes = {code: chance.uniform(60, 420) for code in _forces()}
    volumes["01"] = 1800.0
    samples = [_recorded_crime(folder, chance, volumes, financial_years)]
    samples += [_outcomes(folder, chance, volumes, year) for year in financial_years]
    samples += [_cps_month(folder, chance, volumes, year, month) for year in cps_years for month in range(1, 13)]
    return samples


def _recorded_crime(folder: Path, chance: random.Random, volumes: dict[str, float], years: Sequence[int]) -> Sample:
    header = (
        "FY", "Financial Quarter", "Force", "Offence Description", "Group", "Offence Subgroup", "Offence Code", "n",
        "territorial",
    )  # fmt: skip

    def rows() -> Iterator[Sequence[object]]:
        for year in years:
            for quarter in (1, 2, 3, 4):
                for code, name in _forces().items():
                    for offence, words, subgroup, share in _OFFENCES:
                        count = _count(chance, volumes[code] * share)
                        group = ("Sexual offences", subgroup if subgroup != "Rape" else "Rape offences")
                        yield _year(year), quarter, name, words, *group, offence, count, str(code != "93").lower()

    path = _write(folder / "synthetic_recorded_crime.csv", header, rows())
    period = Period(date(years[0], 4, 1), date(years[-1] + 1, 3, 31))
    return Sample(path, "home-office", "home_office_recorded_crime", period)


def _outcomes(folder: Path, chance: random.Random, volumes: dict[str, float], year: int) -> Sample:
    header = (
        "financial_year", "financial_quarter", "force_name", "offence_description", "offence_group",
        "offence_subgroup", "offence_code", "offence_code_expired", "outcome_description", "outcome_group",
        "outcome_type", "offences", "force_outcomes_recorded_in_quarter",
    )  # fmt: skip

    def rows() -> Iterator[Sequence[object]]:
        for quarter in (1, 2, 3, 4):
            for code, name in _forces().items():
                for offence, words, subgroup, share in _OFFENCES:
                    for outcome, description, group, outcome_share in _OUTCOMES:
                        expected = volumes[code] * share * outcome_share
                        closed = "NA" if outcome == "0" else _count(chance, expected * 1.05)
                        crime = (_year(year), quarter, name, words, "Sexual offences", subgroup, offence, "NA")
                        yield *crime, description, group, outcome, _count(chance, expected), closed

    path = _write(folder / f"synthetic_outcomes_{year}_{(year + 1) % 100:02d}.csv", header, rows())
    return Sample(path, "home-office", "home_office_outcomes", Period(date(year, 4, 1), date(year + 1, 3, 31)))


def _cps_month(folder: Path, chance: random.Random, volumes: dict[str, float], year: int, month: int) -> Sample:
    header = (
        "", "Number of Sexual Offences Convictions", "Percentage of Sexual Offences Convictions",
        "Number of Sexual Offences Unsuccessful", "Percentage of Sexual Offences Unsuccessful",
        "Number of Admin Finalised Unsuccessful", "Percentage of Admin Finalised Unsuccessful",
    )  # fmt: skip
    areas: dict[str, tuple[int, int]] = {}
    for code, name in _forces().items():
        if code == "93":
            continue
        area = "Metropolitan and City" if code in _LONDON else name
        convicted, unsuccessful = areas.get(area, (0, 0))
        size = volumes[code] * 0.06
        areas[area] = convicted + _count(chance, size * 0.7), unsuccessful + _count(chance, size * 0.3)
    total = sum(pair[0] for pair in areas.values()), sum(pair[1] for pair in areas.values())
    rows = [_cps_row("National", *total)] + [_cps_row(area, *areas[area]) for area in sorted(areas)]
    period = Period.of_month(year, month)
    path = _write(folder / f"synthetic_cps_outcomes_{period.start:%B_%Y}.csv".lower(), header, rows)
    return Sample(path, "cps-headquarters", "cps_principal_offence_outcomes", period)


def _cps_row(area: str, convicted: int, unsuccessful: int) -> Sequence[object]:
    completed = convicted + unsuccessful
    shares = [f"{100 * part / completed:.1f}%" if completed else "-" for part in (convicted, unsuccessful)]
    return area, f"{convicted:,}", shares[0], f"{unsuccessful:,}", shares[1], "-", "-"


def _forces() -> dict[str, str]:
    """The 43 forces and the British Transport Police, by the first name that the Home Office uses."""
    names: dict[str, str] = {}
    for name, code in place_aliases().items():
        if code.isdigit():
            names.setdefault(code, name)
    return names


def _count(chance: random.Random, expected: float) -> int:
    return max(0, round(chance.gauss(expected, expected**0.5)))


def _year(year: int) -> str:
    return f"{year}/{(year + 1) % 100:02d}"


def _write(path: Path, header: Sequence[str], rows: Iterator[Sequence[object]] | list[Sequence[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path
