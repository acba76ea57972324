"""Synthetic extracts that tests of this folder only read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from written_extracts import Written, written_once

from extracts.period import Period
from extracts.synthetic.plan import Layout

if TYPE_CHECKING:
    import duckdb


@pytest.fixture(scope="session")
def small() -> Written:
    """Three years at a tenth of the volume."""
    return written_once("small")


@pytest.fixture(scope="session")
def monthly() -> Written:
    """Half a year at a tenth of the volume, month by month."""
    return written_once("monthly", months=Period.parse("2020-07..2020-12"), layout=Layout.monthly)


@pytest.fixture(scope="session")
def whole() -> Written:
    """Three years of England and Wales."""
    return written_once("whole", scale=1.0)


@pytest.fixture(scope="session")
def small_rows(small: Written) -> duckdb.DuckDBPyConnection:
    """Rows of the small ones."""
    return small.database()


@pytest.fixture(scope="session")
def whole_rows(whole: Written) -> duckdb.DuckDBPyConnection:
    """Rows of England and Wales."""
    return whole.database()
