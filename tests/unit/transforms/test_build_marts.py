"""Marts built by dbt on a scratch lake: nothing received, a little received, and a defect planted.

The builds follow one another on one home, because each costs seconds; the tests only read.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from rasso.settings import Settings
from tests.homes import prepared_home
from transforms import build as build_room
from transforms import catalogue, dbt_process
from transforms.build import BuildError, BuildOutcome, build
from transforms.dbt_process import BuildProgress, manifest, work_database, working_folder
from transforms.watched_dbt import error_kind
from warehouse.lake import newest_snapshot, reading, transaction, writer_lock, writing
from warehouse.version import code_version

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb

MARTS = tuple(sorted(path.stem for path in (catalogue.ROOM / "models" / "marts").glob("mart_*.sql")))


@dataclass
class Built:
    """One build of the home and what it reported on its way."""

    settings: Settings
    outcome: BuildOutcome
    progress: list[BuildProgress] = field(default_factory=list)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the lake as this build left it."""
        with reading(self.settings, self.outcome.lake_snapshot) as connection:
            return connection.execute(query).fetchall()

    def value(self, measure_id: str, area: str, grain: str, start: str) -> tuple[Any, ...]:
        """(value, status, received share) of one cell; the area as level/code."""
        level, code = area.split("/")
        (row,) = self.rows(
            f"select value, value_status, received_share from lake.marts.mart_measure_values"
            f" where measure_id = '{measure_id}' and area_level = '{level}' and area_code = '{code}'"
            f" and period_grain = '{grain}' and period_start = date '{start}' and breakdown = ''"
        )
        return row


@pytest.fixture(scope="module")
def on_an_empty_lake(tmp_path_factory: pytest.TempPathFactory) -> Built:
    settings = prepared_home(tmp_path_factory.mktemp("home"), model_unit_tests=True)
    return Built(settings, build(settings))


@pytest.fixture(scope="module")
def built(on_an_empty_lake: Built) -> Built:
    settings = on_an_empty_lake.settings
    with writing(settings) as connection, transaction(connection):
        # 44 forces with 100 rapes closed each, 10 of them charged and 4 "of which" rows; sent again for the quarter.
        for delivery_id, charged in (("first", 50), ("second", 10)):
            deliver(connection, delivery_id, "home_office_outcomes", "2017-04-01", "2017-06-30")
            for outcome_type, count in (("1", charged), ("1A", 4), ("16", 90)):
                add_outcomes(connection, delivery_id, outcome_type, count)
        # Three months of CPS outcomes, the middle one missing; Warwickshire is not in the first.
        for month, missing in (("2014-01-01", "23"), ("2014-03-01", "none")):
            deliver(connection, f"cps-{month}", "cps_principal_offence_outcomes", month, month)
            add_case_outcomes(connection, month, missing)
        # January once more, as a file of a later delivery whose rows were loaded before: it brings none of its own.
        deliver(connection, "z-again", "cps_principal_offence_outcomes", "2014-01-01", "2014-01-01", is_again=True)
        deliver(connection, "held", "home_office_outcomes", "2017-07-01", "2017-09-30", state="held")
    progress: list[BuildProgress] = []
    return Built(settings, build(settings, progress.append), progress)


@pytest.fixture(scope="module")
def after_a_defect(built: Built) -> Built:
    with writing(built.settings) as connection, transaction(connection):
        connection.execute(
            "insert into lake.extracts.home_office_outcomes by name select 'second' as delivery_id, 1 as file_id,"
            " '20' as place_code, '19C' as offence_code, '1' as outcome_type, 4711 as closed_basis_count,"
            " date '2020-01-01' as period_start, date '2020-03-31' as period_end"
        )
    return Built(built.settings, build(built.settings))


