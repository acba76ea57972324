"""A further kind of extract needs a contract and a staging model, and nothing in Python.

A copy of the project is given both for a kind that is made up here; then the copy's own command line receives, builds
and publishes, in a home of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rasso.settings import Settings
from transforms.dbt_process import work_database
from warehouse.lake import reading

if TYPE_CHECKING:
    import duckdb

ROOT = Path(__file__).parent.parent.parent
KIND = "victim_contacts"
MODEL = "stg_police__victim_contacts"
SUPPLIER = "west-midlands-police"

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: victim_contacts
name: Contacts with victims, made up for a test
version: 1.0.0
status: active
description:
  purpose: One contact of the police with the victim of a crime.
team:
  members:
    - {username: made-up-owner, role: owner}
customProperties:
  - {property: suppliers, value: [force]}
schema:
  - name: victim_contacts
    logicalType: object
    description: One contact.
    properties:
      - name: crime_reference
        logicalType: string
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        description: The force's own reference of the crime.
        customProperties:
          - {property: caseReference, value: crime}
          - {property: referenceScope, value: force_code}
        quality:
          - {id: VC-001, type: library, metric: nullValues, mustBe: 0, dimension: completeness, severity: row,
             description: The crime reference is given., businessImpact: A contact belongs to a crime.}
      - name: contact_date
        logicalType: date
        required: true
        primaryKey: true
        primaryKeyPosition: 2
        description: Day of the contact.
        quality:
          - {id: VC-002, type: library, metric: nullValues, mustBe: 0, dimension: completeness, severity: row,
             description: The day is given., businessImpact: A contact belongs to a period.}
          - {id: VC-003, type: library, metric: invalidValues, mustBe: 0, dimension: conformity, severity: row,
             description: The day is a date., businessImpact: A contact belongs to a period.}
      - name: ways
        logicalType: string
        description: Ways of the contact.
        enum: [{value: in_person}, {value: by_phone}, {value: by_letter}]
        customProperties:
          - {property: separator, value: "|"}
        quality:
          - {id: VC-004, type: library, metric: invalidValues, mustBe: 0, dimension: conformity, severity: row,
             description: The ways are codes of the list., businessImpact: Free text could tell of a person.}
      - name: force_code
        logicalType: string
        transformLogic: supplier_code
        description: Code of the force.
    quality:
      - {id: VC-005, type: library, metric: duplicateValues, mustBe: 0, dimension: uniqueness, severity: row,
         arguments: {properties: [crime_reference_token, contact_date]},
         description: A contact occurs once., businessImpact: It would be counted twice.}
"""

STAGING_MODEL = """\
with

source as (

    select * from {{ source('extracts', 'victim_contacts') }}

),

final as (

    select
        delivery_id,
        file_id,
        row_number,
        force_code,
        crime_reference_token,
        contact_date,
        ways,
    from source

)

select * from final
"""

# Row 2 is hostile: its second way is no code of the list.
EXTRACT = """\
crime_reference,contact_date,ways
20XQ/7771234/20,2020-11-03,in_person|by_phone
20XQ/7771235/20,2020-11-04,in_person|by pigeon
20XQ/7771236/20,2020-11-05,
"""
REFERENCES = ("20XQ/7771234/20", "20XQ777123420", "20XQ777123520", "20XQ777123620")


@dataclass(frozen=True, slots=True)
class Project:
    """A copy of the project, and the home that it works on."""

    folder: Path
    settings: Settings

    def rasso(self, *arguments: str | Path) -> str:
        """Run the copy's own command line and return what it says; it must succeed."""
        answer = subprocess.run(
            [sys.executable, "-c", "from rasso.cli import main; main()", *map(str, arguments)],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder), "RASSO_HOME": str(self.settings.home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def python_files(self) -> dict[str, bytes]:
        """The Python of the copy."""
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*.py")}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The copy, with the further kind delivered, received, built and published."""
    tmp_path = tmp_path_factory.mktemp("further_kind")
    project = Project(_copied_to(tmp_path / "project"), Settings(home=tmp_path / "home"))
    (project.folder / "extracts" / "contracts" / f"{KIND}.yaml").write_text(CONTRACT, encoding="utf-8")
    model = project.folder / "transforms" / "models" / "staging" / f"{MODEL}.sql"
    model.write_text(STAGING_MODEL, encoding="utf-8")
    extract = tmp_path / "contacts.csv"
    extract.write_text(EXTRACT, encoding="utf-8")
    project.rasso("deliver", extract, "--supplier", SUPPLIER, "--kind", KIND, "--period", "2020-11", "--synthetic")
    project.rasso("run")
    return project


def _copied_to(folder: Path) -> Path:
    """The packages of the project and nothing else of it: what is installed in service."""
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    for package in (package for package in packages if "." not in package):
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "target", "logs")
        )
    return folder


def test_its_rows_are_in_the_lake(project: Project) -> None:
    with reading(project.settings) as connection:
        rows = connection.execute(
            f"select row_number, force_code, contact_date::varchar, ways from lake.extracts.{KIND} order by row_number"
        ).fetchall()
    assert rows == [(1, "20", "2020-11-03", "in_person|by_phone"), (3, "20", "2020-11-05", None)]


def test_its_hostile_row_is_quarantined(project: Project) -> None:
    with reading(project.settings) as connection:
        rows = connection.execute("select row_number, rule_ids from lake.ledger.quarantined_row").fetchall()
    assert rows == [(2, "VC-004")]


def test_its_staging_model_has_rows(project: Project) -> None:
    with reading(project.settings) as connection:
        connection.execute(f"attach '{work_database(project.settings)}' as work (read_only)")
        tokens = connection.execute(f"select crime_reference_token from work.staging.{MODEL}").fetchall()
    assert len(tokens) == len(set(tokens)) == 2
    assert all(len(token) == 32 for (token,) in tokens)


def test_its_references_are_in_no_table_of_the_lake(project: Project) -> None:
    with reading(project.settings) as connection:
        tables = [f"lake.{schema}.{name}" for schema, name in connection.execute(
            "select table_schema, table_name from information_schema.tables where table_catalog = 'lake'"
        ).fetchall()]  # fmt: skip
        token = connection.execute(f"select min(crime_reference_token) from lake.extracts.{KIND}").fetchall()[0][0]
        found = {text: _tables_with(connection, tables, text) for text in (*REFERENCES, token)}
    assert [text for text in REFERENCES if found[text]] == []
    assert f"lake.extracts.{KIND}" in found[token]  # the search finds what is there


def _tables_with(connection: duckdb.DuckDBPyConnection, tables: list[str], text: str) -> list[str]:
    return [
        table
        for table in tables
        if connection.execute(
            f"select 1 from {table} as stored where contains(stored::varchar, ?) limit 1", [text]
        ).fetchall()
    ]


def test_its_references_are_in_no_file_of_the_home(project: Project) -> None:
    files = [path for path in project.settings.home.rglob("*") if path.is_file()]
    leaking = [path.name for path in files for text in REFERENCES if text.encode() in path.read_bytes()]
    assert len(files) > 10
    assert leaking == []


def test_nothing_in_python_was_changed(project: Project) -> None:
    original = {name: (ROOT / name).read_bytes() for name in project.python_files() if (ROOT / name).is_file()}
    assert project.python_files() == original


def test_its_page_for_suppliers_is_made(project: Project, tmp_path: Path) -> None:
    project.rasso("contracts", "--into", tmp_path)
    assert "VC-004" in (tmp_path / f"{KIND}.html").read_text(encoding="utf-8")
