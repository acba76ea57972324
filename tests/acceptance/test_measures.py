"""Measures of the default synthetic extracts: the yardstick, a second count by hand, and a month that is left out."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pytest
from measures_by_hand import ByHand

from extracts.delivery import LandedDelivery, waiting
from extracts.period import Period
from extracts.synthetic.plan import Layout
from extracts.synthetic.request import Request
from extracts.synthetic.synthesise import synthesise
from rasso.settings import AS_OF, Settings
from scorecards.publication import Publication, publish
from tests.homes import built_home
from tests.suppliers import suppliers_of
from transforms.build import build
from transforms.explain import ExplainError, explain
from warehouse.intake import receive_deliveries, waiting_batches
from warehouse.keys import make_keys, read_keys
from warehouse.lake import reading
from warehouse.linkage import link

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = pytest.mark.slow

AREAS = {"13": "west-midlands", "8": "north-west", "1": "cymru-wales"}
PERIODS = {"2018-12-31": "2018-01-01", "2020-12-31": "2020-01-01"}
BY_HAND = sorted(ByHand.__new__(ByHand).measures())


@dataclass(frozen=True)
class Published:
    """A home with published scorecards, and the extracts that it was made from."""

    settings: Settings
    extracts: Path
    publication: Publication

    @cache  # noqa: B019 - lives as long as the module
    def values(self, area: str) -> dict[tuple[str, str, str, str, str], dict[str, str]]:
        """Rows of an Area's restricted edition by measure, level, breakdown, grain and end."""
        path = self.settings.site / "current" / "restricted" / area / "data" / "measure_values.csv"
        with path.open(encoding="utf-8", newline="") as lines:
            return {
                (row["measure_id"], row["area_code"], row["breakdown"], row["period_grain"], row["period_end"]): row
                for row in csv.DictReader(lines)
            }


def new_home(folder: Path) -> Settings:
    settings = built_home(folder)
    (settings.root / AS_OF).write_text("2021-01-15", encoding="utf-8")
    settings = Settings(home=folder, key_file=folder / "secrets" / "keys.json")
    make_keys(settings, development=True)
    return settings


def hand_over(settings: Settings, deliveries: Iterable[LandedDelivery]) -> None:
    for delivery in deliveries:
        shutil.copytree(delivery.folder, settings.landing / delivery.supplier / delivery.name)