def deliver(
    connection: duckdb.DuckDBPyConnection,
    delivery_id: str,
    kind: str,
    start: str,
    end: str,
    *,
    state: str = "accepted",
    is_again: bool = False,
) -> None:
    order = {"first": 1, "second": 2}.get(delivery_id, 3)
    connection.execute(
        "insert into lake.ledger.delivery by name select ? as hand_over_id, ? as delivery_id, 'somebody' as supplier,"
        " make_timestamp(2019, 5, ?, 10, 0, 0) as sent_at, ? as state, false as is_synthetic",
        [f"hand-over-{delivery_id}", delivery_id, order, state],
    )
    connection.execute(
        "insert into lake.ledger.delivery_file by name select ? as hand_over_id, ? as delivery_id, 1 as file_id,"
        " ? as kind, ?::date as period_start, last_day(?::date) as period_end,"
        " 1 as rows_in, ? as rows_duplicate",
        [f"hand-over-{delivery_id}", delivery_id, kind, start, end, int(is_again)],
    )


def add_outcomes(connection: duckdb.DuckDBPyConnection, delivery_id: str, outcome_type: str, count: int) -> None:
    connection.execute(
        "insert into lake.extracts.home_office_outcomes by name select ? as delivery_id, 1 as file_id,"
        " force_code as place_code, '19C' as offence_code, ? as outcome_type, ? as closed_basis_count,"
        " 1 as recorded_basis_count, date '2017-04-01' as period_start, date '2017-06-30' as period_end"
        " from lake.reference.forces",
        [delivery_id, outcome_type, count],
    )


def add_case_outcomes(connection: duckdb.DuckDBPyConnection, month: str, missing: str) -> None:
    connection.execute(
        "insert into lake.extracts.cps_principal_offence_outcomes by name select ? as delivery_id, 1 as file_id,"
        " place_code, 30 * places as sexual_offences_convictions_count,"
        " 10 * places as sexual_offences_unsuccessful_count,"
        " 75.0 as sexual_offences_convictions_pct, ?::date as period_start, last_day(?::date) as period_end from ("
        " select distinct cps_place_code as place_code, 1 as places from lake.reference.forces"
        " where cps_place_code is not null and cps_place_code <> ? union all select 'EW', 42)",
        [f"cps-{month}", month, month, missing],
    )


def test_an_empty_lake_builds_and_holds_no_figures(on_an_empty_lake: Built) -> None:
    assert on_an_empty_lake.outcome.failures == ()
    assert on_an_empty_lake.outcome.is_successful
    counts = {
        mart: on_an_empty_lake.rows(f"select count(*) from lake.marts.{mart}")[0][0]  # one of MARTS
        for mart in MARTS
    }
    assert counts == dict.fromkeys(MARTS, 0) | {
        "mart_measures": len(catalogue.load()),
        "mart_areas": 60,
    }


def test_a_build_reports_each_step_and_its_outcome(built: Built) -> None:
    assert built.outcome.checked() is built.outcome
    assert [step.done for step in built.progress] == list(range(1, len(built.progress) + 1))
    assert {step.total for step in built.progress} == {len(built.progress)}
    assert built.outcome.models + built.outcome.tests == len(built.progress)
    assert built.outcome.seconds > 0


def test_the_ledger_names_the_snapshot_that_the_marts_were_read_from(built: Built) -> None:
    with reading(built.settings) as connection:
        rows = connection.execute(
            "select lake_snapshot, status from lake.ledger.build where build_id = ?", [built.outcome.build_id]
        ).fetchall()
    assert rows == [(built.outcome.lake_snapshot, "succeeded")]


def test_the_later_delivery_is_counted_and_of_which_rows_are_not(built: Built) -> None:
    measure = "rape_charges_crimes_closed_basis"
    assert built.value(measure, "national/EW", "quarter", "2017-04-01") == (440, "complete", 1)
    assert built.value(measure, "area/13", "quarter", "2017-04-01") == (40, "complete", 1)
    assert built.value(measure, "area/LONDON", "quarter", "2017-04-01") == (20, "complete", 1)
    assert built.value(measure, "force/20", "quarter", "2017-04-01") == (10, "complete", 1)
    assert built.value(measure, "area/4", "quarter", "2017-04-01") == (None, "not_applicable", 0)


