"""Case references where a name or a text of the manifest should be: refused, and stored, shown and logged nowhere."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from small_extracts import CPS, cps_month

from extracts.delivery import MANIFEST, LandedDelivery, deliver, remove, waiting
from tests.homes import prepared_home
from warehouse import intake
from warehouse.archive import opened
from warehouse.intake import IntakeError, receive_deliveries, waiting_batches
from warehouse.keys import read_keys
from warehouse.lake import reading
from warehouse.schema import LEDGER
from warehouse.status import current_status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rasso.settings import Settings
    from warehouse.record import ReceiptOutcome

URN = "20XQ7654321"
SPELLINGS = (URN, URN.lower(), "20-XQ-76543-21", "7654321")


def _folder(landed: LandedDelivery) -> None:
    landed.folder.rename(landed.folder.with_name(f"case {URN}"))


def _folder_in_parts(landed: LandedDelivery) -> None:
    landed.folder.rename(landed.folder.with_name("20-XQ-76543-21"))


def _supplier(landed: LandedDelivery) -> None:
    folder = landed.folder.parent.with_name(URN)
    folder.mkdir()
    landed.folder.rename(folder / "a")


def _file(landed: LandedDelivery) -> None:
    (landed.folder / "extract.csv").rename(landed.folder / f"{URN}.csv")
    _change(landed, name=f"{URN}.csv")


def _file_that_nobody_names(landed: LandedDelivery) -> None:
    (landed.folder / f"{URN}.txt").write_text("notes", encoding="utf-8")


def _kind(landed: LandedDelivery) -> None:
    _change(landed, kind=URN)


def _period(landed: LandedDelivery) -> None:
    _change(landed, period=URN)


def _version(landed: LandedDelivery) -> None:
    _change(landed, contract_version=URN)


def _no_manifest(landed: LandedDelivery) -> None:
    (landed.folder / MANIFEST).unlink()
    landed.folder.rename(landed.folder.with_name(URN.lower()))


def _change(landed: LandedDelivery, **changes: str) -> None:
    path = landed.folder / MANIFEST
    document = json.loads(path.read_bytes())
    document["files"][0].update(changes)
    path.write_text(json.dumps(document), encoding="utf-8")


CASES: dict[Callable[[LandedDelivery], None], tuple[str, str | None] | None] = {
    _folder: ("rejected", "REFERENCE_IN_NAME"),
    _folder_in_parts: ("rejected", "REFERENCE_IN_NAME"),
    _supplier: ("rejected", "REFERENCE_IN_NAME"),
    _file: ("rejected", "REFERENCE_IN_NAME"),
    _file_that_nobody_names: ("rejected", "UNNAMED_FILE"),
    _kind: ("rejected", "UNKNOWN_KIND"),
    _period: ("rejected", "BAD_MANIFEST"),
    _version: ("accepted", None),
    _no_manifest: None,
}


@dataclass(frozen=True)
class Run:
    """A home after all cases were received, and everything that was said meanwhile."""

    settings: Settings
    outcomes: list[ReceiptOutcome]
    log: str

    def places_of_the_reference(self) -> list[str]:
        """Where it can be read: texts, tables, files and their names, but not the archive and the landing folder."""
        seen = {
            "log": self.log,
            "outcomes": repr(self.outcomes),
            "status": json.dumps(current_status(self.settings).as_json()),
            "ledger": self._ledger(),
        }
        for path in self.settings.root.rglob("*"):
            place = path.relative_to(self.settings.root)
            if path.is_file() and place.parts[0] != "landing" and "extensions" not in place.parts:
                seen[str(place)] = f"{place}\n{path.read_bytes().decode('latin-1')}"
        assert len(seen) > 20
        return sorted(place for place, text in seen.items() if any(spelling in text for spelling in SPELLINGS))

    def _ledger(self) -> str:
        with reading(self.settings) as connection:
            return repr([connection.execute(f"from lake.ledger.{name}").fetchall() for name in LEDGER])


def _landed(settings: Settings, scratch: Path, number: int) -> LandedDelivery:
    extract = cps_month(seed=number)
    file = extract.write(scratch / "extract.csv")
    sent_at = datetime(2021, 1, 1, number, tzinfo=UTC)
    return deliver(settings.landing, [file], extract.supplier, CPS, period=extract.period, sent_at=sent_at)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    scratch = tmp_path_factory.mktemp("names")
    settings = prepared_home(scratch / "home")
    for number, tamper in enumerate(CASES):
        tamper(_landed(settings, scratch, number))
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    (batch,) = waiting_batches(settings)
    outcomes = receive_deliveries(settings, batch)
    logging.getLogger().removeHandler(handler)
    return Run(settings, outcomes, "\n".join(lines))


def test_each_gets_the_verdict_that_says_why(run: Run) -> None:
    with reading(run.settings) as connection:
        found = connection.execute("select state, reason_code from lake.ledger.delivery").fetchall()

    assert sorted(found, key=str) == sorted((verdict for verdict in CASES.values() if verdict), key=str)


def test_the_reference_can_be_read_nowhere(run: Run) -> None:
    assert run.places_of_the_reference() == []


def test_a_reference_that_leaks_is_found(run: Run) -> None:
    leak = run.settings.reports / "careless.html"
    leak.write_text(f"could not receive {URN}", encoding="utf-8")
    try:
        assert run.places_of_the_reference() == ["reports/careless.html"]
    finally:
        leak.unlink()


def test_a_refused_delivery_has_a_name_that_tells_it_from_others(run: Run) -> None:
    names = [outcome.delivery_name for outcome in run.outcomes if outcome.delivery_name.startswith("name-withheld")]

    assert len(names) == len(set(names)) == 2
    assert "name-withheld" in {outcome.supplier for outcome in run.outcomes}
    assert any(row.delivery_name.startswith("name-withheld") for row in current_status(run.settings).deliveries)


def test_what_was_refused_is_kept_in_the_archive_and_leaves_the_landing_folder(run: Run) -> None:
    keys, kept = read_keys(run.settings), set()
    for path in run.settings.archive.glob("??/*"):
        with opened(run.settings, keys, path.name) as file:
            kept.add(file.read())

    assert {cps_month(seed=number).text().encode() for number in range(len(CASES) - 1)} <= kept
    assert [path.name for path in run.settings.landing.glob("*/*")] == [URN.lower()]


def test_an_error_of_the_landing_folder_does_not_name_what_lies_there(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _folder(_landed(settings, tmp_path, 1))
    (batch,) = waiting_batches(settings)

    def vanish(settings: Settings, arrivals: list[Any]) -> list[list[Any]]:
        for arrival in arrivals:
            shutil.rmtree(arrival.landed.folder)
        return in_groups(settings, arrivals)

    in_groups: Callable[[Settings, list[Any]], list[list[Any]]] = intake.in_groups
    monkeypatch.setattr(intake, "in_groups", vanish)
    with pytest.raises(IntakeError) as fault:
        receive_deliveries(settings, batch)

    assert URN not in str(fault.value)
    assert fault.value.__suppress_context__


def test_a_folder_that_cannot_be_removed_is_not_named_in_the_log(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _folder(_landed(settings, tmp_path, 1))
    (landed,) = waiting(settings.landing)

    def refuse(folder: Path, **_options: Mapping[str, object]) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("extracts.delivery.shutil.rmtree", refuse)
    remove(landed)

    assert "could not be removed" in caplog.text
    assert URN not in caplog.text
