"""Homes, public data and small extracts that tests share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rasso.settings import Settings
from tests import made_once
from tests.homes import prepared_home
from warehouse.keys import make_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PUBLIC_DATA = Path(os.environ.get("RASSO_PUBLIC_DATA", ROOT.parent / "shared" / "data"))
WHERE_TO_GET_IT = (
    "real public extracts are absent: download police recorded crime open data tables from "
    "https://www.gov.uk/government/statistics/police-recorded-crime-open-data-tables and CPS case outcomes by "
    "principal offence category from https://www.cps.gov.uk/publication/underlying-data, "
    "put them into a folder with home_office/ and cps/principal_offence_category/, and set RASSO_PUBLIC_DATA to it"
)


_KEPT = ("RASSO_PUBLIC_DATA", "RASSO_KEY_FILE", "RASSO_MODEL_UNIT_TESTS", "RASSO_THREADS")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own RASSO_* and AIRFLOW_* settings must not reach a test."""
    for name in list(os.environ):
        if name.startswith(("RASSO_", "AIRFLOW_")) and name not in _KEPT:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True, scope="session")
def _settings_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What holds for all homes of a test run, unless a test is about it and sets its own.

    One key file. No unit tests of the models: each new home would prove the models again; test_build_marts does it for
    all. One thread for DuckDB: files of a few rows are not read faster by two, and two test processes share the cores.
    """
    key_file = tmp_path_factory.mktemp("secrets") / "keys.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RASSO_KEY_FILE", str(key_file))
        patch.setenv("RASSO_MODEL_UNIT_TESTS", "false")
        patch.setenv("RASSO_THREADS", "1")
        make_keys(Settings(home=key_file.parent / "home"), development=True)
        yield


@pytest.fixture(autouse=True, scope="session")
def _made_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str, _settings_of_the_tests: None) -> None:
    folder = tmp_path_factory.getbasetemp()
    made_once.keep_in((folder if worker_id == "master" else folder.parent) / "made_once")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An empty home."""
    return prepared_home(tmp_path / "home")


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of real public extracts; where it is absent, the test says so and where to get them."""
    if not (PUBLIC_DATA / "home_office").is_dir():
        pytest.skip(WHERE_TO_GET_IT)
    return PUBLIC_DATA
