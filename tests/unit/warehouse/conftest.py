"""Small real deliveries: months of the synthetic CPS samples, which are 43 rows each."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from extracts.delivery import MANIFEST
from extracts.synthetic.aggregates import write_samples
from tests.homes import prepared_home
from warehouse.intake import receive_deliveries, waiting_batches
from warehouse.lake import reading

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rasso.settings import Settings
    from warehouse.record import ReceiptOutcome

SUPPLIER = "cps-headquarters"
KIND = "cps_principal_offence_outcomes"


@dataclass(frozen=True)
class Home:
    """A home, how a supplier puts something into its landing folder, and how it is received."""

    settings: Settings

    def land(
        self,
        name: str,
        files: Mapping[str, tuple[bytes, str]],
        *,
        supplier: str = SUPPLIER,
        kind: str = KIND,
        is_synthetic: bool = True,
        sent_at: datetime = datetime(2021, 6, 1, 12, tzinfo=UTC),
    ) -> Path:
        """Land a delivery of (content, period) by file name under a folder name; returns the folder."""
        folder = self.settings.landing / supplier / name
        folder.mkdir(parents=True)
        entries = []
        for file_name, (content, period) in files.items():
            (folder / file_name).write_bytes(content)
            sha256 = hashlib.sha256(content).hexdigest()
            entries.append({"name": file_name, "kind": kind, "period": period, "sha256": sha256})
        document = {
            "supplier": supplier,
            "sent_at": sent_at.isoformat(),
            "is_synthetic": is_synthetic,
            "files": entries,
        }
        (folder / MANIFEST).write_text(json.dumps(document), encoding="utf-8")
        return folder

    def receive(self) -> dict[str, ReceiptOutcome]:
        """Receive everything that waits; returns what became of it by folder name."""
        batches = waiting_batches(self.settings)
        outcomes = [outcome for batch in batches for outcome in receive_deliveries(self.settings, batch)]
        return {outcome.delivery_name: outcome for outcome in outcomes}

    def rows(self, query: str, *values: object, snapshot: int | None = None) -> list[tuple[Any, ...]]:
        """Rows of the lake."""
        with reading(self.settings, snapshot) as connection:
            return connection.execute(query, list(values)).fetchall()

    def verdict(self, name: str) -> tuple[str, str | None]:
        """State and reason code of the one hand-over of this name."""
        ((state, code),) = self.rows(
            "select state, reason_code from lake.ledger.delivery where delivery_name = ?", name
        )
        return state, code


@pytest.fixture(scope="session")
def months(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Twenty-four good files of the CPS, of 43 rows and other bytes each."""
    samples = write_samples(tmp_path_factory.mktemp("samples"))
    return [sample.path.read_bytes() for sample in samples if sample.kind == KIND]


@pytest.fixture
def home(settings: Settings) -> Home:
    """An empty home."""
    return Home(settings)


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home that the tests of one module share."""
    settings = prepared_home(tmp_path_factory.mktemp("home") / "home")
    return Home(settings)
