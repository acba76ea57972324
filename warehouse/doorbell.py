"""The doorbell: an Airflow trigger that notices deliveries in the landing folder, and the asset that it rings for.

Belongs here: noticing that something waits. Does not belong here: what waits, and whether anybody took it. The queue is
the landing folder and the ledger.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetWatcher
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from rasso.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

POLL_SECONDS = 1.0


class LandingDoorbell(BaseEventTrigger):
    """Fires once for each change of what waits in the landing folder, when it has stopped changing for a second.

    Polls, because notifications of the file system do not cross network shares and containers.
    """

    def __init__(self, poll_seconds: float = POLL_SECONDS) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """How Airflow stores the trigger."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {"poll_seconds": self.poll_seconds}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield an event that says how many deliveries wait, and nothing else."""
        landing = Settings().landing
        announced: frozenset[str] = frozenset()
        before = announced
        while True:
            now = await asyncio.to_thread(_waiting, landing)
            if now == before and now - announced:
                yield TriggerEvent({"waiting": len(now)})  # type: ignore[no-untyped-call]
                announced = now
            # A folder that was emptied and filled again under the same name rings again.
            announced &= now
            before = now
            await asyncio.sleep(self.poll_seconds)


def _waiting(landing: Path) -> frozenset[str]:
    from extracts.delivery import MANIFEST  # reads contracts: not while a DAG file is parsed

    found = set()
    for manifest in landing.glob(f"*/[!.]*/{MANIFEST}"):
        try:
            found.add(f"{manifest}|{manifest.stat().st_mtime_ns}")
        except FileNotFoundError:  # received between listing and looking
            continue
    return frozenset(found)


# Whoever names the asset names it with its watcher: of an asset that a DAG file names without one, Airflow removes the
# watcher each time it reads the file.
LANDING = Asset("x-rasso://landing", watchers=[AssetWatcher(name="doorbell", trigger=LandingDoorbell())])
