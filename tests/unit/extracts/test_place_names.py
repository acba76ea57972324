"""Place names: publishers' many spellings of one place, and names that nobody knows."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import duckdb
import pytest

from extracts.contract import all_contracts, place_aliases
from extracts.period import Period
from extracts.reader import FileToRead

if TYPE_CHECKING:
    from pathlib import Path

    from extracts.reader import Reader

SPELLINGS = {
    "Metropolitan and City": "LONDON",
    "GreaterManchester": "06",
    "London, City of": "48",
    "City of London": "48",
    "Devon & Cornwall": "50",
    "Devon and Cornwall": "50",
    "DEVON AND CORNWALL": "50",
    "Metropolitan Police [Note 6]": "01",
    "Metropolitan Police [note 12]": "01",
    "Dyfed Powys": "63",
    "Dyfed\u2013Powys": "63",
    "England and Wales": "EW",
    "Atlantis": None,
    "Greater": None,
    "06": None,
}


@pytest.fixture(scope="module")
def resolved(reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    folder: Path = tmp_path_factory.mktemp("places")
    header = ("FY", "Financial Quarter", "Force", "Offence Code", "n")
    with (folder / "places.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([header, *(("2017/18", 1, name, "19C", 1) for name in SPELLINGS)])
    staged = folder / "places.parquet"
    contract = all_contracts()["home_office_recorded_crime"]
    period = Period.parse("2017-04..2017-06")
    reader.stage(FileToRead(folder / "places.csv", staged, contract, 1, period, "home-office"))
    with duckdb.connect() as connection:
        return dict(connection.execute("select force_name, place_code from read_parquet(?)", [str(staged)]).fetchall())


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_name_is_resolved_whatever_its_spelling(resolved: dict[str, str | None], name: str) -> None:
    assert resolved[name] == SPELLINGS[name]


def test_the_43_forces_and_the_british_transport_police_have_a_name() -> None:
    assert len({code for code in place_aliases().values() if code.isdigit()}) == 44
