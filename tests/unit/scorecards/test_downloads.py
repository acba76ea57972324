"""Downloads: the rows of a page, described, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import duckdb
import pytest

from scorecards.edition import COLUMNS
from scorecards.render import render
from scorecards.spreadsheet import FORMULA_STARTS, guarded, guarded_in_sql

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Draft

FORMULAS = ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "  =1", "\uff1d1", "\n=1"]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_page_offers_its_own_rows(draft: Draft, tmp_path: Path) -> None:
    render(draft.write(tmp_path))
    force = rows_of(tmp_path / "forces/west-midlands-police/measure_values.csv")
    assert sorted(force, key=str) == sorted((row for row in draft.rows if row["area_code"] == "20"), key=str)
    assert {row["area_code"] for row in force} == {"20"}
    measure = rows_of(tmp_path / "measures/rape-charges-crimes/measure_values.csv")
    assert {row["measure_id"] for row in measure} == {"rape_charges_crimes"}
    assert len(measure) == 4 * 9


def test_pages_together_offer_every_row_once(draft: Draft, tmp_path: Path) -> None:
    render(draft.write(tmp_path))
    for folders in (["measures"], ["national", "areas", "forces"]):
        files = [path for folder in folders for path in (tmp_path / folder).rglob("measure_values.csv")]
        offered = [row for path in files for row in rows_of(path)]
        assert sorted(offered, key=str) == sorted(draft.rows, key=str)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_name_that_is_a_formula_is_not_run(draft: Draft, tmp_path: Path, name: str) -> None:
    draft.areas[3]["area_name"] = f"{name} West"
    for row in draft.rows:
        if row["area_code"] == "21":
            row["area_name"] = f"{name} West".strip()
    render(draft.write(tmp_path))
    files = [path for path in tmp_path.rglob("measure_values.csv") if path.parent.name != "data"]
    cells = [cell for path in files for row in rows_of(path) for cell in row.values()]
    assert len(cells) == 2 * len(draft.rows) * len(COLUMNS)
    assert not [cell for cell in cells if cell.lstrip(" ").startswith(FORMULA_STARTS)]


def test_a_formula_without_its_guard_would_be_seen() -> None:
    assert guarded("=1") == "'=1"
    assert not guarded("=1").startswith(FORMULA_STARTS)
    assert "=1".startswith(FORMULA_STARTS)


@pytest.mark.parametrize("text", [*FORMULAS, "West Midlands", "x=1", "'=1"])
def test_python_and_sql_guard_alike(text: str) -> None:
    found = duckdb.execute(f"select {guarded_in_sql('t')} from (select ? as t)", [text]).fetchone()
    assert found == (guarded(text),)


def test_a_negative_number_stays_a_number(draft: Draft, tmp_path: Path) -> None:
    draft.rows[0] |= {"value": "-5", "numerator": "-5"}
    render(draft.write(tmp_path))
    assert rows_of(tmp_path / "national/measure_values.csv")[0]["value"] == "-5"


def test_every_download_is_described(draft: Draft, tmp_path: Path) -> None:
    render(draft.write(tmp_path))
    for download in tmp_path.rglob("measure_values.csv"):
        metadata = json.loads((download.parent / f"{download.name}-metadata.json").read_text(encoding="utf-8"))
        assert metadata["url"] == download.name
        assert metadata["dc:identifier"] == "0123456789abcdef"
        assert "Published statistics only" in metadata["dc:description"]
        schema = metadata["tableSchema"]
        if isinstance(schema, str):
            schema = json.loads((download.parent / schema).read_text(encoding="utf-8"))
        assert [column["name"] for column in schema["columns"]] == list(COLUMNS)
        assert all(column["dc:description"] and column["null"] == "" for column in schema["columns"])
