"""Chance that is the same in every run: one stream of numbers for each thing that is drawn.

Belongs here: drawing from mixes and spreads. Does not belong here: what they hold (``calibration``).

A stream is seeded by words (seed, force, month), never by the order of work, so that a month of one force looks the
same whatever else is written. ``random.Random`` promises equal numbers for equal seeds on every machine and version.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from extracts.synthetic.calibration import Mix, Spread

_Thing = TypeVar("_Thing")


class Chance:
    """One stream of numbers."""

    __slots__ = ("share",)

    def __init__(self, *words: object) -> None:
        self.share = random.Random("|".join(map(str, words))).random  # noqa: S311 - reproducible on purpose

    def happens(self, probability: float) -> bool:
        """True with a probability."""
        return self.share() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number of low to high, both included."""
        return low + int(self.share() * (high - low + 1))

    def days(self, spread: Spread) -> int:
        """A number of days."""
        return spread.days[int(self.share() * len(spread.days))]

    def pick(self, mix: Mix) -> Any:  # noqa: ANN401 - a mix holds codes or numbers
        """A value of a mix."""
        return mix.at(self.share())

    def one_of(self, things: Sequence[_Thing]) -> _Thing:
        """One of several equally likely things."""
        return things[int(self.share() * len(things))]

    def several(self, mix: Mix, most: int) -> str:
        """One to ``most`` different codes of a mix, as they stand in one column."""
        codes = {self.pick(mix) for _ in range(self.between(1, most))}
        return "|".join(sorted(codes))

    def shuffled(self, things: Iterable[_Thing]) -> list[_Thing]:
        """The things in another order."""
        return [thing for _, _, thing in sorted((self.share(), place, thing) for place, thing in enumerate(things))]
