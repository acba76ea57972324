"""Publishing from a scratch lake: one release per state, all of it or nothing, and the ledger knows."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rasso.settings import Settings
from scorecards import editions, publication
from scorecards.edition import COLUMNS, read_edition
from scorecards.publication import Publication, PublicationError, publish
from warehouse.lake import LakeError, newest_snapshot, reading, transaction, writing
from warehouse.releases import content_sha256
from warehouse.schema import LEDGER

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]

MARTS = {
    "mart_measure_values": """
        measure_id varchar, area_level varchar, area_code varchar, area_name varchar, breakdown varchar,
        period_grain varchar, period_start date, period_end date, unit varchar, numerator double, denominator double,
        value double, lower double, upper double, value_status varchar, received_share double,
        baseline_value double, change_pct double, change_points double
    """,
    "mart_measures": """
        measure_id varchar, title varchar, shape varchar, unit varchar, numerator varchar, denominator varchar,
        period_placed_by varchar, direction varchar, recorded_since date, source varchar, caveat varchar,
        since_version varchar, minimum_denominator integer, is_headline boolean, theme varchar, sort_order integer,
        mart varchar, also_from varchar, horizon_months integer, breakdown varchar, model varchar, quantile double,
        is_case_level boolean
    """,
    "mart_areas": """
        area_level varchar, area_code varchar, area_name varchar, parent_area_code varchar,
        member_force_codes varchar, joint_area_code varchar, note varchar
    """,
    "mart_reconciliation": """
        reconciliation_id varchar, measure_id varchar, area_level varchar, area_code varchar, area_name varchar,
        period_grain varchar, period_start date, period_end date, our_value double, other_value double,
        difference double, our_source varchar, other_source varchar, status varchar, explanation varchar
    """,
    "mart_deliveries": """
        hand_over_id varchar, delivery_id varchar, supplier varchar, kind varchar, file_name varchar,
        period_start date, period_end date, sent_at timestamp, received_at timestamp, state varchar, reason varchar,
        rows_in bigint, rows_loaded bigint, rows_quarantined bigint, rows_duplicate bigint, is_synthetic boolean,
        is_case_level boolean
    """,
}
SUPPLIERS = """
    create schema lake.reference;
    create table lake.reference.suppliers as
    select supplier_id as supplier, supplier_group, supplier_code from (values
        ('home-office', 'publisher', ''), ('west-midlands-police', 'force', '20'),
        ('metropolitan-police-service', 'force', '01'), ('cps-west-midlands', 'cps_area', '13'),
        ('cps-london-north', 'cps_area', '4')
    ) as suppliers (supplier_id, supplier_group, supplier_code);
