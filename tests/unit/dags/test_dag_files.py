"""DAG files are wiring: they parse fast, import nothing heavy, and hold the five DAGs."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.sdk.exceptions import ParamValidationError

from warehouse.doorbell import LANDING

DAGS = Path(__file__).parents[3] / "dags"
NAMES = ["build_marts", "publish_scorecards", "receive_extracts", "reprocess_extracts", "watch_suppliers"]
HEAVY = ("great_expectations", "dbt", "pandas", "open_data_contract_standard", "scorecards.publication")
WHAT_IS_IMPORTED = """
import runpy, sys
runpy.run_path(sys.argv[1])
print(" ".join(name for name in sys.argv[2:] if name in sys.modules))
"""


def airflow_sees(folder: Path, home: Path) -> dict[str, list[str]]:
    """DAG ids and import errors of a folder, by Airflow's own reading in a process of its own."""
    program = (
        "import json, sys\n"
        "from airflow.dag_processing.dagbag import DagBag\n"
        "bag = DagBag(dag_folder=sys.argv[1])\n"
        "print(json.dumps({'dags': sorted(bag.dags), 'errors': sorted(bag.import_errors)}))\n"
    )
    environment = os.environ | {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__UNIT_TEST_MODE": "True"}
    answer = subprocess.run(
        [sys.executable, "-c", program, str(folder)], env=environment, capture_output=True, text=True, check=True
    )
    seen: dict[str, list[str]] = json.loads(answer.stdout.strip().splitlines()[-1])
    return seen


def test_airflow_finds_the_dags_and_no_error(tmp_path: Path) -> None:
    assert airflow_sees(DAGS, tmp_path) == {"dags": NAMES, "errors": []}


def test_an_empty_folder_would_be_noticed(tmp_path: Path) -> None:
    empty = tmp_path / "dags"
    empty.mkdir()
    assert airflow_sees(empty, tmp_path)["dags"] == []


def test_a_broken_dag_file_would_be_noticed(tmp_path: Path) -> None:
    broken = tmp_path / "dags"
    broken.mkdir()
    (broken / "broken.py").write_text("from airflow.sdk import dag\nraise RuntimeError\n")
    assert airflow_sees(broken, tmp_path)["errors"] != []


def test_no_dag_file_names_the_landing_asset_without_its_doorbell() -> None:
    """Airflow would remove the watcher whenever it read that file, and no event would be heard."""
    assert [path.name for path in DAGS.glob("*.py") if "x-rasso://landing" in path.read_text()] == []
    assert [watcher.name for watcher in LANDING.watchers] == ["doorbell"]


def test_airflow_keeps_nothing_like_a_case_reference_that_somebody_typed() -> None:
    form = importlib.import_module("dags.reprocess_extracts").reprocess_extracts().params
    with pytest.raises(ParamValidationError):
        form.get_param("reason").resolve("mended for 20AB0123520")
    with pytest.raises(ParamValidationError):
        form.get_param("period").resolve("20AB0123520")
    assert form.get_param("reason").resolve("Rule PC-026 was mended in 2020.") == "Rule PC-026 was mended in 2020."


@pytest.mark.parametrize("name", NAMES)
def test_parsing_a_dag_file_imports_nothing_heavy(name: str, tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", WHAT_IS_IMPORTED, str(DAGS / f"{name}.py"), *HEAVY],
        env=os.environ | {"AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip().splitlines()[-1:] in ([], [""])


@pytest.mark.parametrize("name", NAMES)
def test_a_dag_file_is_short(name: str) -> None:
    assert len((DAGS / f"{name}.py").read_text().splitlines()) <= 80
