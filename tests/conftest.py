"""Homes, public data and small extracts that tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rasso.settings import Settings
from warehouse.schema import prepare_home

ROOT = Path(__file__).parent.parent
PUBLIC_DATA = Path(os.environ.get("RASSO_PUBLIC_DATA", ROOT.parent / "shared" / "data"))
WHERE_TO_GET_IT = (
    "real public extracts are absent: download police recorded crime open data tables from "
    "https://www.gov.uk/government/statistics/police-recorded-crime-open-data-tables and CPS case outcomes by "
    "principal offence category from https://www.cps.gov.uk/publication/underlying-data, "
    "put them into a folder with home_office/ and cps/principal_offence_category/, and set RASSO_PUBLIC_DATA to it"
)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own RASSO_* and AIRFLOW_* settings must not reach a test."""
    for name in list(os.environ):
        if name.startswith(("RASSO_", "AIRFLOW_")) and name != "RASSO_PUBLIC_DATA":
            monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An empty home."""
    settings = Settings(home=tmp_path / "home")
    prepare_home(settings)
    return settings


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of real public extracts; where it is absent, the test says so and where to get them."""
    if not (PUBLIC_DATA / "home_office").is_dir():
        pytest.skip(WHERE_TO_GET_IT)
    return PUBLIC_DATA
