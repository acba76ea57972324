"""References: each occurs once, and a damaged one is no other case's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from extracts.synthetic.chance import Chance
from extracts.synthetic.references import (
    ScarceReferencesError,
    damaged_crime_reference,
    damaged_urn,
    mint_for,
)

if TYPE_CHECKING:
    import duckdb
    from written_extracts import Written

    from extracts.synthetic.references import ReferenceMint

STANDARD = re.compile(r"\d{2}[A-Z0-9]{2}\d{7}")
LOST_ZERO = re.compile(r"\d[A-Z0-9]{2}\d{7}")
CONFUSED = str.maketrans("OQDILZSBG", "000112586")
MONTHS = range(2018 * 12, 2020 * 12)


def _mints(force_code: str, crimes_a_month: float) -> list[ReferenceMint]:
    return [mint_for(force_code, part, parts=3, units=4, crimes_a_month=crimes_a_month) for part in range(3)]


@pytest.mark.parametrize("force_code", ["01", "04", "13", "20", "44", "93"])
def test_no_reference_occurs_twice_in_a_force(force_code: str) -> None:
    urns, crimes = [], []
    for mint in _mints(force_code, crimes_a_month=900):
        for month in MONTHS:
            mint.month_begins(month)
            crimes += [mint.crime_reference().text for _ in range(900)]
            urns += [mint.urn(unit) for unit in mint.units for _ in range(60)]
    assert len(set(crimes)) == len(crimes)
    assert len(set(urns)) == len(urns)
    assert all(STANDARD.fullmatch(urn) and urn.startswith(force_code) for urn in urns)


def test_more_cases_than_numbers_are_refused() -> None:
    mint = mint_for("20", 0, parts=1, units=1, crimes_a_month=10)
    mint.month_begins(2018 * 12)
    unit = mint.units[0]
    with pytest.raises(ScarceReferencesError, match="smaller --scale"):
        [mint.urn(unit) for _ in range(2000)]


@pytest.mark.parametrize("how", ["lost_zero", "confusable", "swapped", "typo"])
def test_a_damaged_urn_keeps_a_shape_that_can_be_repaired_and_is_nobody_elses(how: str) -> None:
    chance = Chance("damage", how)
    real, damaged = set(), []
    for mint in _mints("04", crimes_a_month=100):
        for month in MONTHS:
            mint.month_begins(month)
            for unit in mint.units:
                for _ in range(40):
                    urn = mint.urn(unit)
                    real.add(urn)
                    damaged.append((urn, damaged_urn(urn, how, chance)))
    for urn, text in damaged:
        assert text not in real
        form = text if len(text) == 11 else "0" + text
        if how == "lost_zero":
            assert LOST_ZERO.fullmatch(text)
        repaired = (form[:2] + "??" + form[4:]).translate(CONFUSED)
        assert repaired[:2] == urn[:2]
        assert repaired[4:].isdigit()
        assert form[2:4] == urn[2:4]


@pytest.mark.parametrize("how", ["lost_zero", "confusable", "swapped", "typo"])
@pytest.mark.parametrize("force_code", ["01", "04", "13", "20", "44", "93"])
def test_a_damaged_crime_reference_is_no_other_crimes(force_code: str, how: str) -> None:
    chance = Chance("damage", force_code, how)
    real, damaged = set(), []
    for mint in _mints(force_code, crimes_a_month=700):
        for month in MONTHS:
            mint.month_begins(month)
            for _ in range(700):
                reference = mint.crime_reference()
                real.add(_normalised(reference.text))
                damaged.append(_normalised(damaged_crime_reference(reference, how, chance)))
    assert real.isdisjoint(damaged)


def test_references_in_sequence_occur_once_and_a_damaged_one_often_is_anothers() -> None:
    chance, urns, crimes = Chance("damage", "sequence"), [], []
    for part in range(3):
        mint = mint_for("20", part, parts=3, units=4, crimes_a_month=100, is_consecutive=True)
        for month in MONTHS:
            mint.month_begins(month)
            crimes += [mint.crime_reference() for _ in range(40)]
            urns += [mint.urn(unit) for unit in mint.units for _ in range(5)]
    texts = [_normalised(crime.text) for crime in crimes]
    assert len(set(urns)) == len(urns)
    assert len(set(texts)) == len(texts)
    wrong_urns = [damaged_urn(urn, "typo", chance) for urn in urns]
    wrong_crimes = [_normalised(damaged_crime_reference(crime, "typo", chance)) for crime in crimes]
    assert 0.2 < sum(urn in set(urns) for urn in wrong_urns) / len(urns) < 0.6
    assert 0.2 < sum(crime in set(texts) for crime in wrong_crimes) / len(crimes) < 0.6


def test_the_share_asked_for_is_damaged_and_the_truth_is_told(
    small: Written, small_rows: duckdb.DuckDBPyConnection
) -> None:
    connection = small_rows.cursor()
    connection.execute(
        "create or replace temp table link as from read_csv($path, all_varchar = true)", {"path": str(small.true_links)}
    )
    connection.execute("create temp macro plain(text) as regexp_replace(upper(text), '[^A-Z0-9]', '', 'g')")
    rows, damaged, differing, unexpected = connection.execute(
        """
        with compared as (
            select
                is_damaged = 'true' as is_damaged,
                plain(urn) <> plain(true_urn) or plain(crime_reference) <> plain(true_crime_reference) as differs
            from link
        )
        select
            count(*),
            count(*) filter (where is_damaged),
            count(*) filter (where is_damaged and differs),
            count(*) filter (where differs and not is_damaged)
        from compared
        """
    ).fetchone() or (0, 0, 0, 0)
    assert rows > 5000
    assert damaged / rows == pytest.approx(0.05, rel=0.25)
    assert differing == damaged
    assert unexpected == 0


def test_every_delivered_submission_has_its_truth_once(small: Written, small_rows: duckdb.DuckDBPyConnection) -> None:
    connection = small_rows.cursor()
    connection.execute(
        "create or replace temp table link as from read_csv($path, all_varchar = true)", {"path": str(small.true_links)}
    )
    key = "supplier, urn, crime_reference, suspect_number, submission_type, submitted_date"
    spoiled = sum(defect["rule"].startswith("PR-") for defect in small.answer_key["defects"])
    untold = connection.execute(
        f"select count(*) from (select {key} from police_referrals except select {key} from link)"
    )
    assert (untold.fetchone() or (0,))[0] <= spoiled
    assert connection.execute(f"select count(*) - count(distinct ({key})) from link").fetchone() == (0,)


def _normalised(text: str) -> str:
    return "".join(character for character in text.upper() if character.isalnum())
