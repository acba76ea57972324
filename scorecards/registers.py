"""The reviewed registers: events that bend a series, and public statements that are held against the figures.

Belongs here: reading ``events.yaml`` and ``published_claims.yaml`` and refusing what is not as it must be. Does not
belong here: what pages say of them (``scorecards.claims``, ``scorecards.views``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVENTS = Path(__file__).parent / "events.yaml"
CLAIMS = Path(__file__).parent / "published_claims.yaml"
ALL_AREAS = "all"
_EVENT_KEYS = frozenset({"id", "measures", "areas", "from", "to", "sentence", "source"})
_CLAIM_KEYS = frozenset(
    {"id", "area_code", "title", "said", "source", "from", "to", "parts", "arithmetic", "synthetic_note"}
)


class RegisterError(ValueError):
    """A register cannot be used; the message names the entry and what to mend."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that bends a series without being performance; ``measures`` are ids, of which * ends a beginning."""

    event_id: str
    measures: tuple[str, ...]
    areas: tuple[str, ...]
    start: date
    end: date
    sentence: str
    source: str

    def touches(self, measure_id: str, area_codes: Iterable[str], start: date, end: date) -> bool:
        """Whether it touches a figure of a measure in an area (or a part of it) between two days."""
        return self.overlaps(start, end) and self.concerns(measure_id, area_codes)

    def overlaps(self, start: date, end: date) -> bool:
        """Whether one of its days lies between two days."""
        return self.start <= end and self.end >= start

    def concerns(self, measure_id: str, area_codes: Iterable[str]) -> bool:
        """Whether it touches figures of a measure in an area (or a part of it) on its days."""
        is_meant = any(
            measure_id.startswith(name[:-1]) if name.endswith("*") else measure_id == name for name in self.measures
        )
        return is_meant and (self.areas == (ALL_AREAS,) or bool(set(self.areas) & set(area_codes)))


@dataclass(frozen=True, slots=True)
class ClaimPart:
    """One figure of a statement: what was said of it, and the measures that it may mean."""

    name: str
    first: float | None
    second: float | None
    change_pct: float | None
    decimals: int
    readings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A public statement about one area between two rolling years, named by their last days.

    ``arithmetic`` is (change of the whole in per cent, first share, second share, stated change of the part): what the
    statement would say of the part if all of it spoke of one population.
    """

    claim_id: str
    area_code: str
    title: str
    said: str
    source: str
    first_end: date
    second_end: date
    parts: tuple[ClaimPart, ...]
    arithmetic: tuple[float, float, float, float]
    synthetic_note: str


def read_events(path: Path = EVENTS) -> tuple[Event, ...]:
    """The register of events.

    Raises:
        RegisterError: an entry is not as it must be.
    """
    return tuple(event_of(entry) for entry in _entries(path, _EVENT_KEYS))


def read_claims(path: Path = CLAIMS) -> tuple[Claim, ...]:
    """The register of public statements.

    Raises:
        RegisterError: an entry is not as it must be.
    """
    return tuple(claim_of(entry) for entry in _entries(path, _CLAIM_KEYS))


def event_of(entry: Mapping[str, Any]) -> Event:
    """An event from its entry, as it stands in the register or in an edition's data."""
    event = Event(
        event_id=str(entry["id"]),
        measures=tuple(map(str, entry["measures"])),
        areas=tuple(map(str, entry["areas"])),
        start=_day(entry["from"]),
        end=_day(entry["to"]),
        sentence=str(entry["sentence"]).strip(),
        source=str(entry["source"]).strip(),
    )
    if not event.measures or not event.areas or event.end < event.start:
        raise RegisterError(f"event {event.event_id}: it needs measures, areas and an end not before its beginning")
    return event


def claim_of(entry: Mapping[str, Any]) -> Claim:
    """A statement from its entry, as it stands in the register or in an edition's data."""
    arithmetic = entry["arithmetic"]
    claim = Claim(
        claim_id=str(entry["id"]),
        area_code=str(entry["area_code"]),
        title=str(entry["title"]),
        said=str(entry["said"]).strip(),
        source=str(entry["source"]).strip(),
        first_end=_day(entry["from"]),
        second_end=_day(entry["to"]),
        parts=tuple(_part(part) for part in entry["parts"]),
        arithmetic=tuple(float(arithmetic[key]) for key in ("change_pct", "first", "second", "compared_with")),  # type: ignore[arg-type]
        synthetic_note=str(entry["synthetic_note"]).strip(),
    )
    for part in claim.parts:
        if not part.readings or (part.change_pct is None) == (part.first is None or part.second is None):
            raise RegisterError(f"claim {claim.claim_id}, {part.name}: state a change or two values, and readings")
    return claim


def _part(part: Mapping[str, Any]) -> ClaimPart:
    stated = part["stated"]
    return ClaimPart(
        name=str(part["name"]),
        first=_number(stated.get("first")),
        second=_number(stated.get("second")),
        change_pct=_number(stated.get("change_pct")),
        decimals=int(stated["decimals"]),
        readings=tuple(map(str, part["readings"])),
    )


def _entries(path: Path, keys: frozenset[str]) -> list[dict[str, Any]]:
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RegisterError(f"{path.name}: must be a list of entries")
    for number, entry in enumerate(entries, start=1):
        if entry.keys() != keys:
            wrong = ", ".join(sorted(map(str, entry.keys() ^ keys)))
            raise RegisterError(f"{path.name}, entry {number}: lacks or does not know {wrong}")
    ids = [entry["id"] for entry in entries]
    if len(set(ids)) != len(ids):
        raise RegisterError(f"{path.name}: an id stands twice")
    return entries


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
