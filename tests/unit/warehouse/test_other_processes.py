"""What other processes do meanwhile, or left behind."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from conftest import Home

from extracts.delivery import deliver, waiting
from extracts.reader import Reader
from extracts.synthetic.aggregates import write_samples
from warehouse import claims
from warehouse.intake import receive_deliveries, waiting_batches
from warehouse.lake import transaction, writing

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from extracts.staging_jobs import StagedFile
    from rasso.settings import Settings


def land_sample(settings: Settings, folder: Path) -> None:
    sample = write_samples(folder)[-1]
    deliver(settings.landing, [sample.path], sample.supplier, sample.kind, is_synthetic=True)


def test_bytes_that_another_process_loads_while_we_read_them_are_loaded_once(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_sample(settings, tmp_path / "a")
    land_sample(settings, tmp_path / "b")
    ((ours, theirs),) = waiting_batches(settings)
    reads = Reader.stage

    def read_while_the_other_loads(self: Reader, *arguments: object) -> StagedFile:
        monkeypatch.setattr(Reader, "stage", reads)
        program = (
            "import sys; from rasso.settings import Settings; from warehouse.intake import receive_deliveries; "
            "print(receive_deliveries(Settings(), [sys.argv[1]])[0].state)"
        )
        other = subprocess.run(
            [sys.executable, "-c", program, theirs],
            env=os.environ | {"RASSO_HOME": str(settings.root)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert other.stdout.strip() == "accepted"
        return reads(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Reader, "stage", read_while_the_other_loads)
    (outcome,) = receive_deliveries(settings, [ours])
    assert outcome.state == "duplicate"
    assert Home(settings).rows("select count(*) from lake.extracts.cps_principal_offence_outcomes") == [(43,)]


def test_a_claim_of_a_process_of_this_machine_that_is_gone_is_taken_over_at_once(
    settings: Settings, tmp_path: Path
) -> None:
    land_sample(settings, tmp_path / "a")
    ((hand_over_id,),) = waiting_batches(settings)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with writing(settings) as connection, transaction(connection):
        claims.register(connection, [(hand_over_id, "supplier", "name")])
        claims.claim(connection, [hand_over_id], f"{socket.gethostname()}:{gone.pid}:0", timedelta(hours=1))
    (outcome,) = receive_deliveries(settings, [hand_over_id])
    assert outcome.is_accepted


def test_a_claim_of_a_process_that_lives_is_left_alone(settings: Settings, tmp_path: Path) -> None:
    land_sample(settings, tmp_path / "a")
    ((hand_over_id,),) = waiting_batches(settings)
    with writing(settings) as connection, transaction(connection):
        claims.register(connection, [(hand_over_id, "supplier", "name")])
        claims.claim(connection, [hand_over_id], f"{socket.gethostname()}:{os.getppid()}:0", timedelta(hours=1))
    assert receive_deliveries(settings, [hand_over_id]) == []
    assert [arrival.hand_over_id for arrival in waiting(settings.landing)] == [hand_over_id]


def test_a_folder_that_is_put_there_again_after_a_rejection_is_received_again(
    settings: Settings, tmp_path: Path
) -> None:
    land_sample(settings, tmp_path / "a")
    (arrival,) = waiting(settings.landing)
    kept = shutil.copytree(arrival.folder, tmp_path / "kept")
    data = next(path for path in arrival.folder.iterdir() if path.suffix == ".csv")
    data.write_text("cut off")
    assert [
        outcome.state for batch in waiting_batches(settings) for outcome in receive_deliveries(settings, batch)
    ] == ["rejected"]
    shutil.copytree(kept, arrival.folder, copy_function=shutil.copyfile)
    assert [
        outcome.state for batch in waiting_batches(settings) for outcome in receive_deliveries(settings, batch)
    ] == ["accepted"]
