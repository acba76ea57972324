"""Synthetic extracts that tests of this folder only read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from written_extracts import Written, write

from extracts.period import Period
from extracts.synthetic.plan import Layout

if TYPE_CHECKING:
    import duckdb


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Three years at a tenth of the volume."""
    return write(tmp_path_factory.mktemp("small") / "extracts")


@pytest.fixture(scope="session")
def monthly(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Half a year at a tenth of the volume, month by month."""
    return write(
        tmp_path_factory.mktemp("monthly") / "extracts", months=Period.parse("2020-07..2020-12"), layout=Layout.monthly
    )


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Three years of England and Wales."""
    return write(tmp_path_factory.mktemp("whole") / "extracts", scale=1.0)


@pytest.fixture(scope="session")
def small_rows(small: Written) -> duckdb.DuckDBPyConnection:
    """Rows of the small ones."""
    return small.database()


@pytest.fixture(scope="session")
def whole_rows(whole: Written) -> duckdb.DuckDBPyConnection:
    """Rows of England and Wales."""
    return whole.database()
