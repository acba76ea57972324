"""The yardstick: later counting must find these figures in the rows of the West Midlands CPS Area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extracts.period import Period
from extracts.suppliers import all_suppliers
from extracts.synthetic import yardstick
from extracts.synthetic.calibration import calibration
from extracts.synthetic.cases import CHARGE
from extracts.synthetic.chance import Chance
from extracts.synthetic.months import month_number, year_of
from extracts.synthetic.places import areas_of, forces_of
from extracts.synthetic.plan import Layout
from extracts.synthetic.request import Request, SynthesisError
from extracts.synthetic.synthesise import synthesise

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    from written_extracts import Written

THREE_YEARS = Period.parse("2018-01..2020-12")
COUNT = """
with receipts as (
    select urn, suspect_number, min(received_date) as first_received_date
    from cps_receipts
    where supplier = $area
    group by urn, suspect_number
    having bool_or(list_contains(string_split(coalesce(monitoring_flags, ''), '|'), 'RAPE'))
),
decisions as (
    from cps_decisions where supplier = $area
),
completions as (
    from decisions semi join receipts using (urn, suspect_number)
    where decision <> 'other' and reopened_date is null and left(decision_date, 4) = $year
),
finalised as (
    from cps_prosecution_outcomes semi join receipts using (urn, suspect_number)
    where supplier = $area and left(finalised_date, 4) = $year
)
select
    (select count(*) from receipts where left(first_received_date, 4) = $year) as referred,
    (select count(*) from completions) as completed,
    (select count(*) from completions where decision = 'charge') as charged,
    (
        select round(100 * count(*) filter (where outcome like 'convicted%') / count(*), 1) from finalised
    ) as convicted_pct,
    (select count(*) from decisions where decision = 'charge' and left(decision_date, 4) = $year) as rasso_decided,
    (select count(*) from decisions where decision = 'charge' and left(charged_date, 4) = $year) as rasso_charged
"""


@pytest.fixture(scope="module")
def rows(whole_rows: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    return whole_rows


def _counted(rows: duckdb.DuckDBPyConnection, area: str, year: int) -> tuple[float, ...]:
    found = rows.execute(COUNT, {"area": area, "year": str(year)}).fetchone()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("year", "counts"),
    [(2018, (245, 245, 94, 60.3, 667, 667)), (2020, (440, 440, 314, 79.5, 887, 887))],
    ids=["2018", "2020"],
)
def test_the_years_of_the_statement_come_out_exactly(
    rows: duckdb.DuckDBPyConnection, year: int, counts: tuple[float, ...]
) -> None:
    assert _counted(rows, "cps-west-midlands", year) == counts


def test_the_year_between_lies_between(rows: duckdb.DuckDBPyConnection) -> None:
    earlier, between, later = (_counted(rows, "cps-west-midlands", year) for year in (2018, 2019, 2020))
    assert all(low < value < high for low, value, high in zip(earlier, between, later, strict=True))


def test_other_areas_show_nothing_of_the_kind(rows: duckdb.DuckDBPyConnection) -> None:
    earlier, later = (_counted(rows, "cps-north-west", year) for year in (2018, 2020))
    assert later[0] / earlier[0] < 1.5


def test_no_month_is_a_heap(rows: duckdb.DuckDBPyConnection) -> None:
    months = rows.execute(
        """
        select left(decision_date, 7), count(*) from cps_decisions
        where supplier = 'cps-west-midlands' and decision_date >= '2018'
        group by 1
        """
    ).fetchall()
    counts = sorted(count for _, count in months)
    assert counts[-1] < 1.6 * counts[len(counts) // 2]


def test_intervals_are_those_of_other_areas(rows: duckdb.DuckDBPyConnection) -> None:
    medians = dict(
        rows.execute(
            """
            select decision.supplier = 'cps-west-midlands', median(
                try_cast(decision.decision_date as date) - try_cast(receipt.received_date as date)
            )
            from cps_decisions as decision
            inner join cps_receipts as receipt
                on decision.supplier = receipt.supplier and decision.urn = receipt.urn
                    and decision.suspect_number = receipt.suspect_number
            where receipt.receipt_type = 'charging_decision' and decision.decision_date between '2018' and '2021'
            group by 1
            """
        ).fetchall()
    )
    assert medians[True] == pytest.approx(medians[False], rel=0.15)


def test_the_key_says_what_is_in(whole: Written, small: Written) -> None:
    assert whole.answer_key["yardstick"]["counts"]["2020"]["referred"] == 440
    assert not small.answer_key["yardstick"]["is_included"]


@pytest.mark.parametrize(
    ("months", "scale", "layout"),
    [("2018-02..2020-12", 1.0, "history"), ("2018-01..2020-12", 2.0, "history"), ("2018-01..2020-12", 1.0, "monthly")],
)
def test_it_is_in_only_where_it_can_be_counted(months: str, scale: float, layout: str) -> None:
    assert yardstick.applies(THREE_YEARS, 1.0, Layout.history)
    assert not yardstick.applies(Period.parse(months), scale, Layout(layout))


@pytest.mark.parametrize(("year", "published"), [(2018, 60.3), (2020, 79.5)])
def test_the_counts_chosen_give_the_published_share(year: int, published: float) -> None:
    wanted = calibration().value("yardstick")
    assert round(100 * wanted["convicted"][year] / wanted["finalised"][year], 1) == published


def _planned(seed: int) -> yardstick.PlannedCases:
    area = all_suppliers()[yardstick.supplier()]
    shares = {force_code: areas_of(force_code)[area.code] for force_code in forces_of(area)}
    return yardstick.planned_cases(seed, shares, month_number(THREE_YEARS.start) - 24, THREE_YEARS)


@pytest.mark.parametrize("seed", range(1, 51))
def test_every_seed_has_the_counts(seed: int) -> None:
    wanted = calibration().value("yardstick")
    paths = [path for by_month in _planned(seed).values() for paths in by_month.values() for path in paths]
    for year in wanted["years"]:
        flagged = [path for path in paths if path.is_flagged]
        decided = [s for path in flagged for s in path.suspects if s.decision and year_of(s.decided) == year]
        courts = [s.court for path in flagged for s in path.suspects if s.court and year_of(s.court.finalised) == year]
        counts = {
            "referred": sum(len(path.suspects) for path in flagged if year_of(path.first_received) == year),
            "completed": len(decided),
            "charged": sum(suspect.decision == CHARGE for suspect in decided),
            "finalised": len(courts),
            "convicted": sum(court.outcome.startswith("convicted") for court in courts),
            "rasso_charged": sum(
                suspect.charged is not None and year_of(suspect.charged) == year
                for path in paths
                for suspect in path.suspects
            ),
        }
        assert counts == {name: wanted[name][year] for name in counts}


def test_where_no_attempt_succeeds_the_command_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # All files come on one day: there is nothing in the years beside the first to trade with.
    monkeypatch.setattr(Chance, "between", lambda *_: THREE_YEARS.start.toordinal())
    with pytest.raises(yardstick.YardstickError, match="choose another --seed"):
        _planned(1)
    monkeypatch.undo()

    def fail(*_: object) -> None:
        raise yardstick.YardstickError("choose another --seed")

    monkeypatch.setattr(yardstick, "planned_cases", fail)
    with pytest.raises(SynthesisError, match="choose another --seed"):
        synthesise(Request(into=tmp_path / "extracts", months=THREE_YEARS, areas=frozenset({"13"})))
