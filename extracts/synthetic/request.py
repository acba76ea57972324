"""What is asked for: the arguments of one run of ``rasso synthesise``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from extracts.synthetic.aggregates import SEED
from extracts.synthetic.plan import Layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from extracts.period import Period


class SynthesisError(ValueError):
    """Synthetic extracts that cannot be written; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to write.

    Attributes:
        into: folder that is made; ``into.answer_key.json`` and ``into.true_links.csv`` are written beside it.
        months: the months that deliveries cover.
        scale: factor on all volumes; 1 is England and Wales as recorded.
        damaged_references: share of submissions whose URN or crime reference is mistyped.
        consecutive_references: whether numbers are given in sequence, so that a mistyped one often is another case's;
            else it never is.
        row_defects: rows that trip one rule each, over all rules in turn.
        delivery_defects: extra deliveries that must be held.
        defects: further defects by rule id.
        areas: codes of the CPS Areas whose cases are written, with their forces and panels; all where there is none.
            What a supplier of theirs writes is the same as beside all others.
    """

    into: Path
    months: Period
    scale: float = 1.0
    seed: int = SEED
    layout: Layout = Layout.history
    damaged_references: float = 0.05
    consecutive_references: bool = False
    row_defects: int = 200
    delivery_defects: int = 3
    defects: Mapping[str, int] = field(default_factory=dict)
    areas: frozenset[str] = frozenset()


def defect_counts(texts: Iterable[str]) -> dict[str, int]:
    """Read ``PC-026=5``; a rule that is named twice counts twice.

    Raises:
        SynthesisError: a text is not of that form.
    """
    counts: dict[str, int] = {}
    for text in texts:
        rule, equals, count = text.partition("=")
        if not (rule and equals and count.isdecimal()):
            raise SynthesisError(f"{text[:40]!r} names no defect; write a rule and a count, such as PC-026=5")
        counts[rule] = counts.get(rule, 0) + int(count)
    return counts
