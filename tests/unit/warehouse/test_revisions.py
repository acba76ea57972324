"""Revisions: how much of what was sent before a later delivery says otherwise, whatever the order of arrival."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import pytest

from expectations.report import page_of
from extracts.delivery import DeliveryError
from extracts.period import Period, PeriodError
from tests.crimes import ESSEX, HEADER, KENT
from warehouse.lake import ALIAS, writing
from warehouse.revisions import PAGE, Revision, list_revisions
from warehouse.selection import Selection
from warehouse.supply import PAGE as SUPPLIERS_PAGE
from warehouse.supply import watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conftest import Home

HOME_OFFICE, STATISTICS, CRIMES = "home-office", "home_office_recorded_crime", "police_crimes"
PUBLISHED = ("FY", "Financial Quarter", "Force", "Offence Description", "Group", "Offence Subgroup", "Offence Code",
             "n", "territorial")  # fmt: skip


class Found(NamedTuple):
    """What a test expects of a revision."""

    supplier: str
    kind: str
    period: str
    is_resupply: bool
    new: int
    changed: int
    same: int
    gone: int | None


def found(home: Home) -> list[Found]:
    return [
        Found(one.supplier, one.kind, str(one.period), one.is_resupply, one.new, one.changed, one.same, one.gone)
        for one in list_revisions(home.settings).revisions
    ]


def revisions(home: Home) -> tuple[Revision, ...]:
    return list_revisions(home.settings).revisions


def extract(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue().encode()


def crimes(numbers: Iterable[int], *, reclassified: Sequence[int] = (), bad: Sequence[int] = ()) -> bytes:
    """Crimes of Kent; those up to 5 were recorded in October, the others in November."""
    rows = []
    for number in numbers:
        month = "2020-10" if number <= 5 else "2020-11"
        code, recorded = "19D" if number in reclassified else "19C", "" if number in bad else f"{month}-03"
        rows.append((f"46AA/{number}", "46AA", code, f"{month}-02", recorded, "25_to_34", "false", "0"))
    return extract(HEADER, rows)


def published(counts: dict[str, tuple[int | None, ...]]) -> bytes:
    """Crimes recorded by Kent, Essex and Surrey by quarter of 2020/21; None where there is no row."""
    rows = [
        ("2020/21", quarter, force, "Rape", "Sexual offences", "Rape", "19C", count, "true")
        for quarter, of_forces in counts.items()
        for force, count in zip(("Kent", "Essex", "Surrey"), of_forces, strict=True)
        if count is not None
    ]
    return extract(PUBLISHED, rows)


def sent(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def land_crimes(home: Home, name: str, period: str, day: str, content: bytes) -> None:
    home.land(name, {"crimes.csv": (content, period)}, supplier=KENT, kind=CRIMES, sent_at=sent(day))


def land_statistics(home: Home, name: str, period: str, day: str, content: bytes) -> None:
    home.land(name, {"crime.csv": (content, period)}, supplier=HOME_OFFICE, kind=STATISTICS, sent_at=sent(day))


def history(home: Home, number: int) -> None:
    """Land the deliveries of one hand-over of three, as they were sent one after the other."""
    months = ("2020-10", "2020-11", "2020-11")
    quarters = ("2020-04..2020-09", "2020-07..2020-12", "2020-07..2020-09")
    case_rows = (crimes(range(1, 6)), crimes(range(4, 9), reclassified=[4]), crimes(range(4, 10), reclassified=[4, 6]))
    aggregates = (
        published({"1": (10, 20, 30), "2": (11, 21, 31)}),
        published({"2": (11, 22, None), "3": (12, 22, 32)}),
        published({"2": (11, 22, 33)}),
    )
    land_crimes(home, str(number), months[number], f"2020-12-0{1 + number}", case_rows[number])
    land_statistics(home, str(number), quarters[number], f"2021-02-0{1 + number}", aggregates[number])


@pytest.mark.parametrize("arrival", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
def test_whatever_arrives_first_the_list_is_the_same(home: Home, arrival: tuple[int, ...]) -> None:
    for number in arrival:
        history(home, number)
        assert {outcome.state for outcome in home.receive().values()} == {"accepted"}

    assert found(home) == [
        # The row that was gone from the delivery before is there once more.
        Found(HOME_OFFICE, STATISTICS, "2020-07..2020-09", is_resupply=True, new=1, changed=0, same=2, gone=0),
        # The quarter that nobody had spoken of is no revision, nor is the one that it does not speak of.
        Found(HOME_OFFICE, STATISTICS, "2020-07..2020-09", is_resupply=True, new=0, changed=1, same=1, gone=1),
        Found(KENT, CRIMES, "2020-11", is_resupply=True, new=1, changed=1, same=4, gone=None),
        # November was not sent before, but holds a crime of October that has changed and one that has not.
        Found(KENT, CRIMES, "2020-11", is_resupply=False, new=3, changed=1, same=1, gone=None),
    ]


def test_a_repeated_delivery_is_no_revision(home: Home) -> None:
    land_crimes(home, "1", "2020-10", "2020-11-04", crimes(range(1, 6)))
    land_crimes(home, "2", "2020-10", "2020-11-09", crimes(range(1, 6)))

    assert [outcome.state for outcome in home.receive().values()] == ["accepted", "duplicate"]
    assert found(home) == []


def test_an_identical_file_beside_a_new_one_is_no_revision(home: Home, months: list[bytes]) -> None:
    home.land("1", {"a.csv": (months[0], "2016-01")}, sent_at=sent("2016-03-01"))
    home.land("2", {"a.csv": (months[0], "2016-01"), "b.csv": (months[1], "2016-02")}, sent_at=sent("2016-04-01"))

    assert [outcome.state for outcome in home.receive().values()] == ["accepted", "accepted"]
    assert found(home) == []


def test_a_delivery_that_was_received_again_stands_once(home: Home) -> None:
    for number in range(3):
        history(home, number)
    home.receive()
    before = list_revisions(home.settings).revisions

    with writing(home.settings) as connection:
        for table in ("delivery", "delivery_file"):
            connection.execute(
                f"insert into {ALIAS}.ledger.{table}"
                f" select * replace ('again-' || hand_over_id as hand_over_id) from {ALIAS}.ledger.{table}"
            )
    after = list_revisions(home.settings).revisions

    assert len(before) == 4
    assert [(one.delivery_id, one.changed, one.same) for one in after] == [
        (one.delivery_id, one.changed, one.same) for one in before
    ]


def test_suppliers_who_use_the_same_key_do_not_revise_one_another(home: Home) -> None:
    header = ("action_id", "title", "owner_role", "measure_id", "opened_date", "due_date", "status")
    for day, panel in enumerate(("joint-panel-west-midlands", "joint-panel-wessex"), start=1):
        row = (
            "A2020-007",
            "Count requests",
            "cps_rasso_head",
            "early_advice_share",
            "2020-11-02",
            f"2020-12-0{day}",
            "open",
        )
        files = {"plan.csv": (extract(header, [row]), "2020-11")}
        home.land(panel, files, supplier=panel, kind="local_action_plan", sent_at=sent(f"2020-12-0{day}"))

    assert [outcome.state for outcome in home.receive().values()] == ["accepted", "accepted"]
    assert home.rows("select count(*), count(distinct action_id) from lake.extracts.local_action_plan") == [(2, 1)]
    assert found(home) == []


def test_one_file_of_several_that_is_sent_again_is_said_last_and_the_others_are_not(home: Home) -> None:
    october, november = (crimes([1, 2]), "2020-10"), (crimes([6, 7]), "2020-11")
    home.land("1", {"a.csv": october, "b.csv": november}, supplier=KENT, kind=CRIMES, sent_at=sent("2020-12-01"))
    land_crimes(home, "2", "2020-10", "2020-12-02", crimes([1, 2], reclassified=[1]))
    land_crimes(home, "3", "2020-11", "2020-12-03", crimes([6, 7], reclassified=[6, 7]))
    home.land("4", {"b.csv": november}, supplier=KENT, kind=CRIMES, sent_at=sent("2020-12-04"))
    home.receive()

    assert {(one.delivery_name, str(one.period), one.changed, one.same) for one in revisions(home)} == {
        ("2", "2020-10", 1, 1),
        ("1", "2020-10..2020-11", 2, 0),
    }


def test_a_quarantined_row_is_neither_said_nor_revised(home: Home) -> None:
    land_crimes(home, "1", "2020-10", "2020-11-04", crimes(range(1, 6), bad=[5]))
    land_crimes(home, "2", "2020-10", "2020-11-09", crimes(range(1, 6), bad=[4]))
    home.receive()

    assert found(home) == [Found(KENT, CRIMES, "2020-10", is_resupply=True, new=1, changed=0, same=3, gone=None)]


def test_a_delivery_that_is_held_revises_nothing(home: Home) -> None:
    land_crimes(home, "1", "2020-10", "2020-11-04", crimes(range(1, 6)))
    land_crimes(home, "2", "2020-10", "2998-01-09", crimes(range(1, 6), reclassified=[1]))

    assert [outcome.state for outcome in home.receive().values()] == ["accepted", "held"]
    assert found(home) == []


def test_a_month_sent_again_with_other_rows_altogether_is_a_revision(home: Home) -> None:
    land_crimes(home, "1", "2020-11", "2020-12-04", crimes(range(6, 9)))
    land_crimes(home, "2", "2020-11", "2020-12-09", crimes(range(9, 11)))
    home.receive()

    assert found(home) == [Found(KENT, CRIMES, "2020-11", is_resupply=True, new=2, changed=0, same=0, gone=None)]


def test_a_row_is_compared_with_the_last_that_was_sent_also_over_a_delivery_without_it(home: Home) -> None:
    land_crimes(home, "1", "2020-10", "2020-11-04", crimes([1, 2]))
    land_crimes(home, "2", "2020-10", "2020-11-05", crimes([2], reclassified=[2]))
    land_crimes(home, "3", "2020-10", "2020-11-06", crimes([1, 2], reclassified=[1, 2]))
    home.receive()

    assert [(one.changed, one.same) for one in found(home)] == [(1, 1), (1, 0)]


def test_of_a_key_in_several_files_the_latest_month_speaks(home: Home) -> None:
    files = {
        "a.csv": (crimes([1], reclassified=[1]), "2020-09..2020-11"),
        "b.csv": (crimes([1, 2]), "2020-10"),
    }
    home.land("1", files, supplier=KENT, kind=CRIMES, sent_at=sent("2020-12-04"))
    land_crimes(home, "2", "2020-12", "2021-01-04", crimes([1, 2], reclassified=[1]))
    home.receive()

    assert found(home) == [Found(KENT, CRIMES, "2020-12", is_resupply=False, new=0, changed=0, same=2, gone=None)]


def test_the_page_lists_counts_links_what_lies_beside_it_and_says_that_figures_are_synthetic(home: Home) -> None:
    for number in range(3):
        history(home, number)
    home.receive()
    assert PAGE not in (home.settings.reports / "index.html").read_text(encoding="utf-8")

    newest, *_ = list_revisions(home.settings).revisions
    watch(home.settings)

    page = (home.settings.reports / PAGE).read_text(encoding="utf-8")
    assert "Synthetic figures" in page
    assert "Kent Police" in page
    assert f'href="{page_of(newest.supplier, newest.hand_over_id)}"' in page
    assert (home.settings.reports / page_of(newest.supplier, newest.hand_over_id)).exists()
    assert str(home.settings.root) not in page
    assert f'href="{SUPPLIERS_PAGE}"' in page
    for other in ("index.html", SUPPLIERS_PAGE):
        assert f'href="{PAGE}"' in (home.settings.reports / other).read_text(encoding="utf-8")


def test_an_empty_home_has_no_revision_and_its_page_says_so(home: Home) -> None:
    assert list_revisions(home.settings).revisions == ()
    page = (home.settings.reports / PAGE).read_text(encoding="utf-8")
    assert "No delivery says again what an earlier one had said." in page
    assert "Synthetic" not in page


@pytest.mark.parametrize(
    ("asked", "is_shown"),
    [
        ((None, None, None), True),
        ((KENT, None, None), True),
        ((ESSEX, None, None), False),
        ((None, "police_referrals", None), False),
        ((KENT, CRIMES, "2020-11"), True),
        ((None, None, "2020-01..2020-10"), True),
        ((None, None, "2020-01..2020-09"), False),
        ((None, None, "2020-12"), False),
    ],
)
def test_a_revision_is_shown_where_it_has_one_of_the_months_asked_for(
    asked: tuple[str | None, str | None, str | None], is_shown: bool
) -> None:
    period = Period.parse("2020-10..2020-11")
    one = Revision(KENT, CRIMES, "d", "name", "h", sent("2020-12-04"), period, True, 1, 2, 3, None)
    assert Selection.of(*asked).has(one.supplier, one.kind, one.period) is is_shown


@pytest.mark.parametrize("asked", [("kent", None, None), (None, "crimes", None), (KENT, "cps_reviews", None)])
def test_what_there_is_not_cannot_be_asked_for(asked: tuple[str | None, str | None, str | None]) -> None:
    with pytest.raises(DeliveryError):
        Selection.of(*asked)


def test_a_period_that_is_none_cannot_be_asked_for() -> None:
    with pytest.raises(PeriodError):
        Selection.of(None, None, "2020")
