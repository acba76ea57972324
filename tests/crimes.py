"""Small real deliveries with case references: months of crimes of forces."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from extracts.delivery import deliver
from extracts.period import Period
from extracts.suppliers import all_suppliers
from tests.homes import prepared_home
from warehouse.intake import receive_deliveries, waiting_batches
from warehouse.lake import reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from rasso.settings import Settings
    from warehouse.record import ReceiptOutcome

HEADER = (
    "crime_reference", "police_unit", "offence_code", "reported_date", "recorded_date", "victim_age_band",
    "is_non_recent", "outcome_type",
)  # fmt: skip
KENT, ESSEX, SURREY = "kent-police", "essex-police", "surrey-police"


@dataclass(frozen=True)
class Forces:
    """A home into which forces deliver a month of crimes."""

    settings: Settings

    def land(
        self,
        supplier: str,
        rows: int,
        *,
        bad_rows: Sequence[int] = (),
        is_synthetic: bool = True,
        month: str = "2020-11",
        sent_after_days: int = 4,
    ) -> None:
        """Land so many crimes of a month, some of them without the day on which they were recorded."""
        period, unit = Period.parse(month), f"{all_suppliers()[supplier].code}AA"
        path = self.settings.root / "crimes.csv"
        with path.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(HEADER)
            for number in range(1, rows + 1):
                recorded = "" if number in bad_rows else f"{month}-03"
                writer.writerow((f"{unit}/{number}", unit, "19C", f"{month}-02", recorded, "25_to_34", "false", "0"))
        sent_at = datetime.combine(period.end + timedelta(days=sent_after_days), time(tzinfo=UTC))
        deliver(
            self.settings.landing, [path], supplier, "police_crimes",
            period=period, sent_at=sent_at, is_synthetic=is_synthetic,
        )  # fmt: skip

    def receive(self) -> dict[str, ReceiptOutcome]:
        """Receive everything that waits, in one batch; the outcomes by supplier."""
        (batch,) = waiting_batches(self.settings)
        return {outcome.supplier: outcome for outcome in receive_deliveries(self.settings, batch)}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the lake."""
        with reading(self.settings) as connection:
            return connection.execute(query).fetchall()


def new_forces(folder: Path) -> Forces:
    """An empty home in January 2021."""
    settings = prepared_home(folder / "home", as_of=date(2021, 1, 15))
    return Forces(settings)
