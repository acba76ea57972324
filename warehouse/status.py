"""What was received, what waits, and why something was held: the answer to ``rasso status``.

Belongs here: reading ledger and landing folder for people. Changes nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from expectations.report import page_of
from extracts.delivery import not_waiting, waiting
from extracts.period import Period
from warehouse import ledger
from warehouse.lake import ask
from warehouse.schema import prepare_home

if TYPE_CHECKING:
    from rasso.settings import Settings


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """One hand-over as people read it. ``state`` adds ``waiting`` and ``arriving`` to the ledger's states."""

    supplier: str
    delivery_name: str
    hand_over_id: str
    kinds: str
    periods: str
    state: str
    reason: str | None
    rows_loaded: int
    rows_quarantined: int
    is_synthetic: bool
    report: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """Every delivery, oldest first, and how far the newest rows have come.

    ``is_published``: a release is published whose build began after the last rows were accepted.
    ``is_build_failed``: the newest build failed, and nothing was accepted since.
    """

    deliveries: tuple[DeliveryStatus, ...]
    release: str | None
    is_built: bool
    is_published: bool
    is_build_failed: bool
    has_rows: bool

    @property
    def needs_build(self) -> bool:
        """Whether rows were accepted that no good build holds."""
        return self.has_rows and not self.is_built

    @property
    def stage(self) -> str:
        """Where the newest rows are, in words."""
        if any(row.state == "waiting" for row in self.deliveries):
            return "receiving deliveries"
        if self.is_build_failed:
            return "building marts failed"
        if not self.is_built:
            return "building marts"
        return "scorecards are published" if self.is_published else "publishing scorecards"

    def by_extract(self) -> dict[tuple[str, str], dict[str, int]]:
        """Counts of states by supplier and extract."""
        table: dict[tuple[str, str], dict[str, int]] = {}
        for row in self.deliveries:
            counts = table.setdefault((row.supplier, row.kinds), {})
            counts[row.state] = counts.get(row.state, 0) + 1
        return table

    def counts(self) -> dict[str, int]:
        """How many deliveries are in each state."""
        states = [row.state for row in self.deliveries]
        return {state: states.count(state) for state in dict.fromkeys(states)}

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines below the table."""
        counts = ", ".join(f"{count} {state}" for state, count in self.counts().items()) or "no delivery yet"
        return (counts, f"published release: {self.release or 'none yet'}")

    def as_json(self) -> dict[str, object]:
        """The same for machines."""
        return {
            "deliveries": [asdict(row) for row in self.deliveries],
            "counts": self.counts(),
            "release": self.release,
        }


def current_status(settings: Settings) -> Status:
    """Read ledger, landing folder and release pointer; waits for no writer longer than its commit takes.

    Raises:
        LakeError: the catalogue cannot be reached at this moment.
    """
    if not (settings.lake / "data").exists():
        prepare_home(settings)
    rows, progress = ask(settings, lambda lake: (ledger.report_index(lake), ledger.newest_progress(lake)))
    concluded = {str(row["hand_over_id"]) for row in rows}
    deliveries = [_concluded(row, settings) for row in reversed(rows)]
    deliveries += [
        _unread(arrival.supplier, arrival.name, arrival.hand_over_id, "waiting", None)
        for arrival in waiting(settings.landing)
        if arrival.hand_over_id not in concluded
    ]
    deliveries += [
        _unread(supplier, name, "", "arriving", reason) for supplier, name, reason in not_waiting(settings.landing)
    ]
    pointer = settings.site / "current"
    release = pointer.resolve().name if pointer.exists() else None
    return Status(
        deliveries=tuple(deliveries),
        release=release,
        is_built=progress.is_built,
        is_published=progress.is_published and release is not None,
        is_build_failed=progress.is_build_failed,
        has_rows=progress.has_rows,
    )


def _concluded(row: dict[str, object], settings: Settings) -> DeliveryStatus:
    report = settings.reports / page_of(str(row["supplier"]), str(row["hand_over_id"]))
    start, end = row["period_start"], row["period_end"]
    return DeliveryStatus(
        supplier=str(row["supplier"]),
        delivery_name=str(row["delivery_name"]),
        hand_over_id=str(row["hand_over_id"]),
        kinds=str(row["kinds"] or ""),
        periods=str(Period(start, end)) if start and end else "",  # type: ignore[arg-type]
        state=str(row["state"]),
        reason=str(row["reason"]) if row["reason"] else None,
        rows_loaded=int(str(row["rows_loaded"])),
        rows_quarantined=int(str(row["rows_quarantined"])),
        is_synthetic=bool(row["is_synthetic"]),
        report=str(report) if report.exists() else None,
    )


def _unread(supplier: str, name: str, hand_over_id: str, state: str, reason: str | None) -> DeliveryStatus:
    return DeliveryStatus(supplier, name, hand_over_id, "", "", state, reason, 0, 0, is_synthetic=False, report=None)