def test_a_source_shorter_than_a_year_shows_one_partial_rolling_year(built: Built) -> None:
    measure = "rape_charges_crimes_closed_basis"
    assert built.value(measure, "national/EW", "rolling_year", "2016-07-01") == (440, "partial", 0.25)


def test_a_missing_month_is_no_data_and_a_missing_force_makes_its_area_partial(built: Built) -> None:
    measure = "sexual_offence_convictions_defendants"
    assert built.value(measure, "national/EW", "month", "2014-02-01") == (None, "no_data_received", 0)
    assert built.value(measure, "national/EW", "month", "2014-03-01") == (1260, "complete", 1)
    assert built.value(measure, "area/13", "month", "2014-01-01") == (90, "partial", 0.75)
    assert built.value(measure, "force/23", "month", "2014-01-01") == (None, "no_data_received", 0)
    assert built.value(measure, "area/13", "quarter", "2014-01-01") == (210, "partial", pytest.approx(7 / 12))
    assert built.value(measure, "area/LONDON", "month", "2014-03-01") == (30, "complete", 1)
    assert built.value(measure, "force/01", "month", "2014-03-01") == (None, "not_applicable", 0)


def test_the_interval_of_a_share_is_wilsons(built: Built) -> None:
    rows = built.rows(
        "select numerator, denominator, lower, upper from lake.marts.mart_measure_values where lower is not null"
    )
    assert rows
    for numerator, denominator, lower, upper in rows:
        low, high = wilson(numerator, denominator)
        assert (lower, upper) == (pytest.approx(100 * low, abs=1e-9), pytest.approx(100 * high, abs=1e-9))


