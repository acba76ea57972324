"""No value of a supplier's file leaves the lake: canaries are planted in a file and looked for everywhere else.

The catalogue of the lake is not looked into here: what DuckLake keeps of a column there is its own matter.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from extracts.contract import all_contracts
from extracts.delivery import deliver
from extracts.synthetic.aggregates import write_samples
from tests.homes import prepared_home
from warehouse.archive import opened
from warehouse.intake import receive_deliveries, waiting_batches
from warehouse.keys import read_keys
from warehouse.lake import reading, transaction, writing
from warehouse.schema import LEDGER
from warehouse.status import current_status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import duckdb

    from rasso.settings import Settings
    from warehouse.record import ReceiptOutcome

KIND = "home_office_recorded_crime"
OPENED = "archive, opened with its key"
COUNTS = {"element_count", "unexpected_count", "missing_count", "unexpected_percent"}
CANARIES = {
    "text of a declared column": "canary-4ae1-declared",
    "name in a row that is quarantined": "canary-4ae1-unknown-force",
    "text in place of a number": "canary-4ae1-no-number",
    "header that is not declared": "canary-4ae1-header",
    "content of a column that is not declared": "canary-4ae1-content",
    "content of a file that cannot be read": "canary-4ae1-ragged",
    "content of a file that is held": "canary-4ae1-held",
}


class _Kept(logging.Handler):
    """Keeps every message with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@dataclass
class Received:
    """A home after a run over files with canaries, what was logged, and what was returned."""

    settings: Settings
    log: _Kept
    outcomes: list[ReceiptOutcome]

    def look(self) -> dict[str, bytes]:
        """Everything that can be seen, by place: log, outcomes, status, ledger, extracts, or a folder of the home."""
        seen = {
            "log": "\n".join(self.log.lines).encode(),
            "outcomes": repr(self.outcomes).encode(),
            "status": repr(current_status(self.settings)).encode(),
        }
        with reading(self.settings) as connection:
            for schema, names in (("ledger", list(LEDGER)), ("extracts", list(all_contracts()))):
                tables = [_content(connection, f"lake.{schema}.{name}") for name in names]
                seen[schema] = repr(tables).encode()
        return seen | self._folders() | {OPENED: self._archive()}

    def _archive(self) -> bytes:
        """What was archived, read with the key."""
        keys = read_keys(self.settings)
        content = b""
        for path in self.settings.archive.glob("??/*"):
            with opened(self.settings, keys, path.name) as file:
                content += file.read()
        return content

    def _folders(self) -> dict[str, bytes]:
        root, lake = self.settings.root, self.settings.lake
        left_out = (root / "logs" / "dbt" / "extensions", lake / "data", lake / "catalog.sqlite")
        seen: dict[str, bytes] = {}
        for path in root.rglob("*"):
            if path.is_file() and not any(path.is_relative_to(other) for other in left_out):
                place = path.relative_to(root).parts[0]
                seen[place] = seen.get(place, b"") + str(path).encode() + path.read_bytes()
        return seen


def places_of(text: str, seen: Mapping[str, bytes]) -> set[str]:
    """Where a text is found."""
    return {place for place, content in seen.items() if text.encode() in content}