"""
FIGURES = """
    insert into lake.marts.mart_measures values ('rape_charges_crimes', 'Rape charges', 'count', 'crimes', 'Charged',
        null, 'quarter', 'more_is_better', date '2014-04-01', 'home_office_outcomes', 'Counts crimes.', '0.1.0', null,
        true, 'Charges', 10, 'official_statistics', '', null, '', 'rape_charges_crimes', null, false);
    insert into lake.marts.mart_areas values
        ('force', '20', 'West Midlands Police', '13', '20', null, null),
        ('area', '13', 'West Midlands CPS Area', 'EW', '20', null, ''),
        ('area', 'LONDON', 'London (both)', 'EW', '', null, null),
        ('area', '2', 'East Midlands CPS Area', 'EW', '', null, null),
        ('national', 'EW', 'England and Wales', null, '20', null, null);
    insert into lake.marts.mart_measure_values
        select 'rape_charges_crimes', area_level, area_code, area_name, '', 'rolling_year', date '2017-04-01',
            date '2018-03-31', 'crimes', 198, null, 198, null, null, 'complete', 1.0, null, null, null
        from lake.marts.mart_areas;
    insert into lake.marts.mart_reconciliation values ('r1', 'rape_charges_crimes', 'national', 'EW', '=1+1',
        'rolling_year', date '2017-04-01', date '2018-03-31', 198.5, 198, 0.5, 'ours', 'theirs',
        'differs_explained', null);
    insert into lake.marts.mart_deliveries values ('h1', 'd-0001', 'home-office', 'home_office_outcomes', 'o.csv',
        date '2017-04-01', date '2018-03-31', null, timestamp '2021-01-14 17:00:00', 'accepted', null,
        10, 9, 1, 0, false, false);
    insert into lake.ledger.delivery values ('h1', 'd-0001', 'home-office', 'o', null, timestamp '2021-01-14 17:00:00',
        timestamp '2021-01-14 18:00:00', 'accepted', null, null, false, '0.1.0', null);
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with an empty ledger and empty marts."""
    made = Settings(home=tmp_path / "home", as_of=date(2021, 1, 15))
    made.prepare()
    with writing(made) as connection, transaction(connection):
        for schema, tables in (("ledger", LEDGER), ("marts", MARTS)):
            connection.execute(f"create schema lake.{schema}")
            for name, columns in tables.items():
                connection.execute(f"create table lake.{schema}.{name} ({columns})")
        connection.execute(SUPPLIERS)
    return made


@pytest.fixture
def built(settings: Settings) -> Settings:
    """A home with one successful build."""
    change(settings, FIGURES)
    return settings


def change(settings: Settings, sql: str, status: str = "succeeded") -> None:
    """Change the marts as a build would, and record the build."""
    with writing(settings) as connection:
        with transaction(connection):
            connection.execute(sql)
        snapshot = newest_snapshot(connection)
        connection.execute(
            "insert into lake.ledger.build values (?, ?, now()::timestamp, now()::timestamp, ?, '0.1.0')",
            [f"build-{snapshot}", snapshot, status],
        )


def recorded(settings: Settings) -> list[tuple[object, ...]]:
    with reading(settings) as connection:
        return connection.execute("select release_id, build_id from lake.ledger.publication").fetchall()


def as_of(done: Publication) -> str:
    """The day of the data that a release was made from."""
    moment = read_edition(done.site_path).release.data_as_at
    assert moment is not None
    return moment.date().isoformat()


def published_rows(done: Publication) -> list[dict[str, str]]:
    with (done.site_path / "data" / "measure_values.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_release_is_a_site_behind_one_pointer(built: Settings) -> None:
    done = publish(built)
    assert done.is_new
    assert done.pages == 10
    assert (built.site / "current").readlink().as_posix() == f"releases/{done.release_id}"
    assert done.site_path == built.site / "current" / "public"
    assert (done.site_path / "areas" / "west-midlands" / "index.html").is_file()
    assert [release for release, _ in recorded(built)] == [done.release_id]
    assert not [path.name for path in built.site.iterdir() if path.name.startswith((".work", ".current"))]


def test_the_value_table_is_exact_ordered_and_dated(built: Settings) -> None:
    done = publish(built)
    rows = published_rows(done)
    assert tuple(rows[0]) == COLUMNS
    assert [row["area_code"] for row in rows] == ["13", "2", "LONDON", "20", "EW"]
    assert {(row["value"], row["denominator"], row["breakdown"], row["period_end"]) for row in rows} == {
        ("198", "", "", "2018-03-31")
    }
    assert {row["release_id"] for row in rows} == {read_edition(done.site_path).release.release_id}


def test_areas_come_from_the_nation_down_and_by_number(built: Settings) -> None:
    edition = read_edition(publish(built).site_path)
    assert [area.code for area in edition.areas.values()] == ["EW", "2", "13", "LONDON", "20"]
    assert edition.release.as_of == date(2021, 1, 15)
    assert edition.release.data_as_at is not None
    assert edition.deliveries[0].rows is not None
    assert edition.deliveries[0].rows.taken_in == 10


@pytest.mark.parametrize("nature", ["true", "null"])
def test_rows_of_what_may_be_cases_are_not_counted_in_public(built: Settings, nature: str) -> None:
    change(
        built,
        f"update lake.marts.mart_deliveries set kind = 'police_crimes', rows_in = 4711, is_case_level = {nature}",
    )
    done = publish(built)
    (delivery,) = read_edition(done.site_path).deliveries
    assert (delivery.rows, delivery.kind_title) == (None, "Recorded rape and serious sexual offences, by crime")
    public = "".join(path.read_text(errors="replace") for path in done.site_path.rglob("*") if path.is_file())
    assert "4711" not in public
    assert "4,711" not in public
    assert "rows are not counted in public" in public


def test_no_text_of_a_data_file_is_a_formula(built: Settings) -> None:
    text = (publish(built).site_path / "data" / "reconciliation.csv").read_text(encoding="utf-8")
    assert ",'=1+1," in text


def _tree(release: Path) -> dict[str, bytes]:
    return {str(path.relative_to(release)): path.read_bytes() for path in release.rglob("*") if path.is_file()}


def _not_whole(site: Path, seen: list[tuple[str, dict[str, bytes]]]) -> list[str]:
    """Releases of which somebody saw another state than the one in which they are now."""
    whole = {name: _tree(site / "releases" / name) for name in {name for name, _ in seen}}
    return [name for name, tree in seen if tree != whole[name]]


def test_a_reader_sees_one_complete_release_the_old_or_the_new_one(built: Settings) -> None:
    """Invariant 3: whoever follows the pointer while a release is published finds a whole one behind it."""
    first = publish(built)
    change(built, "update lake.marts.mart_measure_values set value = 199, numerator = 199 where area_code = '20'")
    seen: list[tuple[str, dict[str, bytes]]] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            release = (built.site / "current").resolve(strict=True)
            seen.append((release.name, _tree(release)))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        second = publish(built)
        looks = len(seen)
        while len(seen) < looks + 2 and reader.is_alive():
            time.sleep(0.01)  # until the reader has followed the new pointer
    finally:
        is_over.set()
        reader.join()
    assert {name for name, _ in seen} == {first.release_id, second.release_id}
    assert _not_whole(built.site, seen) == []
    assert _not_whole(built.site, [*seen, (first.release_id, {})]) == [first.release_id]  # it would be noticed


def test_publishing_again_changes_nothing(built: Settings) -> None:
    first = publish(built)
    before = {path: path.stat().st_mtime_ns for path in (built.site / "releases").rglob("*")}
    again = publish(built)
    assert (again.release_id, again.is_new, again.pages) == (first.release_id, False, first.pages)
    assert {path: path.stat().st_mtime_ns for path in (built.site / "releases").rglob("*")} == before
    assert len(recorded(built)) == 1


def test_a_build_with_the_same_figures_is_the_same_release(built: Settings) -> None:
    first = publish(built)
    change(built, "select 1")
    assert publish(built).release_id == first.release_id


@pytest.mark.parametrize(
    "sql",
    [
        "update lake.marts.mart_measure_values set value = 199, numerator = 199 where area_code = '20'",
        "update lake.marts.mart_measure_values set value_status = 'partial' where area_code = '20'",
        "update lake.ledger.delivery set delivery_id = 'd-0002'",
        "update lake.marts.mart_deliveries set state = 'superseded'",
    ],
)
def test_other_inputs_are_another_release(built: Settings, sql: str) -> None:
    first = publish(built)
    change(built, sql)
    second = publish(built)
    assert second.is_new
    assert second.release_id != first.release_id
    assert (built.site / "releases" / first.release_id).is_dir()
    assert (built.site / "current").readlink().name == second.release_id


@pytest.mark.parametrize("name", ["POLICY_VERSION", "code_version"])
def test_other_code_or_policy_is_another_release(built: Settings, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    first = publish(built)
    monkeypatch.setattr(editions, name, "other" if name == "POLICY_VERSION" else lambda: "other")
    assert publish(built).release_id != first.release_id


def test_a_held_delivery_is_not_an_input(built: Settings) -> None:
    first = publish(built)
    change(
        built,
        "insert into lake.ledger.delivery by name"
        " select 'd-0009' as delivery_id, 'home-office' as supplier, 'held' as state",
    )
    assert publish(built).release_id == first.release_id


def test_data_are_as_of_a_repetition_that_changes_what_counts(built: Settings) -> None:
    def sent(hand_over_id: str, day: int, sha256: str, state: str, duplicates: int) -> str:
        return f"""
            insert into lake.ledger.delivery
                (hand_over_id, delivery_id, supplier, sent_at, finished_at, state, is_synthetic)
            values ('{hand_over_id}', 'd-{sha256}', 'home-office', timestamp '2021-01-{day} 17:00:00',
                timestamp '2021-01-{day} 18:00:00', '{state}', false);
            insert into lake.ledger.delivery_file
                (hand_over_id, delivery_id, kind, period_start, period_end, sha256, file_id, rows_in, rows_duplicate)
            values ('{hand_over_id}', 'd-{sha256}', 'home_office_outcomes', date '2017-04-01', date '2018-03-31',
                '{sha256}', 1, 10, {duplicates});
        """

    change(built, sent("first", 15, "a", "accepted", 0) + sent("corrected", 16, "b", "accepted", 0))
    assert as_of(publish(built)) == "2021-01-16"
    change(built, sent("again", 17, "a", "duplicate", 10) + "update lake.marts.mart_measure_values set numerator = 199")
    assert as_of(publish(built)) == "2021-01-17"


def test_figures_are_read_at_the_snapshot_of_the_last_successful_build(built: Settings) -> None:
    first = publish(built)
    change(built, "update lake.marts.mart_measure_values set value = 0", status="failed")
    again = publish(built)
    assert not again.is_new
    assert again.release_id == first.release_id


def test_no_successful_build_publishes_nothing(settings: Settings) -> None:
    """Invariant 7, for what is audited so far: the tests of the build whose snapshot is published have passed."""
    change(settings, FIGURES, status="failed")
    with pytest.raises(PublicationError, match="build the marts first"):
        publish(settings)
    assert not (settings.site / "current").exists()


def test_what_is_shown_is_recorded_with_the_hash_of_its_content(built: Settings) -> None:
    """Invariant 7: the record names the build whose tests have passed, and what the pages held."""
    done = publish(built)
    with reading(built) as connection:
        rows = connection.execute("select release_id, build_id, content_sha256 from lake.ledger.publication").fetchall()
        builds = connection.execute("select build_id, status from lake.ledger.build").fetchall()
    ((release_id, build_id, content),) = rows
    assert (release_id, content) == (done.release_id, content_sha256(built.site / "current"))
    assert (build_id, "succeeded") in builds


def test_nothing_is_shown_that_could_not_be_recorded(built: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    first = publish(built)
    change(built, CHANGED)
    with monkeypatch.context() as down:
        down.setattr(publication, "writing", _catalogue_is_down)
        with pytest.raises(LakeError):
            publish(built)
        assert (built.site / "current").readlink().name == first.release_id
    second = publish(built)
    assert (built.site / "current").readlink().name == second.release_id != first.release_id
    assert [release for release, _ in recorded(built)] == [first.release_id, second.release_id]


CHANGED = "update lake.marts.mart_measure_values set value = 199, numerator = 199 where area_code = '20'"


def _catalogue_is_down(_settings: Settings) -> object:
    raise LakeError("the catalogue does not answer")


def test_a_release_that_was_changed_on_disk_is_made_anew(built: Settings) -> None:
    first = publish(built)
    page = first.site_path / "index.html"
    words = page.read_text(encoding="utf-8")
    page.write_text(words.replace("England", "Scotland"), encoding="utf-8")
    again = publish(built)
    assert (again.release_id, again.is_new) == (first.release_id, True)
    assert "Scotland" not in page.read_text(encoding="utf-8")
    assert not publish(built).is_new
    assert sorted(path.name for path in (built.site / "releases").iterdir()) == [first.release_id]


def test_no_edition_is_taken_over_from_a_release_that_was_changed_on_disk(with_cases: Settings) -> None:
    page = publish(with_cases).site_path / "index.html"
    page.write_text("changed", encoding="utf-8")
    change(with_cases, "update lake.marts.mart_measure_values set numerator = 1 where measure_id = 'charges_rasso'")
    assert "changed" not in (publish(with_cases).site_path / "index.html").read_text(encoding="utf-8")


def test_the_hash_of_a_release_is_that_of_the_usual_tools(tmp_path: Path) -> None:
    for name in ("b", "a/ä", "a.html", "a/b c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    documented = re.findall(r"^find .*sha256sum$", (ROOT / "docs" / "auditors.md").read_text(encoding="utf-8"), re.M)
    (command,) = documented
    shell = ["bash", "-c", command]
    answer = subprocess.run(shell, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert answer.stdout.split()[0] == content_sha256(tmp_path)


def test_a_lake_of_an_earlier_version_is_to_be_built_first(built: Settings) -> None:
    with writing(built) as connection:
        connection.execute("alter table lake.ledger.publication drop column content_sha256")
    with pytest.raises(PublicationError, match="of an earlier version: build the marts first"):
        publish(built)


def test_no_lake_publishes_nothing(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "bare")
    settings.prepare()
    with pytest.raises(PublicationError, match="receive deliveries and build"):
        publish(settings)


def _unknown_area(settings: Settings) -> None:
    change(settings, "update lake.marts.mart_measure_values set area_code = '99' where area_code = '20'")


def _unknown_measure(settings: Settings) -> None:
    change(settings, "update lake.marts.mart_measure_values set measure_id = 'gone' where area_code = '20'")


@pytest.mark.parametrize(
    ("spoil", "message"), [(_unknown_area, "not in the list of areas"), (_unknown_measure, "not in the catalogue")]
)
def test_figures_that_do_not_fit_are_not_published(
    built: Settings, spoil: Callable[[Settings], None], message: str
) -> None:
    first = publish(built)
    spoil(built)
    with pytest.raises(PublicationError, match=message) as caught:
        publish(built)
    assert "\n" not in str(caught.value)
    assert (built.site / "current").readlink().name == first.release_id
    assert [path.name for path in (built.site / "releases").iterdir()] == [first.release_id]
    assert not list(built.site.glob(".work-*"))
    assert len(recorded(built)) == 1


def test_the_renderer_is_given_one_folder_and_no_settings(built: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RASSO_HOME", str(built.root))
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "secret")
    seen: dict[str, object] = {}
    run = publication.subprocess.run

    def spy(command: list[str], **options: object) -> object:
        seen.update(options, command=command)
        return run(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(publication.subprocess, "run", spy)
    publish(built)
    assert seen["command"] == [sys.executable, "-m", "scorecards.render", "."]
    assert not [name for name in seen["env"] if name.startswith(("RASSO", "AIRFLOW"))]  # type: ignore[attr-defined]
    assert sorted(path.name for path in (built.site / "current" / "public" / "data").glob("*.json")) == [
        "areas.json",
        "claims.json",
        "deliveries.json",
        "events.json",
        "measure_values.csv-metadata.json",
        "measure_values.schema.json",
        "measures.json",
        "release.json",
    ]


def test_what_a_crash_left_is_mended(built: Settings) -> None:
    first = publish(built)
    (built.site / "current").unlink()
    (built.site / ".work-0011").mkdir()
    (built.site / ".current-0011").symlink_to("releases/none")
    with writing(built) as connection:
        connection.execute("delete from lake.ledger.publication")
    again = publish(built)
    assert (again.release_id, again.is_new) == (first.release_id, False)
    assert (built.site / "current").readlink().name == first.release_id
    assert sorted(path.name for path in built.site.iterdir()) == [".publication.lock", "current", "releases"]
    assert len(recorded(built)) == 1


def test_synthetic_deliveries_make_a_synthetic_release(built: Settings) -> None:
    change(built, "update lake.ledger.delivery set is_synthetic = true, delivery_id = 'd-synthetic'")
    done = publish(built)
    assert json.loads((done.site_path / "data" / "release.json").read_text(encoding="utf-8"))["is_synthetic"] is True
    assert "not real" in (done.site_path / "index.html").read_text(encoding="utf-8")


def test_a_validation_report_is_named_where_there_is_one(built: Settings) -> None:
    report = built.reports / "home-office" / "h1" / "index.html"
    report.parent.mkdir(parents=True)
    report.touch()
    done = publish(built)
    assert "reports/home-office/h1/index.html" in (done.site_path / "status" / "index.html").read_text(encoding="utf-8")


CASES = """
    insert into lake.marts.mart_measures values ('charges_rasso', 'Suspects charged (suspects; CPS decisions)', 'count',
        'suspects', 'Charged', null, 'day of the charge', 'more_is_better', null, 'cps_decisions', 'Counts suspects.',
        '0.1.0', null, true, 'Charges', 5, 'outcomes', '', null, '', 'charges_rasso', null, true);
    insert into lake.marts.mart_areas values
        ('area', '4', 'London North CPS Area', 'EW', '', 'LONDON', null),
        ('force', '01', 'Metropolitan Police Service', 'LONDON', '01', null, null);
    insert into lake.marts.mart_measure_values
        select 'charges_rasso', area_level, area_code, area_name, '', 'rolling_year', date '2017-04-01',
            date '2018-03-31', 'suspects', number, null, number, null, null,
            if(number is null, 'not_applicable', 'complete'), 1.0, null, null, null
        from lake.marts.mart_areas
        inner join (values ('13', 71301), ('20', 72001), ('4', 70401), ('01', 70101), ('LONDON', 70501), ('EW', 79999),
            ('2', null)) as numbers (code, number) on area_code = code;
