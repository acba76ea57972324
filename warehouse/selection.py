"""Selection: which deliveries somebody means, by supplier, kind and months.

Belongs here: reading what was typed, and whether a file is meant. Does not belong here: what is done with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from extracts.delivery import check_supplier, contract_for, contract_of
from extracts.period import Period


@dataclass(frozen=True, slots=True)
class Selection:
    """What is meant has all that is given; None stands for any."""

    supplier: str | None = None
    kind: str | None = None
    period: Period | None = None

    @classmethod
    def of(cls, supplier: str | None, kind: str | None, period: str | None) -> Self:
        """Read what somebody typed.

        Raises:
            DeliveryError: there is no such supplier or kind, or the one does not send the other.
            PeriodError: the text names no period.
        """
        if supplier and kind:
            contract_for(supplier, kind)
        elif supplier:
            check_supplier(supplier)
        elif kind:
            contract_of(kind)
        return cls(supplier or None, kind or None, Period.parse(period) if period else None)

    def has(self, supplier: str, kind: str | None, period: Period | None) -> bool:
        """Whether a file is meant; one month in common is enough. Of one that could not be read much may be None."""
        return (
            self.supplier in (None, supplier)
            and self.kind in (None, kind)
            and (self.period is None or (period is not None and self.period.overlaps(period)))
        )

    def __str__(self) -> str:
        """In words, such as ``from kent-police for 2020-11``; empty where everything is meant."""
        words = (("from", self.supplier), ("of", self.kind), ("for", self.period))
        return " ".join(f"{word} {value}" for word, value in words if value is not None)