def _content(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"select * from {table}").fetchall()


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def _csv(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _accepted(rows: list[list[str]]) -> str:
    """Some rows fail, the rest loads."""
    header = rows[0]
    rows[1][header.index("Offence Description")] = CANARIES["text of a declared column"]
    rows[2][header.index("Force")] = CANARIES["name in a row that is quarantined"]
    rows[3][header.index("n")] = CANARIES["text in place of a number"]
    rows[4][header.index("n")] = "-5"  # a failure that Great Expectations counts itself
    header.append(CANARIES["header that is not declared"])
    for row in rows[1:]:
        row.append(CANARIES["content of a column that is not declared"])
    return _csv(rows)


def _rejected(rows: list[list[str]]) -> str:
    rows[5] = [CANARIES["content of a file that cannot be read"]] * 20
    return _csv(rows)


def _held(rows: list[list[str]]) -> str:
    for row in rows[1:]:
        row[rows[0].index("Force")] = CANARIES["content of a file that is held"]
    return _csv(rows)


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Received:
    scratch = tmp_path_factory.mktemp("canaries")
    settings = prepared_home(scratch / "home")
    sample = next(sample for sample in write_samples(scratch / "samples") if sample.kind == KIND)
    text = sample.path.read_text(encoding="utf-8")
    spoilt: dict[str, Callable[[list[list[str]]], str]] = {"1": _accepted, "2": _rejected, "3": _held}
    for name, spoil in spoilt.items():
        file = scratch / f"{name}.csv"
        file.write_text(spoil(_rows(text)), encoding="utf-8")
        deliver(settings.landing, [file], sample.supplier, KIND, period=sample.period, is_synthetic=True)
    log, root = _Kept(), logging.getLogger()
    level = root.level
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    try:
        outcomes = [outcome for batch in waiting_batches(settings) for outcome in receive_deliveries(settings, batch)]
    finally:
        root.removeHandler(log)
        root.setLevel(level)
    return Received(settings, log, outcomes)


@pytest.fixture(scope="module")
def seen(received: Received) -> dict[str, bytes]:
    return received.look()


def test_the_files_with_canaries_were_accepted_rejected_and_held(received: Received) -> None:
    assert [outcome.state for outcome in received.outcomes] == ["accepted", "rejected", "held"]
    assert received.outcomes[0].rows_quarantined == 2


@pytest.mark.parametrize("canary", [name for name in CANARIES if name != "text of a declared column"])
def test_what_is_not_loaded_is_in_the_encrypted_archive_and_nowhere_else(seen: dict[str, bytes], canary: str) -> None:
    assert places_of(CANARIES[canary], seen) == {OPENED}


def test_the_text_of_a_declared_column_is_in_the_extract_s_table_and_the_archive_only(
    seen: dict[str, bytes],
) -> None:
    assert places_of(CANARIES["text of a declared column"], seen) == {OPENED, "extracts"}


def _plant_in_report(received: Received, text: str) -> None:
    page = received.outcomes[0].report
    page.write_text(page.read_text(encoding="utf-8") + f"<!-- {text} -->", encoding="utf-8")


def _plant_in_feedback(received: Received, text: str) -> None:
    (received.outcomes[2].report.parent / "feedback.csv").write_text(text, encoding="utf-8")


def _plant_in_ledger(received: Received, text: str) -> None:
    with writing(received.settings) as connection, transaction(connection):
        connection.execute("insert into lake.ledger.rule_result (rule_id) values (?)", [text])


def _plant_in_log(received: Received, text: str) -> None:
    received.log.handle(logging.makeLogRecord({"name": "test", "msg": text}))


def _plant_in_staged(received: Received, text: str) -> None:
    (received.settings.lake / "staged" / "left-behind.csv").write_text(text, encoding="utf-8")


PLANTS: dict[str, tuple[Callable[[Received, str], None], str]] = {
    "planted in a page": (_plant_in_report, "reports"),
    "planted in a feedback file": (_plant_in_feedback, "reports"),
    "planted in the ledger": (_plant_in_ledger, "ledger"),
    "planted in the log": (_plant_in_log, "log"),
    "planted among staged files": (_plant_in_staged, "lake"),
}


@pytest.fixture(scope="module")
def seen_after_planting(received: Received, seen: dict[str, bytes]) -> dict[str, bytes]:
    assert seen  # looked before anything was planted
    for text, (plant, _) in PLANTS.items():
        plant(received, text)
    return received.look()


@pytest.mark.parametrize("text", PLANTS)
def test_a_canary_that_is_planted_on_purpose_is_found(
    seen: dict[str, bytes], seen_after_planting: dict[str, bytes], text: str
) -> None:
    assert places_of(text, seen) == set()
    assert places_of(text, seen_after_planting) == {PLANTS[text][1]}


def test_evidence_is_an_allow_list_of_counts(received: Received) -> None:
    evidence = [
        entry
        for outcome in received.outcomes
        for rules in json.loads((outcome.report.parent / "report.json").read_bytes())["evidence"].values()
        for entry in rules.values()
    ]

    assert evidence
    assert {key for entry in evidence for key in entry} == {"expectation", "success", "result"}
    assert {key for entry in evidence for key in entry["result"]} <= COUNTS
    assert {type(value) for entry in evidence for value in entry["result"].values()} <= {int, float}
    assert any(entry["result"].get("unexpected_count") for entry in evidence)
