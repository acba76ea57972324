"""Small good extracts of the three kinds, made in memory, that a test can spoil in one place.

Belongs here: rows that keep every rule. Does not belong here: any defect (the tests hold those).
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from extracts.contract import place_aliases
from extracts.period import Period

if TYPE_CHECKING:
    from pathlib import Path

CRIME = "home_office_recorded_crime"
OUTCOMES = "home_office_outcomes"
CPS = "cps_principal_offence_outcomes"
QUARTER = Period.parse("2017-04..2017-06")
MONTH = Period.parse("2017-03")

# Areas of the CPS file without a case: their rows can go or come without changing the national sum.
NIL_AREAS = ("Cumbria", "Gloucestershire", "Lincolnshire")
NATIONAL = "National"
_LONDON = ("01", "48")
_NATIONAL_POLICE = "93"


@dataclass
class SmallExtract:
    """A table of text with the header that its contract names; rows are changed in place."""

    supplier: str
    kind: str
    period: Period
    header: list[str]
    rows: list[list[str]]
    declared_rows: int | None = None

    def put(self, header: str, text: str, row: int = 0) -> None:
        """Replace the text of one cell."""
        self.rows[row][self.header.index(header)] = text

    def row_of(self, name: str) -> int:
        """Index of the row in which this text stands."""
        return next(index for index, row in enumerate(self.rows) if name in row)

    def text(self) -> str:
        """The extract as CSV with line feeds."""
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([self.header, *self.rows])
        return out.getvalue()

    def write(self, path: Path) -> Path:
        """Write the extract as CSV."""
        path.write_text(self.text(), encoding="utf-8", newline="")
        return path


def good_extract(kind: str, seed: int = 0) -> SmallExtract:
    """An extract that keeps every rule of its contract; another seed gives other counts, and so other bytes."""
    return {CRIME: recorded_crime, OUTCOMES: outcomes, CPS: cps_month}[kind](seed)


def recorded_crime(seed: int = 0) -> SmallExtract:
    """Every force, five offence codes, one quarter: 220 rows, so that one bad row is less than 1 in 100."""
    header = (
        "FY", "Financial Quarter", "Force", "Offence Description", "Group", "Offence Subgroup", "Offence Code", "n",
        "territorial",
    )  # fmt: skip
    rows = [
        ["2017/18", "1", name, f"Offence {offence}", "Sexual offences", "Rape", offence, str(seed + 10 + index), "true"]
        for name in force_names().values()
        for index, offence in enumerate(("19C", "19D", "19E", "20A", "17A"))
    ]
    return SmallExtract("home-office", CRIME, QUARTER, list(header), rows)


def outcomes(seed: int = 0) -> SmallExtract:
    """Every force, one offence code, five outcome types, one quarter: 220 rows."""
    header = (
        "financial_year", "financial_quarter", "force_name", "offence_description", "offence_group",
        "offence_subgroup", "offence_code", "offence_code_expired", "outcome_description", "outcome_group",
        "outcome_type", "offences", "force_outcomes_recorded_in_quarter",
    )  # fmt: skip
    rows = [
        ["2017/18", "1", name, "Rape", "Sexual offences", "Rape", "19C", "NA", f"Outcome {outcome}", "Group", outcome,
         str(seed + 20 + index), "NA" if outcome == "0" else str(seed + 30 + index)]
        for name in force_names().values()
        for index, outcome in enumerate(("1", "14", "15", "16", "0"))
    ]  # fmt: skip
    return SmallExtract("home-office", OUTCOMES, QUARTER, list(header), rows)


def cps_month(seed: int = 0) -> SmallExtract:
    """The national row and 42 county areas, three of them without a case: 43 rows."""
    header = [
        "", "Number of Sexual Offences Convictions", "Percentage of Sexual Offences Convictions",
        "Number of Sexual Offences Unsuccessful", "Percentage of Sexual Offences Unsuccessful",
        "Number of Admin Finalised Unsuccessful", "Percentage of Admin Finalised Unsuccessful",
    ]  # fmt: skip
    counts = {
        name: (0, 0) if name in NIL_AREAS else (seed + 20 + index, 10 + index % 7)
        for index, name in enumerate(county_areas())
    }
    national = sum(convicted for convicted, _ in counts.values()), sum(ended for _, ended in counts.values())
    rows = [cps_row(NATIONAL, *national), *(cps_row(name, *pair) for name, pair in counts.items())]
    return SmallExtract("cps-headquarters", CPS, MONTH, header, rows)


def cps_row(name: str, convicted: int, unsuccessful: int) -> list[str]:
    """One row of the CPS file, with the percentages that follow from its counts."""
    completed = convicted + unsuccessful
    shares = [f"{100 * part / completed:.1f}%" if completed else "-" for part in (convicted, unsuccessful)]
    return [name, f"{convicted:,}", shares[0], f"{unsuccessful:,}", shares[1], "-", "-"]


@cache
def force_names() -> dict[str, str]:
    """The 43 forces and the British Transport Police: first name of each in the place aliases, by force code."""
    names: dict[str, str] = {}
    for name, code in place_aliases().items():
        if code.isdigit():
            names.setdefault(code, name)
    return names


def county_areas() -> list[str]:
    """The 42 county areas of the CPS: London is one, and the British Transport Police belongs to none."""
    single = [name for code, name in force_names().items() if code not in (*_LONDON, _NATIONAL_POLICE)]
    return ["Metropolitan and City", *single]
