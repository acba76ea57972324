"""What lies in the landing folder under odd names, and when it was sent."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from extracts.delivery import MANIFEST, deliver, waiting
from extracts.synthetic.aggregates import write_samples
from warehouse.intake import receive_deliveries, waiting_batches
from warehouse.lake import reading
from warehouse.status import current_status

if TYPE_CHECKING:
    import pytest

    from rasso.settings import Settings


def test_a_folder_whose_name_is_no_text_gets_a_verdict_like_any_other(settings: Settings) -> None:
    folder = os.fsencode(settings.landing / "cps-headquarters") + b"/\xff\xfe"
    os.makedirs(folder)  # noqa: PTH103 - a name of bytes
    with open(os.path.join(folder, MANIFEST.encode()), "w") as manifest:  # noqa: PTH118, PTH123 - a name of bytes
        manifest.write("{}")
    (batch,) = waiting_batches(settings)
    (outcome,) = receive_deliveries(settings, batch)
    assert (outcome.state, outcome.delivery_name) == ("rejected", "\\xff\\xfe")
    assert current_status(settings).counts() == {"rejected": 1}


def test_the_time_of_sending_is_kept_in_utc_whatever_zone_it_was_given_in(settings: Settings, tmp_path: Path) -> None:
    sample = write_samples(tmp_path / "samples")[-1]
    landed = deliver(settings.landing, [sample.path], sample.supplier, sample.kind, is_synthetic=True)
    document = json.loads((landed.folder / MANIFEST).read_text())
    document["sent_at"] = "2021-06-01T12:00:00+01:00"
    (landed.folder / MANIFEST).write_text(json.dumps(document))
    (batch,) = waiting_batches(settings)
    (outcome,) = receive_deliveries(settings, batch)
    assert outcome.is_accepted
    with reading(settings) as connection:
        sent = connection.execute("select sent_at from lake.ledger.delivery").fetchall()
    assert sent == [(datetime(2021, 6, 1, 11, 0),)]  # noqa: DTZ001 - as the ledger keeps it


def test_links_and_loose_files_are_shown_and_left_alone(settings: Settings, tmp_path: Path) -> None:
    supplier = settings.landing / "cps-headquarters"
    supplier.mkdir()
    (supplier / "link").symlink_to(tmp_path)
    (supplier / "loose.csv").write_text("a,b\n")
    status = current_status(settings)
    assert {row.delivery_name: row.reason for row in status.deliveries} == {
        "link": "it is a link; a delivery is a folder",
        "loose.csv": "it is a file; a delivery is a folder",
    }
    assert waiting_batches(settings) == []


def test_what_a_process_left_half_removed_is_removed_by_the_next_and_nothing_else(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = write_samples(tmp_path / "samples")[-1]
    deliver(settings.landing, [sample.path], sample.supplier, sample.kind, is_synthetic=True)
    (landed,) = waiting(settings.landing)
    (batch,) = waiting_batches(settings)
    with monkeypatch.context() as killed:
        killed.setattr("extracts.delivery.shutil", SimpleNamespace(rmtree=_remove_the_manifest_only))
        receive_deliveries(settings, batch)
    supplier = settings.landing / sample.supplier
    assert [path.name for path in supplier.iterdir()] == [f".{landed.hand_over_id}"]
    assert [path.name for path in (supplier / f".{landed.hand_over_id}").iterdir()] == [sample.path.name]
    assert current_status(settings).counts() == {"accepted": 1}  # and nothing that is still arriving

    (supplier / f".{'0' * 20}").mkdir()  # no hand-over that the ledger knows
    (supplier / ".still being written").mkdir()
    assert waiting_batches(settings) == []
    assert sorted(path.name for path in supplier.iterdir()) == [".00000000000000000000", ".still being written"]


def test_a_half_removed_folder_that_may_not_be_looked_at_stops_nobody(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = write_samples(tmp_path / "samples")[-1]
    deliver(settings.landing, [sample.path], sample.supplier, sample.kind, is_synthetic=True)
    (settings.landing / sample.supplier / f".{'0' * 20}").mkdir()
    is_dir = Path.is_dir

    def refuse(path: Path) -> bool:
        if path.name.startswith(".0"):
            raise PermissionError(13, "Permission denied")
        return is_dir(path)

    monkeypatch.setattr(Path, "is_dir", refuse)
    assert [len(batch) for batch in waiting_batches(settings)] == [1]


def _remove_the_manifest_only(folder: Path) -> None:
    (folder / MANIFEST).unlink()
