"""The calendar of deliveries: which extract is due from whom, and on which day.

Belongs here: reading ``calendar.yaml`` and checking it against contracts and suppliers. Does not belong here: what came
(``warehouse.supply``).
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from extracts.contract import all_contracts
from extracts.suppliers import all_suppliers, named

if TYPE_CHECKING:
    from collections.abc import Mapping

CALENDAR = Path(__file__).with_name("calendar.yaml")


class CalendarError(ValueError):
    """A calendar that contradicts itself, the contracts or the register of suppliers."""


@dataclass(frozen=True, slots=True)
class DueExtract:
    """An extract that a supplier owes for each month."""

    supplier: str
    kind: str
    day_due: int

    def due_date(self, month: date) -> date:
        """The last day on which the extract of a month (any day of it) is in time: a day of the month after."""
        year, following = (month.year + 1, 1) if month.month == 12 else (month.year, month.month + 1)
        return date(year, following, min(self.day_due, calendar.monthrange(year, following)[1]))


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: tuple[str, ...] = Field(min_length=1)
    suppliers: tuple[str, ...] = Field(min_length=1)
    day_due: int = Field(ge=1, le=31)


@cache
def due_extracts(path: Path = CALENDAR) -> Mapping[tuple[str, str], DueExtract]:
    """Everything that is due each month, by supplier and kind.

    Raises:
        CalendarError: an entry names what there is not, what its supplier may not send, or the same twice.
    """
    try:
        entries = TypeAdapter(tuple[_Entry, ...]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise CalendarError(f"{path.name} is not as it should be: {error}") from None
    due: dict[tuple[str, str], DueExtract] = {}
    for entry in entries:
        known = {one.supplier_id for one in all_suppliers().values()} | {one.group for one in all_suppliers().values()}
        if strangers := [name for name in entry.suppliers if name not in known]:
            raise CalendarError(f"{path.name}: {strangers[0]} is no supplier and no group of suppliers")
        for kind in entry.kinds:
            if kind not in all_contracts():
                raise CalendarError(f"{path.name}: there is no contract for the kind {kind}")
            for supplier in named(entry.suppliers):
                if supplier not in all_contracts()[kind].suppliers:
                    raise CalendarError(f"{path.name}: {kind} is not sent by {supplier}")
                if (supplier, kind) in due:
                    raise CalendarError(f"{path.name}: {kind} of {supplier} is due twice")
                due[supplier, kind] = DueExtract(supplier, kind, entry.day_due)
    return due
