"""A row's number is its place in the supplier's file, however many threads read it."""

from __future__ import annotations

import csv
import gzip
from typing import TYPE_CHECKING

import duckdb
import pytest

from extracts.contract import all_contracts
from extracts.period import Period
from extracts.reader import FileToRead, Reader

if TYPE_CHECKING:
    from pathlib import Path

    from rasso.settings import Settings

# Columns of every treatment: text, codes, numbers, derived place and period.
HEADER = (
    "financial_year", "financial_quarter", "force_name", "offence_code", "outcome_type", "offences",
    "force_outcomes_recorded_in_quarter",
)  # fmt: skip
ROWS = 400_000  # several batches of every thread


@pytest.mark.parametrize("kind_of_file", ["plain", "gzip", "parquet"])
def test_rows_keep_the_order_of_the_file(settings: Settings, tmp_path: Path, kind_of_file: str) -> None:
    source = tmp_path / "crime.csv"
    with source.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEADER)
        writer.writerows(("2017/18", 1, "Gwent", "19C", "1", number, 0) for number in range(1, ROWS + 1))
    if kind_of_file == "gzip":
        source.write_bytes(gzip.compress(source.read_bytes(), 1))
    if kind_of_file == "parquet":
        parquet = tmp_path / "crime.parquet"
        duckdb.sql(f"copy (from read_csv('{source}', all_varchar=true)) to '{parquet}' (format parquet)")
        source = parquet
    target = tmp_path / "staged.parquet"
    with Reader(settings) as reader:
        contract = all_contracts()["home_office_outcomes"]
        period = Period.parse("2017-04..2018-03")
        staged = reader.stage(FileToRead(source, target, contract, 1, period, "home-office"))
    assert staged.row_count == ROWS
    misplaced = duckdb.sql(
        f"select count(*) from read_parquet('{target}', file_row_number=true) "
        "where recorded_basis_count <> file_row_number + 1"
    ).fetchone()
    assert misplaced == (0,)
