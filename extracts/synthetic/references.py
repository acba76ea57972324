"""Fake case references: URNs and crime references that look like real ones, and what officers do to them.

Belongs here: minting references that occur once, and damaging them. Does not belong here: normalising or linking them.

Every minted number leaves a fixed rest modulo 7 that belongs to its force, unit and year; a damaged one leaves another.
So a damaged reference is never the reference of another case, and nobody has to remember what was minted. Numbers may
also be minted one after the other, as services give them: then a damaged one often is another case's.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extracts.synthetic.chance import Chance

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SECOND = "0123456789" + _LETTERS
_CHECK = 7
_URN_DIGITS = 5
_FEWEST_DIGITS = 6
_CONFUSED = {"0": "ODQ", "1": "IL", "2": "Z", "5": "S", "6": "G", "8": "B"}
_TOO_MANY_CASES = "there are too many cases for their references; choose a smaller --scale"
_MOST_UNITS = len(_LETTERS) * len(_SECOND)

# How forces write crime references: {f} force, {y} year (2 digits), {n} number, {u} two letters, {c} a check letter.
_STYLES = (
    "{f}{u}/{n}{c}/{y}",
    "{n}/{y}",
    "{f}/{n}/{y}",
    "{f}{y}{n}",
    "CR-{n}-{y}",
    "20{y}/{n}{c}",
)


class ScarceReferencesError(ValueError):
    """There are more cases than references of that shape; the message says what to change."""


@dataclass(frozen=True, slots=True)
class CrimeReference:
    """A crime reference and where its number stands in it."""

    text: str
    start: int
    end: int


@dataclass(slots=True)
class ReferenceMint:
    """Mints the references of one force's share in one Area, month by month.

    Attributes:
        force_code: the force's code in its URNs.
        units: unit codes that only this share uses.
        part: which of the force's shares this is, of ``parts``.
        digits: digits of a crime reference's number.
        is_consecutive: whether numbers are given in sequence within unit and year.
    """

    force_code: str
    units: tuple[str, ...]
    part: int
    parts: int
    digits: int
    is_consecutive: bool = False
    _month: int = 0
    _crimes: int = 0
    _cases: dict[str, int] = field(default_factory=dict)

    def month_begins(self, month: int) -> None:
        """Start a month: numbers are taken from that month's block, or those of the year go on."""
        if not self.is_consecutive or month // 12 != self._month // 12:
            self._crimes = 0
            self._cases.clear()
        self._month = month

    def crime_reference(self) -> CrimeReference:
        """The next crime reference of the month."""
        if self.is_consecutive:
            number = _in_sequence(self._crimes * self.parts + self.part, self.digits)
        else:
            block = 10**self.digits // _CHECK // 12 // self.parts
            rank = self._month % 12 * self.parts + self.part
            number = self._number(f"crime|{self.force_code}", block, rank, self._crimes)
        self._crimes += 1
        return _crime_reference(self.force_code, self._month // 12 % 100, number, self.digits)

    def urn(self, unit: str) -> str:
        """The next URN of a unit in the month."""
        minted = self._cases.get(unit, 0)
        self._cases[unit] = minted + 1
        if self.is_consecutive:
            number = _in_sequence(minted, _URN_DIGITS)
        else:
            number = self._number(f"urn|{unit}", 10**_URN_DIGITS // _CHECK // 12, self._month % 12, minted)
        return f"{unit}{number:0{_URN_DIGITS}d}{self._month // 12 % 100:02d}"

    def _number(self, series: str, block: int, rank: int, minted: int) -> int:
        size = _prime_up_to(block)
        if minted >= size:
            raise ScarceReferencesError(_TOO_MANY_CASES)
        mixed = _mixed(f"{series}|{self._month}")
        place = rank * block + (minted * (1 + mixed % (size - 1)) + mixed) % size
        return place * _CHECK + _mixed(f"{series}|{self._month // 12}") % _CHECK


def mint_for(
    force_code: str, part: int, parts: int, units: int, crimes_a_month: float, *, is_consecutive: bool = False
) -> ReferenceMint:
    """A mint with references enough for so many crimes a month and so many units.

    Raises:
        ScarceReferencesError: the force would need more units than two characters can name.
    """
    if units * parts > _MOST_UNITS:
        raise ScarceReferencesError("a force would need too many units; choose a smaller --scale")
    digits = _FEWEST_DIGITS
    while 10**digits // _CHECK // 12 < 4 * crimes_a_month * parts:
        digits += 1
    codes = tuple(f"{force_code}{_unit(part * units + number)}" for number in range(units))
    return ReferenceMint(force_code, codes, part, parts, digits, is_consecutive)


def damaged_urn(urn: str, how: str, chance: Chance) -> str:
    """A URN as an officer typed it wrongly: never without the shape that can be repaired.

    It is never another case's, unless numbers were minted in sequence.
    """
    if how == "lost_zero" and urn[0] == "0":
        return urn[1:]
    if how in ("lost_zero", "confusable"):
        places = [place for place in (0, 1, *range(4, 11)) if urn[place] in _CONFUSED]
        return _confused(urn, places, chance) or _mistyped(urn, 4, 9, chance)
    swapped = _swapped(urn, 4, 9, chance) if how == "swapped" else None
    return swapped or _mistyped(urn, 4, 9, chance)


def damaged_crime_reference(reference: CrimeReference, how: str, chance: Chance) -> str:
    """A crime reference as an officer typed it wrongly; never another crime's, unless minted in sequence."""
    text, start, end = reference.text, reference.start, reference.end
    if how == "lost_zero" and text[start] == "0":
        return text[:start] + text[start + 1 :]
    if how in ("lost_zero", "confusable"):
        places = [place for place in range(start, end) if text[place] in _CONFUSED]
        return _confused(text, places, chance) or _mistyped(text, start, end, chance)
    swapped = _swapped(text, start, end, chance) if how == "swapped" else None
    return swapped or _mistyped(text, start, end, chance)


def is_distinctive(force_code: str) -> bool:
    """Whether the force's crime references hold letters of their own, so that one is found by its text alone."""
    return "{u}" in _style(force_code)[0]


def spread_out_urn(urn: str) -> str:
    """A URN with the slashes that some forces write."""
    return f"{urn[:4]}/{urn[4:9]}/{urn[9:]}"


def _confused(text: str, places: list[int], chance: Chance) -> str | None:
    if not places:
        return None
    place = chance.one_of(places)
    return text[:place] + chance.one_of(_CONFUSED[text[place]]) + text[place + 1 :]


def _swapped(text: str, start: int, end: int, chance: Chance) -> str | None:
    """Two neighbouring digits the other way round; those equal or 7 apart would leave a reference of the series."""
    places = [place for place in range(start, end - 1) if (int(text[place]) - int(text[place + 1])) % _CHECK]
    if not places:
        return None
    place = chance.one_of(places)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _mistyped(text: str, start: int, end: int, chance: Chance) -> str:
    place = chance.between(start, end - 1)
    right = int(text[place])
    wrong = chance.one_of([digit for digit in range(10) if (digit - right) % _CHECK])
    return f"{text[:place]}{wrong}{text[place + 1 :]}"


def _in_sequence(number: int, digits: int) -> int:
    if number >= 10**digits:
        raise ScarceReferencesError(_TOO_MANY_CASES)
    return number


def _crime_reference(force_code: str, year: int, number: int, digits: int) -> CrimeReference:
    style, letters = _style(force_code)
    filled = {
        "f": force_code,
        "y": f"{year:02d}",
        "u": letters,
        "c": _LETTERS[number % 26],
        "n": f"{number:0{digits}d}",
    }
    start = len(style.partition("{n}")[0].format_map(filled))
    return CrimeReference(style.format_map(filled), start, start + digits)


@cache
def _style(force_code: str) -> tuple[str, str]:
    mixed = _mixed(f"style|{force_code}")
    return _STYLES[mixed % len(_STYLES)], _LETTERS[mixed // 7 % 26] + _LETTERS[mixed // 191 % 26]


def _unit(number: int) -> str:
    """Different two characters for each number below 936."""
    first, turn = number % 26, number // 26
    return _LETTERS[first] + _SECOND[(turn + 5 * first) % 36]


@cache
def _mixed(text: str) -> int:
    """A number from a text, the same in every process."""
    return zlib.crc32(text.encode())


@cache
def _prime_up_to(limit: int) -> int:
    """The greatest prime of at most ``limit``: steps of any size through it meet every place once."""
    return next(number for number in range(limit, 1, -1) if _is_prime(number))


def _is_prime(number: int) -> bool:
    return all(number % divisor for divisor in range(2, int(number**0.5) + 1))
