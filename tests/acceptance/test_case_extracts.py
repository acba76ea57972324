"""Three years of synthetic case extracts, through the command line, against their answer key.

The short form takes the suppliers of two CPS Areas and whoever has a canary or a delivery that must be held, with few
rows; ACCEPTANCE_SCALE=1 takes all suppliers and all rows. Canary references are then looked for everywhere in the home
but in vault and archive.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from extracts.delivery import waiting
from rasso.settings import AS_OF, Settings
from tests.homes import built_home
from tests.suppliers import suppliers_with
from warehouse.keys import read_keys
from warehouse.lake import reading
from warehouse.vault import originals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RASSO = str(Path(sys.executable).with_name("rasso"))
MONTHS = "2018-01..2020-12"
SHORT_SCALE, AREAS = "0.02", ("1", "13")
SCALE = os.environ.get("ACCEPTANCE_SCALE", SHORT_SCALE)
ROW_DEFECTS = 500 if SCALE == SHORT_SCALE else 200  # of which the suppliers that take part have a share
KEPT_APART = ("vault", "archive")

Places = dict[str, list[str]]  # files of the home and columns of the lake, by the text that stands in them


@dataclass(frozen=True)
class Received:
    """A home after ``rasso synthesise`` and ``rasso run``, with the answer key and what was printed."""

    settings: Settings
    answer_key: dict[str, Any]
    deliveries: set[str]
    printed: str

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the lake."""
        with reading(self.settings) as connection:
            return connection.execute(query).fetchall()

    def expected(self, level: str) -> list[dict[str, Any]]:
        """Defects at a level (row, delivery or warning) that the answer key lists for what was delivered."""
        defects = self.answer_key["defects"]
        return [one for one in defects if one["level"] == level and one["delivery"] in self.deliveries]


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Received:
    """The three years, received, linked, built and published."""
    folder = tmp_path_factory.mktemp("cases")
    settings = built_home(folder / "home")
    (settings.root / AS_OF).write_text("2021-01-15", encoding="utf-8")
    extracts = folder / "extracts"
    environment = os.environ | {"RASSO_HOME": str(settings.root)}
    command = [RASSO, "synthesise", "--into", str(extracts), "--months", MONTHS, "--scale", SCALE]
    command += ["--row-defects", str(ROW_DEFECTS)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    answer_key = json.loads(extracts.with_name("extracts.answer_key.json").read_text(encoding="utf-8"))
    taking_part = suppliers_with(answer_key, AREAS)
    deliveries = set()
    for delivery in waiting(extracts):
        if delivery.supplier in taking_part or SCALE != SHORT_SCALE:
            target = settings.landing / delivery.supplier / delivery.name
            target.parent.mkdir(exist_ok=True)
            delivery.folder.rename(target)
            deliveries.add(f"{delivery.supplier}/{delivery.name}")
    done = subprocess.run([RASSO, "run"], env=environment, check=True, capture_output=True, text=True)
    return Received(Settings(home=settings.root), answer_key, deliveries, done.stdout + done.stderr)


def test_every_delivery_is_accepted_but_those_with_a_defect_of_the_whole(received: Received) -> None:
    held = {defect["delivery"] for defect in received.expected("delivery")}
    states = received.rows("select supplier || '/' || delivery_name, state from lake.ledger.delivery")
    assert {name for name, _ in states} == received.deliveries
    assert len(states) == len(received.deliveries)
    assert SCALE == SHORT_SCALE or len(states) == received.answer_key["deliveries"]
    assert held
    assert {name for name, state in states if state == "held"} == held
    assert {state for name, state in states if name not in held} == {"accepted"}


def test_exactly_the_rows_of_the_answer_key_are_quarantined(received: Received) -> None:
    quarantined = received.rows(
        """
        select delivery.supplier || '/' || delivery.delivery_name, file.file_name, row.row_number, row.rule_ids
        from lake.ledger.quarantined_row as row
        inner join lake.ledger.delivery as delivery using (delivery_id)
        inner join lake.ledger.delivery_file as file using (hand_over_id, file_id)
        """
    )
    expected = [(d["delivery"], d["file"], d["row"], d["rule"]) for d in received.expected("row")]
    assert len(expected) > 50
    assert Counter(quarantined) == Counter(expected)


def test_no_row_is_lost(received: Received) -> None:
    unbalanced = """
        select count(*) from lake.ledger.delivery_file
        where rows_in <> rows_loaded + rows_quarantined + rows_duplicate
    """
    assert received.rows(unbalanced) == [(0,)]


@pytest.mark.parametrize("reference", ["urn", "crime_reference"])
def test_a_canary_reference_is_in_the_vault_and_nowhere_else(
    received: Received, places: Places, reference: str
) -> None:
    canary = received.answer_key["canaries"][reference]
    with originals(received.settings, read_keys(received.settings), "look for a canary") as connection:
        normalised = "".join(character for character in canary.upper() if character.isalnum())
        found = connection.execute("select count(*) from vault.reference where original = ?", [normalised]).fetchone()
    assert found == (1,)
    assert places[canary] == []


def test_a_surname_in_a_column_that_no_contract_names_is_nowhere(received: Received, places: Places) -> None:
    assert places[received.answer_key["canaries"]["undeclared_column"]["surname"]] == []


def test_a_canary_that_leaks_is_found(received: Received, places: Places) -> None:
    assert places[_leaked(received)] == ["logs/careless.log"]


def test_a_canary_that_leaks_into_the_lake_is_found(received: Received, places: Places) -> None:
    # Column data is compressed: what is looked for there is looked for by value.
    assert "lake: ledger.delivery.supplier" in places[received.answer_key["canaries"]["force_supplier"]]


def test_crimes_and_cases_are_linked_as_the_truth_says(received: Received) -> None:
    ((linked,),) = received.rows("select count(*) from lake.linkage.crime_case_link")
    assert linked > 0


def _leaked(received: Received) -> str:
    """A text that a careless step writes into a log."""
    return f"could not link {received.answer_key['canaries']['urn'][::-1]}"


@pytest.fixture(scope="module")
def places(received: Received) -> Places:
    """Where the canaries are found, and a text that leaked: all looked for at once, for to read a home takes long."""
    leak = received.settings.logs / "careless.log"
    leak.write_text(_leaked(received), encoding="utf-8")
    canaries = received.answer_key["canaries"]
    texts = [canaries[name] for name in ("urn", "crime_reference", "force_supplier")]
    texts += [canaries["undeclared_column"]["surname"], _leaked(received)]
    try:
        return _places_with(received, texts)
    finally:
        leak.unlink()


def _places_with(received: Received, texts: Iterable[str]) -> Places:
    """Files of the home, and values of the lake, that hold a text in any of the forms in which it could be written."""
    forms = {text: _forms(text) for text in texts}
    needles = {
        text: {form.encode(encoding) for form in written for encoding in ("utf-8", "utf-16-le")}
        for text, written in forms.items()
    }
    places: Places = {text: [] for text in forms}
    for path in _files(received.settings.root):
        content = path.read_bytes()
        for text in forms:
            if any(needle in content for needle in needles[text]):
                places[text].append(path.relative_to(received.settings.root).as_posix())
    with reading(received.settings) as connection:
        columns = connection.execute(
            """
            select schema_name, table_name, column_name from duckdb_columns()
            where database_name = 'lake' and data_type = 'VARCHAR'
            """
        ).fetchall()
        wanted = sorted({form.upper() for written in forms.values() for form in written})
        for schema, table, column in columns:
            value = f'upper("{column}")'
            query = f'select distinct {value} from lake."{schema}"."{table}" where list_has_any(?, [{value}])'
            found = {row[0] for row in connection.execute(query, [wanted]).fetchall()}
            for text, written in forms.items():
                if found & {form.upper() for form in written}:
                    places[text].append(f"lake: {schema}.{table}.{column}")
    return places


def _forms(text: str) -> set[str]:
    plain = "".join(character for character in text if character.isalnum())
    return {text, plain, plain.lower(), plain.upper()}


def _files(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if path.is_file() and parts[0] not in KEPT_APART and "extensions" not in parts:
            yield path


def test_the_answer_key_has_the_true_links_beside_it(received: Received) -> None:
    truth = received.settings.root.parent / "extracts.true_links.csv"
    with truth.open(encoding="utf-8", newline="") as lines:
        assert sum(1 for _ in csv.DictReader(lines)) > 0
