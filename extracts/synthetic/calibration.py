"""The calibration table: every number that shapes the synthetic extracts, with its source.

Belongs here: reading ``calibration.yaml`` and ``recorded_offences.csv`` and turning them into things to draw from.
Does not belong here: drawing (``chance``), and any number of its own.
"""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = Path(__file__).parent / "calibration.yaml"
RECORDED_OFFENCES = Path(__file__).parent / "recorded_offences.csv"
BASES = ("published", "derived", "assumption")
_STEPS = 4096  # a spread is kept as this many equally likely whole days


class CalibrationError(ValueError):
    """The calibration table says something that cannot be used; the message names the parameter."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row of the table: what it is, in which unit, and where it comes from."""

    name: str
    value: Any
    unit: str
    basis: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Mix:
    """Values with the upper bounds of their shares of 0 to 1."""

    values: tuple[Any, ...]
    bounds: tuple[float, ...]

    def at(self, share: float) -> Any:  # noqa: ANN401 - a mix holds codes or numbers
        """The value at a share of 0 up to 1."""
        return self.values[bisect_right(self.bounds, share)]


@dataclass(frozen=True, slots=True)
class Spread:
    """An interval in whole days, as equally likely values in order."""

    days: tuple[int, ...]


class Calibration:
    """The table, in the forms in which it is used; a year that it does not name is like the nearest one."""

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self.parameters = parameters
        self._numbers: dict[tuple[object, ...], float] = {}
        self._mixes: dict[tuple[object, ...], Mix] = {}
        self._spreads: dict[tuple[object, ...], Spread] = {}

    def value(self, *path: object) -> Any:  # noqa: ANN401 - whatever the table holds
        """A parameter, or what stands under some keys of it.

        Raises:
            CalibrationError: there is nothing under that name.
        """
        name, *keys = path
        found: Any = self.parameters[str(name)].value if name in self.parameters else None
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if found is None:
            raise CalibrationError(f"{TABLE.name} has no {' / '.join(map(str, path))}")
        return found

    def number(self, *path: object) -> float:
        """One number."""
        if path not in self._numbers:
            self._numbers[path] = float(self.value(*path))
        return self._numbers[path]

    def ends(self, *path: object) -> tuple[int, int]:
        """The least and the greatest whole number of a range."""
        low, high = self.value(*path)
        return int(low), int(high)

    def in_year(self, year: int, *path: object) -> Any:  # noqa: ANN401 - whatever stands under the year
        """What holds in a year, or in the nearest year that is named."""
        years = self.value(*path)
        return years[min(years, key=lambda named: (abs(named - year), named))]

    def mix(self, *path: object) -> Mix:
        """Weights as shares."""
        if path not in self._mixes:
            self._mixes[path] = mix_of(self.value(*path))
        return self._mixes[path]

    def mix_in_year(self, year: int, *path: object) -> Mix:
        """Weights as shares, in a year."""
        key = (*path, year)
        if key not in self._mixes:
            self._mixes[key] = mix_of(self.in_year(year, *path))
        return self._mixes[key]

    def spread(self, *path: object) -> Spread:
        """An interval in days."""
        if path not in self._spreads:
            described = self.value(*path)
            self._spreads[path] = lognormal(float(described["median"]), float(described["mean"]))
        return self._spreads[path]


def mix_of(weights: Mapping[Any, float]) -> Mix:
    """A mix of weighted values."""
    total = float(sum(weights.values()))
    bounds = tuple(part / total for part in accumulate(weights.values()))
    return Mix(tuple(weights), bounds[:-1])  # the last value has all that is left


def lognormal(median: float, mean: float) -> Spread:
    """A lognormal spread of whole days.

    Its median is exp(mu) and its mean exp(mu + sigma^2 / 2), so sigma = sqrt(2 ln(mean / median)). Kept as a table of
    whole days, so that what is drawn does not hang on the last digit of a logarithm on some machine.
    """
    sigma = math.sqrt(2 * math.log(mean / median)) if mean > median else 0.0
    normal = NormalDist()
    quantiles = (normal.inv_cdf((step + 0.5) / _STEPS) for step in range(_STEPS))
    return Spread(tuple(round(median * math.exp(sigma * quantile)) for quantile in quantiles))


@cache
def calibration() -> Calibration:
    """The calibration table of this version.

    Raises:
        CalibrationError: a parameter lacks its unit, basis, source or reason.
    """
    document = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    parameters = [_parameter(entry) for entry in document["parameters"]]
    return Calibration({parameter.name: parameter for parameter in parameters})


def _parameter(entry: Mapping[str, Any]) -> Parameter:
    name = str(entry.get("id"))
    missing = [part for part in ("value", "unit", "basis", "source") if part not in entry]
    if entry.get("basis") != "published" and not entry.get("reason"):
        missing.append("reason")
    if missing or entry["basis"] not in BASES:
        raise CalibrationError(
            f"{TABLE.name}: {name} needs {', '.join(missing) or 'a basis out of ' + ', '.join(BASES)}"
        )
    return Parameter(name, entry["value"], entry["unit"], entry["basis"], entry["source"], entry.get("reason", ""))


@cache
def recorded_offences() -> Mapping[tuple[str, int], Mapping[str, int]]:
    """Published counts of recorded crimes by (force code, calendar year) and offence code.

    A negative count (more crimes cancelled than recorded) is published and stands for no crime.
    """
    left_out = set(calibration().value("offence_codes_left_out"))
    counts: dict[tuple[str, int], dict[str, int]] = {}
    with RECORDED_OFFENCES.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["offence_code"] not in left_out:
                force_year = counts.setdefault((row["force_code"], int(row["calendar_year"])), {})
                force_year[row["offence_code"]] = max(0, int(row["recorded_count"]))
    return counts


def is_rape(offence_code: str) -> bool:
    """Whether a Home Office offence code is one of rape."""
    return offence_code.startswith("19")
