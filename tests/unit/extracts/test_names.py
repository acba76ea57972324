"""Names: a case reference in one is noticed however it is written, and the names that we and publishers give pass."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extracts.contract import all_contracts
from extracts.delivery import DeliveryError, deliver
from extracts.names import holds_reference, shown
from extracts.period import Period
from extracts.suppliers import all_suppliers
from extracts.synthetic.aggregates import write_samples
from extracts.synthetic.request import Request
from extracts.synthetic.synthesise import synthesise

if TYPE_CHECKING:
    import uuid
    from pathlib import Path

NAMES_WITH_A_REFERENCE = [
    "20AB1234567",
    "20ab1234567.csv",
    "20121234567.csv.gz",
    "01231234567",
    "case 20AB1234567 of November.xlsx",
    "case20AB1234567final.csv",
    "20AB1234567-1.csv",
    "20AB1234567_2.parquet",
    "20AB1234567(1).csv",
    "20-AB-12345-67.csv",
    "20_ab_12345_67",
    "20 AB 1234567.csv",
    "20 AB 12345 67 notes.csv",
    "20.AB.12345.67.csv",
    "20AB\u00a01234567",
    "20/AB/12345/67",
    "2-0-A-B-1-2-3-4-5-6-7.csv",
    "20A-B123-4567.csv",
    "20201204T000000000000Z-20AB1234567",
    "20201220AB1234567.csv",
    "crimes-2020-11-20AB1234567",
    "police_crimes_2020_11_20A11234567.csv",
    "\uff12\uff10\uff21\uff22\uff11\uff12\uff13\uff14\uff15\uff16\uff17.csv",
    "2020-12-04 20AB1234567 2020-12-05.csv",
]


@pytest.mark.parametrize("name", NAMES_WITH_A_REFERENCE)
def test_a_reference_in_a_name_is_noticed(name: str) -> None:
    assert holds_reference(name)
    assert shown(name) == "(name-withheld)"


NAMES_WITHOUT_ONE = [
    "",
    "extract.csv",
    "20201204T000000000000Z-police-crimes",
    "20201204T091500123456Z-cps-receipts-1",
    "20201204T235959999999Z-joint-meetings-12",
    "police_crimes_2020-11.csv",
    "crimes_2020_11_2020_12.csv",
    "20201204103000.csv",
    "202012041030-extract.csv",
    "2020-12-04T10-30-00.csv",
    "2020-12-04_103000.csv",
    "outcomes_2017_18.csv.gz",
    "outcomes_2017_18_2018_19_2019_20.csv",
    "prc-outcomes-open-data-mar2014-mar2019-tables-280122.ods",
    "recorded_crime_by_force_2012_2025.parquet",
    "1607040000.csv",
    "1607040000000.csv",
    "v1.0.12-2020.csv",
    "550e8400-e29b-41d4-a716-446655440000.csv",
    "\udcff\udcfe",
]


@pytest.mark.parametrize("name", NAMES_WITHOUT_ONE)
def test_a_name_without_a_reference_passes(name: str) -> None:
    assert not holds_reference(name)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2999, 1, 1)), st.sampled_from(sorted(all_contracts())))  # noqa: DTZ001
def test_no_name_that_handing_over_gives_is_taken_for_a_reference(moment: datetime, kind: str) -> None:
    name = f"{moment.replace(tzinfo=UTC):%Y%m%dT%H%M%S%fZ}-{kind.replace('_', '-')}"

    assert not holds_reference(name)
    assert not holds_reference(f"{name}-17")


@given(st.dates(date(2000, 1, 1), date(2999, 1, 1)), st.dates(date(2000, 1, 1), date(2999, 1, 1)))
def test_no_dates_in_a_name_are_taken_for_a_reference(first: date, last: date) -> None:
    for form in ("%Y-%m-%d", "%Y%m%d", "%Y_%m", "%d.%m.%Y"):
        assert not holds_reference(f"crimes_{first:{form}}_{last:{form}}.csv")


@given(st.uuids(version=4))
def test_a_uuid_is_rarely_taken_for_a_reference(number: uuid.UUID) -> None:
    # Twelve hexadecimal digits may read like one by chance; with anything else the parts are too short.
    assert not holds_reference(str(number)[:23])


def test_no_name_of_a_supplier_or_kind_is_taken_for_a_reference() -> None:
    assert not [name for name in (*all_suppliers(), *all_contracts()) if holds_reference(name)]


def test_no_name_of_a_synthetic_extract_is_taken_for_a_reference(tmp_path: Path) -> None:
    synthesise(Request(into=tmp_path / "extracts", months=Period.parse("2020-11..2020-12"), scale=0.02))
    write_samples(tmp_path / "aggregates")
    names = [path.name for path in tmp_path.rglob("*")]

    assert len(names) > 100
    assert not [name for name in names if holds_reference(name)]


def test_no_name_of_a_real_public_file_is_taken_for_a_reference(public_data: Path) -> None:
    names = [path.name for path in public_data.rglob("*")]

    assert len(names) > 10
    assert not [name for name in names if holds_reference(name)]


@pytest.mark.parametrize("name", ["20AB1234567.csv", "20-AB-12345-67.csv"])
def test_a_file_with_a_reference_in_its_name_is_not_handed_over_and_the_error_does_not_name_it(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("a,b\n1,2\n", encoding="utf-8")

    with pytest.raises(DeliveryError) as fault:
        deliver(tmp_path / "landing", [tmp_path / name], "kent-police", "police_crimes", period=Period.parse("2020-11"))

    assert fault.value.code == "REFERENCE_IN_NAME"
    assert name[:11] not in str(fault.value)
    assert not list((tmp_path / "landing").glob("*/*"))