"""


@pytest.fixture
def with_cases(built: Settings) -> Settings:
    """A home with a figure counted from cases in every area that received any."""
    change(built, CASES)
    return built


def text_of(folder: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def test_each_area_with_cases_has_an_edition_of_its_own(with_cases: Settings) -> None:
    done = publish(with_cases)
    names = [path.relative_to(with_cases.site / "current").as_posix() for path in done.restricted_paths]
    assert names == ["restricted/london-north", "restricted/west-midlands"]
    edition = read_edition(done.restricted_paths[1])
    assert [area.code for area in edition.areas.values()] == ["EW", "13", "20"]
    assert edition.release.area_name == "West Midlands CPS Area"


def test_no_figure_counted_from_cases_is_public(with_cases: Settings) -> None:
    done = publish(with_cases)
    public = text_of(done.site_path)
    assert {row["measure_id"] for row in published_rows(done)} == {"rape_charges_crimes"}
    for secret in ("71301", "72001", "70401", "70101", "70501", "79999", "71,301", "charges_rasso"):
        assert secret not in public


def test_a_measure_of_unknown_nature_is_not_public(with_cases: Settings) -> None:
    change(with_cases, "update lake.marts.mart_measures set is_case_level = null where measure_id = 'charges_rasso'")
    with pytest.raises(PublicationError, match="neither true nor false"):
        publish(with_cases)
    assert not (with_cases.site / "current").exists()


@pytest.mark.parametrize(
    ("place", "own", "others"),
    [
        (1, ("71301", "72001"), ("70401", "70101", "70501", "79999")),
        (0, ("70401", "70101", "70501"), ("71301", "72001", "79999")),
    ],
    ids=["West Midlands", "London North with what cannot be split"],
)
def test_an_area_sees_its_own_cases_and_nobody_elses(
    with_cases: Settings, place: int, own: tuple[str, ...], others: tuple[str, ...]
) -> None:
    found = text_of(publish(with_cases).restricted_paths[place])
    assert [number for number in own if number not in found] == []
    assert [number for number in others if number in found or f"{int(number):,}" in found] == []
    assert "OFFICIAL-SENSITIVE" in found


def test_another_areas_cases_leave_an_edition_as_it_is(with_cases: Settings) -> None:
    first = publish(with_cases)
    before = {path.name: text_of(path) for path in (*first.restricted_paths, first.site_path)}
    change(
        with_cases,
        "update lake.marts.mart_measure_values set numerator = 1, value = 1"
        " where measure_id = 'charges_rasso' and area_code in ('4', 'EW')",
    )
    second = publish(with_cases)
    after = {path.name: text_of(path) for path in (*second.restricted_paths, second.site_path)}
    assert second.release_id != first.release_id
    assert {name for name in before if before[name] != after[name]} == {"london-north"}


def test_an_edition_that_did_not_change_is_not_rendered_again(
    with_cases: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(with_cases)
    change(
        with_cases,
        "update lake.marts.mart_measure_values set numerator = 1, value = 1"
        " where measure_id = 'charges_rasso' and area_code = '13'",
    )
    rendered: list[str] = []
    render = publication._render
    monkeypatch.setattr(publication, "_render", lambda edition: (rendered.append(edition.name), render(edition)))
    publish(with_cases)
    assert rendered == ["west-midlands"]


def test_the_oldest_releases_are_forgotten(built: Settings) -> None:
    settings = built.model_copy(update={"keep_releases": 2})
    made = []
    for number in range(3):
        change(settings, f"update lake.marts.mart_measure_values set numerator = {number}, value = {number}")
        made.append(publish(settings).release_id)
    assert sorted(path.name for path in (built.site / "releases").iterdir()) == sorted(made[1:])
    assert (built.site / "current").readlink().name == made[2]
    assert len(recorded(built)) == 3