def wilson(successes: float, trials: float) -> tuple[float, float]:
    """The two roots p of (share - p)^2 = z^2 p (1 - p) / n, as Wilson defines the interval."""
    z, share = 1.959963984540054, successes / trials
    a, b, c = 1 + z * z / trials, -(2 * share + z * z / trials), share * share
    root = sqrt(max(b * b - 4 * a * c, 0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def test_deliveries_show_what_was_taken_over_and_what_is_held(built: Built) -> None:
    states = dict(built.rows("select delivery_id, state from lake.marts.mart_deliveries"))
    assert states == {
        "first": "superseded",
        "second": "accepted",
        "cps-2014-01-01": "accepted",
        "cps-2014-03-01": "accepted",
        "z-again": "duplicate",
        "held": "held",
    }


def test_the_national_row_of_the_cps_is_held_against_the_sum_of_its_areas(built: Built) -> None:
    rows = built.rows(
        "select strftime(period_start, '%Y-%m'), our_value, other_value, status from lake.marts.mart_reconciliation"
        " where measure_id = 'sexual_offence_convictions_defendants' order by all"
    )
    assert rows == [("2014-01", 1230, 1260, "differs_explained"), ("2014-03", 1260, 1260, "agrees")]


def test_a_later_release_is_held_against_the_one_before(built: Built) -> None:
    rows = built.rows(
        "select measure_id, our_value, other_value, other_source, status from lake.marts.mart_reconciliation"
        " where reconciliation_id like 'earlier_releases%' order by all"
    )
    before = "The release before it, sent on 1 May 2019"
    assert rows == [
        ("rape_charges_crimes_closed_basis", 440, 2200, before, "differs_unexplained"),
        ("rape_charges_crimes_recorded_basis", 44, 44, before, "agrees"),
    ]


def test_the_lock_is_free_after_a_build(built: Built) -> None:
    with writer_lock(built.settings):
        pass


def test_every_column_of_a_mart_is_described(built: Built) -> None:
    manifest = json.loads((built.settings.logs / "dbt/target/manifest.json").read_text(encoding="utf-8"))
    for mart in MARTS:
        described = manifest["nodes"][f"model.rasso.{mart}"]["columns"]
        columns = [name for (name,) in built.rows(f"select column_name from (describe lake.marts.{mart})")]
        assert sorted(described) == sorted(columns)
        assert all(column["description"] for column in described.values())


VALUES = "lake.marts.mart_measure_values"
MEASURES = "lake.reference.measure_catalogue"  # mart_measures is a view of it


@pytest.mark.parametrize(
    ("guard", "tampering"),
    [
        ("areas_add_up_to_national", f"update {VALUES} set numerator = numerator + 1 where area_code = 'LONDON'"),
        ("accepted_deliveries_have_figures", f"delete from {VALUES}"),
        ("accepted_deliveries_have_figures", f"update {VALUES} set value_status = 'no_data_received'"),
        ("catalogue_and_models_agree", f"delete from {MEASURES} where unit = 'defendants'"),
        ("catalogue_and_models_agree", f"update {MEASURES} set model = model || '_x' where sort_order = 10010"),
        (
            "loaded_rows_lie_in_the_period_of_their_file",
            "update lake.ledger.delivery_file set period_end = period_end - 31",
        ),
    ],
)
def test_a_guard_finds_what_it_guards_against(built: Built, guard: str, tampering: str) -> None:
    compiled = built.settings.logs / "dbt/target/compiled/rasso/tests" / f"{guard}.sql"
    query = compiled.read_text(encoding="utf-8")
    with writing(built.settings) as connection:
        connection.execute(f"attach '{work_database(built.settings)}' as work (read_only)")
        assert connection.execute(query).fetchall() == []
        connection.execute("begin")
        connection.execute(tampering)
        assert connection.execute(query).fetchall() != []
        connection.execute("rollback")


def test_a_failed_build_says_so_and_repeats_no_value(after_a_defect: Built) -> None:
    outcome = after_a_defect.outcome
    assert not outcome.is_successful
    assert outcome.failures == ("test loaded_rows_lie_in_the_period_of_their_file fails (1 row)",)
    with pytest.raises(BuildError, match="loaded_rows_lie_in_the_period_of_their_file fails"):
        outcome.checked()
    with reading(after_a_defect.settings) as connection:
        statuses = connection.execute("select status from lake.ledger.build order by lake_snapshot").fetchall()
    assert statuses == [("succeeded",), ("succeeded",), ("failed",)]


def test_a_reader_of_the_last_successful_build_sees_what_it_saw_before(built: Built, after_a_defect: Built) -> None:
    assert after_a_defect.outcome.lake_snapshot > built.outcome.lake_snapshot
    assert built.value("rape_charges_crimes_closed_basis", "national/EW", "quarter", "2017-04-01")[0] == 440


def test_a_catalogue_that_cannot_be_used_stops_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> tuple[catalogue.Measure, ...]:
        raise catalogue.CatalogueError("measure 'x': title must name the unit")

    monkeypatch.setattr(catalogue, "load", refuse)
    with pytest.raises(BuildError, match="title must name the unit"):
        build(Settings(home=tmp_path / "home"))
    assert not (tmp_path / "home").exists()


def test_unit_tests_run_once_for_the_same_code_and_data_tests_each_time(on_an_empty_lake: Built, built: Built) -> None:
    assert on_an_empty_lake.outcome.tests > built.outcome.tests > 0
    ran_again = {step.name for step in built.progress}
    singular = {path.stem for path in (catalogue.ROOM / "tests").glob("*.sql")}
    of_code = {"catalogue_and_models_agree"}
    assert singular - of_code <= ran_again
    # Seeds and the catalogue are code, and so are their tests.
    assert not {name for name in ran_again if name.startswith(("unique_forces", "unique_key_mart_measures_measure_id"))}
    assert not ran_again & (unit_test_names() | of_code)


def test_a_build_leaves_what_no_reader_needs_outside_the_lake(built: Built) -> None:
    schemas = built.rows("select distinct schema_name from duckdb_tables() where database_name = 'lake'")
    assert not {"staging", "measures"} & {schema for (schema,) in schemas}
    views = built.rows("select view_name from duckdb_views() where database_name = 'lake' and sql like '%work.%'")
    assert views == []  # nobody but a build has the work database


def test_a_build_leaves_its_work_in_one_whole_file(built: Built) -> None:
    assert [path.name for path in sorted(built.settings.lake.glob("work.*"))] == ["work.build_id", "work.duckdb"]


def test_a_build_that_succeeds_leaves_no_word_among_the_errors(built: Built) -> None:
    assert (working_folder(built.settings) / "errors.log").read_text(encoding="utf-8") == ""


def test_a_build_makes_anew_what_reads_a_changed_extract_and_nothing_else_of_the_work(built: Built) -> None:
    made = {step.name for step in built.progress}
    assert {"int_home_office_outcomes__current", "int_supply__by_area", "mart_measure_values"} <= made
    assert not {name for name in made if name.startswith(("int_crimes", "int_cases", "int_suspects"))}


@dataclass
class Home:
    """A home with builds in its ledger, of which dbt itself ran none."""

    settings: Settings

    def record(self, connection: duckdb.DuckDBPyConnection, number: int, status: str, code: str) -> int:
        """Record a build; returns its snapshot."""
        snapshot = newest_snapshot(connection)
        connection.execute(
            "insert into lake.ledger.build by name select ? as build_id, ? as lake_snapshot, ? as status,"
            " ? as code_version, make_timestamp(2021, 1, ?, 9, 0, 0) as ended_at",
            [f"build-{number}", snapshot, status, code_version() if code == "ours" else code, number],
        )
        return snapshot

    def leave(self, build_id: str, *left_out: str) -> None:
        """Leave what a build leaves beside the lake, but for files that are left out."""
        for path in (work_database(self.settings), manifest(self.settings), build_room._whole_work(self.settings)):
            if path.name not in left_out:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(build_id, encoding="utf-8")


@pytest.mark.parametrize(
    ("builds", "left_out", "is_proven"),
    [
        ([("succeeded", "ours")], (), True),
        ([("succeeded", "ours")], ("manifest.json",), False),  # rasso explain reads it, a full build writes it
        ([("succeeded", "ours")], ("work.duckdb",), False),
        ([("succeeded", "ours")], ("work.build_id",), False),  # a full build was killed after that one
        ([("succeeded", "ours"), ("succeeded", "other")], (), False),  # whose views stand in the lake now
        ([("succeeded", "ours"), ("failed", "ours")], (), False),
        ([("failed", "ours"), ("succeeded", "ours")], (), True),
        ([], (), False),
    ],
)
def test_a_build_goes_on_from_the_last_one_where_that_was_by_this_code_and_left_all_whole(
    settings: Settings, builds: list[tuple[str, str]], left_out: tuple[str, ...], is_proven: bool
) -> None:
    home = Home(settings)
    snapshot = None
    with writing(settings) as connection:
        for number, (status, code) in enumerate(builds, start=1):
            snapshot = home.record(connection, number, status, code)
        home.leave(f"build-{len(builds)}", *left_out)
        assert build_room._proven_snapshot(settings, connection) == (snapshot if is_proven else None)


def test_what_another_build_left_is_not_gone_on_from(settings: Settings) -> None:
    home = Home(settings)
    with writing(settings) as connection:
        home.record(connection, 2, "succeeded", "ours")
        home.leave("build-1")
        assert build_room._proven_snapshot(settings, connection) is None


def test_a_lake_without_a_ledger_is_not_gone_on_from(settings: Settings) -> None:
    Home(settings).leave("build-1")
    with writing(settings) as connection:
        connection.execute("drop schema lake.ledger cascade")
        assert build_room._proven_snapshot(settings, connection) is None


@pytest.mark.parametrize("code", ["other", "ours"])
def test_a_changed_contract_is_told_to_dbt_by_a_build_of_changed_code(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    home = Home(settings)
    with writing(settings) as connection:
        home.record(connection, 1, "succeeded", code)
    home.leave("build-1")
    written: list[str] = []
    monkeypatch.setattr(build_room, "write_sources", lambda: written.append("sources"))
    build_room._prepare(settings, catalogue.load(), is_full=False)
    assert written == (["sources"] if code == "other" else [])


def test_sources_that_cannot_be_written_stop_a_build(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(build_room, "write_sources", refuse)
    with pytest.raises(BuildError, match="a contract changed"):
        build(settings, is_full=True)


def test_a_full_build_begins_with_nothing(settings: Settings) -> None:
    home = Home(settings)
    with writing(settings) as connection:
        home.record(connection, 1, "succeeded", "ours")
        connection.execute("create schema lake.measures")
        connection.execute("create table lake.measures.left_by_earlier_code as select 1 as number")
    home.leave("build-1")
    work_database(settings).with_suffix(".duckdb.wal").touch()  # as a build leaves it that was killed
    assert "--exclude" in build_room._prepare(settings, catalogue.load(), is_full=True)
    assert list(settings.lake.glob("work.*")) == []
    with reading(settings) as connection:
        found = connection.execute("select 1 from duckdb_tables() where table_name = 'left_by_earlier_code'").fetchall()
    assert found == []


@pytest.mark.parametrize(
    ("change", "sources"),
    [
        ("select 1", []),
        ("insert into lake.extracts.police_crimes by name select 'd' as delivery_id", ["extracts.police_crimes"]),
        ("delete from lake.extracts.cps_receipts", ["extracts.cps_receipts"]),
        ("insert into lake.linkage.crime_case_link by name select '20' as force_code", ["linkage.crime_case_link"]),
        # Rows that lie in the lake count from now on, or no more.
        ("update lake.ledger.delivery set state = 'rejected'", ["extracts.home_office_outcomes"]),
        ("insert into lake.ledger.quarantined_row by name select 'd' as delivery_id", []),
    ],
)
def test_a_source_has_changed_where_other_rows_count(settings: Settings, change: str, sources: list[str]) -> None:
    with writing(settings) as connection:
        deliver(connection, "first", "home_office_outcomes", "2019-01-01", "2019-03-31")
        connection.execute("insert into lake.extracts.cps_receipts by name select 'c' as delivery_id")
        snapshot = newest_snapshot(connection)
        connection.execute(change)
        assert build_room._changed_sources(connection, snapshot) == sources


def test_no_words_of_dbt_about_rows_are_kept(after_a_defect: Built) -> None:
    folder = after_a_defect.settings.logs / "dbt"
    assert not (folder / "target" / "run_results.json").exists()
    for name in ("results.json", "errors.log"):
        assert "4711" not in (folder / name).read_text(encoding="utf-8")


def unit_test_names() -> set[str]:
    documents = [yaml.safe_load(path.read_text()) for path in (catalogue.ROOM / "models").rglob("measure__*.yml")]
    names = {test["name"] for document in documents for test in document["unit_tests"]}
    assert names
    return names


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Runtime Error in model mart_areas (x.sql)\n  Conversion Error: Could not convert 'Jane'", "Conversion Error"),
        (None, "error"),
    ],
)
def test_of_a_message_the_kind_of_error_is_kept(message: str | None, kind: str) -> None:
    assert error_kind(message) == kind


def test_dbt_that_does_not_start_is_a_failed_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = prepared_home(tmp_path, model_unit_tests=True)
    monkeypatch.setattr(dbt_process, "command", lambda: [sys.executable, "-c", "raise SystemExit(1)"])
    outcome = build(settings)
    assert outcome.failures == ("dbt did not start (exit code 1): see logs/dbt/errors.log",)
    assert (outcome.is_successful, outcome.models, outcome.tests) == (False, 0, 0)


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        (
            {"unique_id": "model.rasso.mart_areas", "status": "error", "error": "Conversion Error"},
            "model mart_areas does not run: Conversion Error",
        ),
        (
            {"unique_id": "unit_test.rasso.mart_areas.a_name", "status": "fail", "failures": 1},
            "unit test mart_areas.a_name fails",
        ),
        (
            {"unique_id": "test.rasso.unique_x.0a1b2c", "status": "fail", "failures": 3},
            "test unique_x.0a1b2c fails (3 rows)",
        ),
    ],
)  # fmt: skip
def test_a_failure_is_told_in_a_sentence(node: dict[str, Any], sentence: str) -> None:
    describe: Callable[[dict[str, Any]], str] = dbt_process._failure
    assert describe(node) == sentence
