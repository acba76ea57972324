"""Real public extracts through the command line, and the figures that must come out."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from rasso.settings import Settings
from tests.homes import built_home
from warehouse.lake import reading

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("run")
RASSO = Path(sys.executable).with_name("rasso")
CPS = ("--supplier", "cps-headquarters", "--kind", "cps_principal_offence_outcomes")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home that every test of this file looks at."""
    return built_home(tmp_path_factory.mktemp("public") / "home").root


@pytest.fixture(scope="module")
def rasso(home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command line, on that home."""

    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RASSO_")}
        return subprocess.run(
            [str(RASSO), *map(str, arguments)],
            env=environment | {"RASSO_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return call


@pytest.fixture(scope="module")
def run(public_data: Path, rasso: Callable[..., subprocess.CompletedProcess[str]]) -> subprocess.CompletedProcess[str]:
    """The three hand-overs of the issue, received, built and published once."""
    home_office, cps = public_data / "home_office", public_data / "cps" / "principal_offence_category"
    deliveries: list[tuple[str | Path, ...]] = [
        (home_office / "outcomes_2017_18.csv.gz", "--supplier", "home-office", "--kind", "home_office_outcomes",
         "--period", "2017-04..2018-03"),
        (home_office / "recorded_crime_by_force_2012_2025.parquet", "--supplier", "home-office",
         "--kind", "home_office_recorded_crime", "--period", "2012-04..2025-12"),
        (*sorted(cps.glob("*.csv")), *CPS),
    ]  # fmt: skip
    assert rasso("make-key").returncode == 0
    for delivery in deliveries:
        handed_over = rasso("deliver", *delivery)
        assert handed_over.returncode == 0, handed_over.stderr
    completed = rasso("run")
    assert completed.returncode == 0, completed.stderr
    return completed


@pytest.fixture(scope="module")
def values(home: Path) -> dict[tuple[str, ...], dict[str, str]]:
    """The public edition's value table by measure, level, area, grain and period end (measures without breakdown)."""
    with (home / "site/current/public/data/measure_values.csv").open(encoding="utf-8", newline="") as lines:
        return {
            (row["measure_id"], row["area_level"], row["area_code"], row["period_grain"], row["period_end"]): row
            for row in csv.DictReader(lines)
            if not row["breakdown"]
        }


def ledger(home: Path, query: str) -> list[tuple[Any, ...]]:
    with reading(Settings(home=home)) as connection:
        return connection.execute(query).fetchall()


def test_every_delivery_is_accepted(run: subprocess.CompletedProcess[str], home: Path) -> None:
    assert "3 accepted" in run.stdout
    assert ledger(home, "select state, count(*) from lake.ledger.delivery group by all") == [("accepted", 3)]


def test_every_row_of_every_file_is_accounted_for(home: Path) -> None:
    files = ledger(
        home,
        "select kind, rows_found, rows_in, rows_loaded, rows_quarantined, rows_duplicate "
        "from lake.ledger.delivery_file",
    )
    assert len(files) == 35
    assert all(found == rows_in == loaded + out + again for _, found, rows_in, loaded, out, again in files)
    assert {(kind, rows_in, out) for kind, _, rows_in, _, out, _ in files} == {
        ("home_office_outcomes", 450_913, 1),  # the trailing all-NA row
        ("home_office_recorded_crime", 321_893, 0),
        ("cps_principal_offence_outcomes", 43, 0),
    }


def test_what_the_ledger_counts_is_in_the_lake(home: Path) -> None:
    for kind, loaded in ledger(home, "select kind, sum(rows_loaded) from lake.ledger.delivery_file group by all"):
        assert ledger(home, f"select count(*) from lake.extracts.{kind}") == [(loaded,)]


@pytest.mark.parametrize(
    ("measure", "quarters", "year"),
    [
        ("rape_charges_crimes_closed_basis", (1052, 1072, 1066, 666), 3856),
        ("rape_charges_crimes_recorded_basis", (779, 683, 473, 303), 2238),
    ],
)
def test_rape_charges_2017_18_nationally(
    values: dict[tuple[str, ...], dict[str, str]], measure: str, quarters: tuple[int, ...], year: int
) -> None:
    ends = ("2017-06-30", "2017-09-30", "2017-12-31", "2018-03-31")
    found = tuple(float(values[measure, "national", "EW", "quarter", end]["value"]) for end in ends)
    assert found == quarters
    assert float(values[measure, "national", "EW", "rolling_year", "2018-03-31"]["value"]) == year


@pytest.mark.parametrize(
    ("level", "code", "name", "counts"),
    [("force", "20", "West Midlands Police", (198, 122)), ("area", "13", "West Midlands CPS Area", (406, 262))],
)
def test_rape_charges_2017_18_in_the_west_midlands(
    values: dict[tuple[str, ...], dict[str, str]], level: str, code: str, name: str, counts: tuple[int, int]
) -> None:
    for basis, expected in zip(("closed", "recorded"), counts, strict=True):
        row = values[f"rape_charges_crimes_{basis}_basis", level, code, "rolling_year", "2018-03-31"]
        assert (row["area_name"], float(row["value"])) == (name, expected)


def test_cps_sexual_offences_in_march_2014(values: dict[tuple[str, ...], dict[str, str]]) -> None:
    month = ("national", "EW", "month", "2014-03-31")
    assert float(values["sexual_offence_convictions_defendants", *month]["value"]) == 731
    assert float(values["sexual_offence_unsuccessful_outcomes_defendants", *month]["value"]) == 320
    assert round(float(values["sexual_offence_conviction_rate_defendants", *month]["value"]), 1) == 69.6


def test_a_month_that_never_came_is_said_to_be_missing_and_not_zero(
    values: dict[tuple[str, ...], dict[str, str]],
) -> None:
    row = values["sexual_offence_convictions_defendants", "national", "EW", "month", "2015-11-30"]
    assert (row["value"], row["value_status"]) == ("", "no_data_received")


def test_the_all_na_row_is_quarantined_and_negative_counts_are_warnings(home: Path) -> None:
    assert ledger(home, "select row_number from lake.ledger.quarantined_row") == [(450_913,)]
    warned = dict(
        ledger(
            home,
            "select rule_id, failed_count from lake.ledger.rule_result where severity = 'warning' and failed_count > 0",
        )
    )
    assert warned == {"HO-011": 2584, "HO-013": 449, "HO-018": 8, "RC-009": 426, "RC-016": 1}


def test_each_cps_file_takes_its_month_from_its_name(home: Path) -> None:
    files = ledger(home, "select file_name, period_start from lake.ledger.delivery_file where kind like 'cps%'")
    assert len({start for _, start in files}) == 33
    for name, start in files:
        assert f"{start:%B_%Y}".lower() in name


def test_the_published_slip_in_a_header_is_reported_as_drift(home: Path) -> None:
    reports = [json.loads(path.read_text()) for path in home.glob("reports/cps-headquarters/*/report.json")]
    drifted = {tuple(file["drifted_columns"]) for report in reports for file in report["files"]}
    assert drifted == {("admin_finalised_unsuccessful_pct",)}


def test_reconciliation_shows_the_known_revision_and_leaves_nothing_unexplained(home: Path) -> None:
    statuses = dict(ledger(home, "select status, count(*) from lake.marts.mart_reconciliation group by all"))
    assert statuses.get("agrees", 0) >= 66  # two counts of 33 months
    revision = ledger(
        home,
        "select our_value, other_value, status from lake.marts.mart_reconciliation "
        "where measure_id = 'rape_charges_crimes_closed_basis' and other_value = 3775",
    )
    assert revision == [(3856.0, 3775.0, "differs_explained")]


def test_a_copy_handed_over_as_another_month_is_held_with_its_reason(
    rasso: Callable[..., subprocess.CompletedProcess[str]],
    public_data: Path,
    tmp_path: Path,
) -> None:
    original = public_data / "cps/principal_offence_category/principal_offence_category_march_2014.csv"
    copy = shutil.copy(original, tmp_path / "outcomes.csv")
    assert rasso("deliver", copy, *CPS, "--period", "2015-11").returncode == 0
    received = rasso("run")
    assert received.returncode == 0
    assert "nothing new was accepted" in received.stdout
    status = json.loads(rasso("status", "--format", "json").stdout)
    (held,) = [row for row in status["deliveries"] if row["state"] == "held"]
    assert "2015-11 has the same bytes as one for 2014-03" in held["reason"]
    report = Path(held["report"])
    assert "has the same bytes as one for" in report.read_text()
    with duckdb.connect() as connection:
        assert connection.execute("select count(*) from read_csv(?)", [str(report.parent / "feedback.csv")]).fetchone()


def test_the_same_bytes_again_are_a_duplicate_and_change_nothing(
    rasso: Callable[..., subprocess.CompletedProcess[str]],
    public_data: Path,
    home: Path,
) -> None:
    release = (home / "site/current").resolve().name
    file = public_data / "cps/principal_offence_category/principal_offence_category_may_2014.csv"
    assert rasso("deliver", file, *CPS).returncode == 0
    assert "1 duplicate" in rasso("run").stdout
    assert (home / "site/current").resolve().name == release


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.csv", *CPS), "there is no file"),
        ((__file__, "--supplier", "nobody", "--kind", "home_office_outcomes"), "no contract names the supplier"),
        ((__file__, "--supplier", "home-office", "--kind", "horoscopes"), "no contract for the kind"),
        ((__file__, "--supplier", "home-office", "--kind", "cps_principal_offence_outcomes"), "is sent by"),
        ((__file__, *CPS), "names no month"),
        ((__file__, *CPS, "--period", "last year"), "is no period"),
    ],
    ids=["missing_file", "unknown_supplier", "unknown_kind", "wrong_supplier", "no_period", "bad_period"],
)
def test_a_wrong_hand_over_is_one_clear_line_and_hands_nothing_over(
    rasso: Callable[..., subprocess.CompletedProcess[str]], home: Path, arguments: tuple[str, ...], message: str
) -> None:
    waiting = set(home.glob("landing/*/*"))
    refused = rasso("deliver", *arguments)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert set(home.glob("landing/*/*")) == waiting