def work_through(settings: Settings) -> None:
    """From the landing folder to the marts."""
    for batch in waiting_batches(settings):
        receive_deliveries(settings, batch)
    link(settings, read_keys(settings))
    build(settings).checked()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The default extracts of three CPS Areas at scale 1, without defects, through to the site."""
    folder = tmp_path_factory.mktemp("measures")
    extracts = folder / "extracts"
    months = Period.parse("2018-01..2020-12")
    synthesise(Request(into=extracts, months=months, row_defects=0, delivery_defects=0, areas=frozenset(AREAS)))
    settings = new_home(folder / "home")
    wanted = suppliers_of(AREAS)
    hand_over(settings, [one for one in waiting(extracts) if one.supplier in wanted])
    work_through(settings)
    return Published(settings, extracts, publish(settings))


@pytest.mark.parametrize(
    ("measure_id", "first", "second", "change"),
    [
        ("referrals_rape_flagged", "245", "440", "79.6"),
        ("charge_rate_of_completions_rape_flagged", "38.4", "71.4", "33.0"),
        ("conviction_rate_rape_flagged", "60.3", "79.5", "19.2"),
        ("charges_rasso", "667", "887", "33.0"),
    ],
)
def test_the_yardstick_comes_out(published: Published, measure_id: str, first: str, second: str, change: str) -> None:
    values = published.values("west-midlands")
    then, now = (values[measure_id, "13", "", "rolling_year", end] for end in PERIODS)
    decimals = 1 if "." in first else 0
    assert [f"{float(row['value']):.{decimals}f}" for row in (then, now)] == [first, second]
    assert (then["value_status"], now["value_status"]) == ("complete", "complete")
    assert f"{float(now['change_pct'] or now['change_points']):.1f}" == change
    assert float(now["baseline_value"]) == float(then["value"])


def test_the_first_screen_says_so_in_words(published: Published) -> None:
    page = (published.settings.site / "current/restricted/west-midlands/areas/west-midlands/index.html").read_text(
        encoding="utf-8"
    )
    screen = page[: page.index("What this shows")]
    for words in (
        "440 suspects in the year to December 2020, 245 in the year to December 2018 (+79.6%)",
        "71.4% in the year to December 2020, 38.4% in the year to December 2018 (+33.0 points)",
        "79.5% in the year to December 2020, 60.3% in the year to December 2018 (+19.2 points)",
        "887 suspects in the year to December 2020, 667 in the year to December 2018 (+33.0%)",
    ):
        assert words in screen


def test_the_statement_is_held_against_the_figures(published: Published) -> None:
    page = (published.settings.site / "current/restricted/west-midlands/statements/index.html").read_text("utf-8")
    assert page.count("Agrees as published") == 4
    assert "x 71.4 / 38.4 = 3.34, that is +234%. The statement says +33%." in page
    assert "were made to match the statement" in page
    assert not (published.settings.site / "current/restricted/north-west/statements").exists()


@pytest.mark.parametrize("end", PERIODS)
@pytest.mark.parametrize("area_code", AREAS)
@pytest.mark.parametrize("measure_id", BY_HAND)
def test_a_second_count_agrees_exactly(published: Published, measure_id: str, area_code: str, end: str) -> None:
    row = published.values(AREAS[area_code])[measure_id, area_code, "", "rolling_year", end]
    numerator, denominator, value = by_hand(published.extracts, area_code).measures()[measure_id](PERIODS[end], end)
    found = [None if row[name] == "" else float(row[name]) for name in ("numerator", "denominator", "value")]
    assert found == [numerator, denominator, pytest.approx(value, abs=1e-9)]


@cache
def by_hand(extracts: Path, area_code: str) -> ByHand:
    return ByHand(extracts, area_code)


def test_nothing_counted_from_cases_is_public(published: Published) -> None:
    with (published.publication.site_path / "data" / "measure_values.csv").open(encoding="utf-8", newline="") as lines:
        assert [row["measure_id"] for row in csv.DictReader(lines)] == []
    assert {path.name for path in published.publication.restricted_paths} == set(AREAS.values())


def test_an_edition_holds_no_other_areas_cases(published: Published) -> None:
    codes = {key[1] for key in published.values("west-midlands")}
    assert codes == {"13", "20", "21", "22", "23"}


def test_a_figure_is_explained_down_to_the_files(published: Published) -> None:
    found = explain(published.settings, "charge_rate_of_completions_rape_flagged", "west-midlands", "2020-12")
    assert [(one.numerator, one.denominator) for one in found.figures] == [(314, 440)]
    assert "from decisions" in found.sql
    assert found.models[-1] == "measure__charge_rate_of_completions_rape_flagged"
    assert "extracts.cps_decisions" in [name.replace("source.", "") for name in found.models]
    assert {(file.supplier, file.kind) for file in found.files} == {
        ("cps-west-midlands", "cps_decisions"),
        ("cps-west-midlands", "cps_receipts"),
    }
    with reading(published.settings) as connection:
        known = dict(connection.execute("select sha256, rows_loaded from lake.ledger.delivery_file").fetchall())
        logged = connection.execute(
            "select count(*) from lake.ledger.processing_log where operation = 'consultation'"
            " and data_set like 'marts.%completions_rape_flagged'"
        ).fetchone()
    assert all(known[file.sha256] == file.rows_loaded for file in found.files)
    assert logged is not None
    assert logged[0] >= 1


@pytest.mark.parametrize(
    ("measure", "area", "period", "complaint"),
    [
        ("charge_rate", "13", "2020-12", "there is no measure"),
        ("charges_rasso", "nowhere", "2020-12", "there is no area"),
        ("charges_rasso", "13", "December", "a period is a month"),
        ("charges_rasso", "13", "1999-12", "has no rolling year that ends in 1999-12"),
    ],
)
def test_what_cannot_be_explained_is_said(
    published: Published, measure: str, area: str, period: str, complaint: str
) -> None:
    with pytest.raises(ExplainError, match=complaint):
        explain(published.settings, measure, area, period)


@dataclass(frozen=True)
class LeftOut:
    """Values of three states: with everything, without one month of one force, and with it delivered after all."""

    whole: dict[tuple[str, ...], tuple[float | None, ...]]
    without: dict[tuple[str, ...], tuple[float | None, ...]]
    again: dict[tuple[str, ...], tuple[float | None, ...]]


@pytest.fixture(scope="module")
def left_out(tmp_path_factory: pytest.TempPathFactory) -> LeftOut:
    """Four months of one CPS Area, one by one; September of West Midlands Police comes last, or not at first."""
    folder = tmp_path_factory.mktemp("left_out")
    extracts = folder / "extracts"
    months = Period.parse("2020-07..2020-10")
    synthesise(
        Request(
            into=extracts,
            months=months,
            scale=0.3,
            layout=Layout.monthly,
            row_defects=0,
            delivery_defects=0,
            areas=frozenset({"13"}),
        )
    )
    wanted = suppliers_of({"13"})
    deliveries = [one for one in waiting(extracts) if one.supplier in wanted]
    missing = [one for one in deliveries if one.supplier == "west-midlands-police" and "202010" in one.name[:6]]
    assert len(missing) == 1
    states = []
    settings = new_home(folder / "home")
    hand_over(settings, [one for one in deliveries if one not in missing])
    work_through(settings)
    states.append(all_values(settings))
    hand_over(settings, missing)
    work_through(settings)
    states.append(all_values(settings))
    complete = new_home(folder / "complete")
    hand_over(complete, deliveries)
    work_through(complete)
    return LeftOut(all_values(complete), *states)


def all_values(settings: Settings) -> dict[tuple[str, ...], tuple[float | None, ...]]:
    with reading(settings) as connection:
        rows = connection.execute(
            "select measure_id, area_level, area_code, breakdown, period_grain, period_start::varchar, value_status,"
            " numerator, denominator, value, received_share, baseline_value from lake.marts.mart_measure_values"
        ).fetchall()
    return {row[:6]: row[6:] for row in rows}


SEPTEMBER = ("month", "2020-09-01")
AUTUMN = ("quarter", "2020-07-01")


def test_a_month_that_was_not_received_is_not_zero(left_out: LeftOut) -> None:
    crimes = ("recorded_crimes_rasso", "force", "20", "")
    assert left_out.without[*crimes, *SEPTEMBER] == ("no_data_received", None, None, None, 0, None)
    status, numerator, _, _, share, _ = left_out.without[*crimes, *AUTUMN]
    assert (status, share) == ("partial", pytest.approx(2 / 3))
    assert numerator is not None
    assert 0 < numerator < (left_out.whole[*crimes, *AUTUMN][1] or 0)


def test_what_contains_the_month_is_partial(left_out: LeftOut) -> None:
    for level, code, share in (("area", "13", 3 / 4), ("national", "EW", 3 / 44)):
        found = left_out.without["recorded_crimes_rasso", level, code, "", *SEPTEMBER]
        assert (found[0], found[4]) == ("partial", pytest.approx(share))
    linked = left_out.without["referred_crimes_linked_share_rasso", "force", "20", "", *AUTUMN]
    assert linked[0] == "partial"


def test_other_forces_are_as_they_were(left_out: LeftOut) -> None:
    others = [key for key in left_out.whole if key[1:3] in (("force", "21"), ("force", "22"), ("force", "23"))]
    own = [key for key in others if key[0].startswith(("recorded_crimes", "charges_", "triage_"))]
    assert own
    assert [key for key in own if left_out.without[key] != left_out.whole[key]] == []


def test_delivering_the_month_restores_the_same_values(left_out: LeftOut) -> None:
    assert left_out.again == left_out.whole
    assert left_out.without != left_out.whole
