"""The samples of ``rasso up``: synthetic extracts, the history first and the last month live.

Belongs here: when which sample is handed over. Does not belong here: what is in them (``extracts.synthetic``).
"""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from extracts.delivery import deliver, read_manifest, waiting
from extracts.period import Period
from extracts.synthetic.aggregates import write_samples
from extracts.synthetic.request import Request
from extracts.synthetic.synthesise import Progress, synthesise
from rasso.settings import AS_OF, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from extracts.delivery import LandedDelivery

MONTHS = Period(date(2018, 1, 1), date(2020, 12, 31))
SAMPLE_DAY = date(2021, 1, 15)  # after the last month was due, before anything later could be
_LAST_MONTH_SENT = datetime(2021, 1, 4, tzinfo=UTC)
_HISTORY_SENT = datetime(2020, 12, 4, tzinfo=UTC)


def make_samples(settings: Settings, scale: float, on_progress: Callable[[Progress], None]) -> Settings:
    """Write all samples beside the landing folder, and fix the home's day; returns the settings with that day.

    The answer key and the true links stay in the folder ``samples`` of the home, for whoever wants to check.
    """
    folder = _folder(settings)
    shutil.rmtree(folder, ignore_errors=True)
    synthesise(Request(into=folder / "extracts", months=MONTHS, scale=scale), on_progress)
    loose = folder / "aggregates"
    for sample in write_samples(loose, financial_years=(2017, 2018, 2019), cps_years=(2019, 2020)):
        sent_at = _LAST_MONTH_SENT if sample.period.end == MONTHS.end else _HISTORY_SENT
        deliver(
            folder / "extracts", [sample.path], sample.supplier, sample.kind,
            period=sample.period, sent_at=sent_at, is_synthetic=True,
        )  # fmt: skip
    shutil.rmtree(loose)
    (settings.root / AS_OF).write_text(SAMPLE_DAY.isoformat(), encoding="utf-8")
    return settings.model_copy(update={"as_of": SAMPLE_DAY})


def hand_over_history(settings: Settings) -> int:
    """Put everything but the last month into the landing folder; returns how many deliveries that were."""
    deliveries = waiting(_folder(settings) / "extracts")
    return _hand_over(settings, [delivery for delivery in deliveries if not _is_live(delivery)])


def hand_over_last_month(settings: Settings) -> int:
    """Put what is left, the last month, into the landing folder; returns how many deliveries that were."""
    return _hand_over(settings, waiting(_folder(settings) / "extracts"))


def has_last_month(settings: Settings) -> bool:
    """Whether the last month was made and not handed over yet."""
    return bool(waiting(_folder(settings) / "extracts"))


def _is_live(delivery: LandedDelivery) -> bool:
    """Whether a delivery holds the last month and nothing else."""
    periods = {file.period for file in read_manifest(delivery).files}
    return periods == {f"{MONTHS.end:%Y-%m}"}


def _hand_over(settings: Settings, deliveries: Sequence[LandedDelivery]) -> int:
    for delivery in deliveries:
        target = settings.landing / delivery.supplier / delivery.name
        target.parent.mkdir(mode=0o700, exist_ok=True)
        delivery.folder.rename(target)
    return len(deliveries)


def _folder(settings: Settings) -> Path:
    return settings.root / "samples"
