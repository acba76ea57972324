"""Faults of ours: a damaged archive or vault is nobody's rejection, and costs no delivery its only good copy."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from extracts.delivery import MANIFEST, LandedDelivery, deliver
from extracts.period import Period
from extracts.reader import FileToRead, Reader
from tests.homes import prepared_home
from warehouse import archive, arrival
from warehouse.archive import Archived, archived, opened, store
from warehouse.intake import IntakeError, receive_deliveries, waiting_batches
from warehouse.keys import Keys, read_keys
from warehouse.lake import reading
from warehouse.vault import VaultError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from extracts.staging_jobs import StagedFile
    from rasso.settings import Settings
    from warehouse.record import ReceiptOutcome

HEADER = (
    "crime_reference", "police_unit", "offence_code", "reported_date", "recorded_date", "victim_age_band",
    "is_non_recent", "outcome_type",
)  # fmt: skip
SUPPLIER = "kent-police"
MANY = 14_000  # rows: enough for several chunks


@dataclass(frozen=True)
class Force:
    """A home into which one force delivers a month of crimes."""

    settings: Settings

    def land(self, rows: int = MANY, *, first: int = 1, is_parquet: bool = False) -> LandedDelivery:
        """Land so many crimes."""
        path = self.settings.root / "crimes.csv"
        with path.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(HEADER)
            for number in range(first, first + rows):
                writer.writerow((f"46AA/{number}", "46AA", "19C", "2020-11-02", "2020-11-03", "25_to_34", "false", "0"))
        if is_parquet:
            table = pa_csv.read_csv(path)
            pq.write_table(table, path.with_suffix(".parquet"), compression="none", use_dictionary=False)
            path = path.with_suffix(".parquet")
        return deliver(
            self.settings.landing, [path], SUPPLIER, "police_crimes",
            period=Period.parse("2020-11"), sent_at=datetime(2020, 12, 4, tzinfo=UTC), is_synthetic=True,
        )  # fmt: skip

    def receive(self) -> list[ReceiptOutcome]:
        """Receive everything that waits."""
        return [
            outcome for batch in waiting_batches(self.settings) for outcome in receive_deliveries(self.settings, batch)
        ]

    def states(self) -> list[str]:
        """What became of deliveries, by the ledger."""
        with reading(self.settings) as connection:
            rows = connection.execute("select state from lake.ledger.delivery order by finished_at").fetchall()
        return [state for (state,) in rows]


@pytest.fixture
def force(tmp_path: Path) -> Force:
    settings = prepared_home(tmp_path / "home", as_of=date(2021, 1, 15))
    return Force(settings)


def _file_of(landed: LandedDelivery) -> tuple[Path, str]:
    """The one file of a delivery and its hash."""
    (path,) = (path for path in landed.folder.iterdir() if path.name != MANIFEST)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def _damaged_inside(path: Path) -> None:
    """Change a byte of a chunk that is neither the first nor the last."""
    raw = bytearray(path.read_bytes())
    assert len(raw) > 3 << 18
    raw[len(raw) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(raw)


def _damaged_at_the_beginning(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[100] ^= 1
    path.chmod(0o600)
    path.write_bytes(raw)


def _without_its_header(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(b"")


DAMAGE = [_damaged_inside, _damaged_at_the_beginning, _without_its_header]


# ---- the vault -------------------------------------------------------------------------------------------------------


def _vault_damaged(settings: Settings) -> None:
    path = settings.vault / "vault.duckdb"
    path.write_bytes(bytes(path.stat().st_size))


def _vault_lost(settings: Settings) -> None:
    (settings.vault / "vault.duckdb").unlink()


VAULT_FAULTS = {_vault_damaged: "may be damaged", _vault_lost: "is missing"}


@pytest.mark.parametrize(("spoil", "words"), VAULT_FAULTS.items())
def test_a_vault_that_cannot_be_opened_is_told_before_anything_is_read(
    force: Force, spoil: Callable[[Settings], None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    force.land(3)
    force.receive()
    spoil(force.settings)
    landed = force.land(3, first=10)

    def read(*_: object) -> None:
        pytest.fail("a file was read")

    monkeypatch.setattr(Reader, "stage", read)
    with pytest.raises(VaultError, match=words):
        force.receive()

    assert landed.folder.is_dir()
    assert force.states() == ["accepted"]


def test_a_vault_that_breaks_meanwhile_ends_the_run_with_its_own_words_and_reads_no_more(
    force: Force, monkeypatch: pytest.MonkeyPatch
) -> None:
    force.land(3)
    force.receive()
    landed = [force.land(3, first=first) for first in (10, 20)]
    reads, stage = [], Reader.stage

    def stage_and_break(self: Reader, file: FileToRead) -> StagedFile:
        reads.append(file)
        _vault_damaged(force.settings)
        return stage(self, file)

    monkeypatch.setattr(Reader, "stage", stage_and_break)
    with pytest.raises(VaultError, match="restore it from a copy"):
        force.receive()

    assert len(reads) == 1
    assert all(delivery.folder.is_dir() for delivery in landed)
    claimed = "select count(*) from lake.ledger.claim where worker is not null and not is_done"
    with reading(force.settings) as connection:
        assert connection.execute(claimed).fetchall() == [(0,)]


# ---- the archive -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_file_that_lay_damaged_in_the_archive_is_whole_there_once_it_was_received(
    force: Force, damage: Callable[[Path], None]
) -> None:
    path, sha256 = _file_of(force.land())
    content, keys = path.read_bytes(), read_keys(force.settings)
    damage(store(force.settings, keys, path, sha256).path)

    (outcome,) = force.receive()

    assert (outcome.state, outcome.rows_loaded) == ("accepted", MANY)
    with opened(force.settings, keys, sha256) as file:
        assert file.read() == content


@pytest.mark.parametrize("is_parquet", [False, True], ids=["csv", "parquet"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_that_happens_while_a_delivery_is_received_rejects_nothing_and_removes_nothing(
    force: Force, damage: Callable[[Path], None], is_parquet: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed = force.land(is_parquet=is_parquet)
    path, sha256 = _file_of(landed)
    content = path.read_bytes()

    def store_and_damage(settings: Settings, keys: Keys, source: Path, sha256: str) -> Archived:
        stored = archive.store(settings, keys, source, sha256)
        damage(stored.path)
        return stored

    monkeypatch.setattr(arrival, "store", store_and_damage)
    with pytest.raises(IntakeError, match="the archived file cannot be read"):
        force.receive()
    assert force.states() == []
    assert path.read_bytes() == content

    monkeypatch.undo()
    assert [outcome.state for outcome in force.receive()] == ["accepted"]
    with opened(force.settings, read_keys(force.settings), sha256) as file:
        assert file.read() == content


def test_an_archived_file_that_vanishes_meanwhile_rejects_nothing(
    force: Force, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed = force.land(3)

    def store_and_lose(settings: Settings, keys: Keys, source: Path, sha256: str) -> Archived:
        stored = archive.store(settings, keys, source, sha256)
        archived(settings, sha256).unlink()
        return stored

    monkeypatch.setattr(arrival, "store", store_and_lose)
    with pytest.raises(IntakeError):
        force.receive()
    assert force.states() == []
    assert landed.folder.is_dir()
