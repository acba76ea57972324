"""What lies in the folder: deliveries as suppliers send them, in either layout."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from extracts.contract import all_contracts
from extracts.delivery import LandedDelivery, read_manifest, waiting
from extracts.period import Period
from extracts.suppliers import all_suppliers
from extracts.synthetic.columns import COLUMNS
from extracts.synthetic.plan import KINDS_BY_GROUP

if TYPE_CHECKING:
    import duckdb
    from written_extracts import Written

SENDERS = [supplier for supplier in all_suppliers().values() if supplier.group != "publisher"]


@pytest.fixture(params=["small", "monthly"])
def written(request: pytest.FixtureRequest) -> Written:
    found: Written = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("kind", list(COLUMNS))
def test_the_columns_are_those_of_the_contract(kind: str) -> None:
    headers = tuple(column.headers[0] for column in all_contracts()[kind].columns if column.headers)
    assert COLUMNS[kind] == headers


def test_every_supplier_sends(written: Written) -> None:
    assert len(SENDERS) == 44 + 14 + 14
    assert {name.partition("/")[0] for name in written.manifests()} == {supplier.supplier_id for supplier in SENDERS}


def test_every_manifest_can_be_received_and_keeps_its_word(written: Written) -> None:
    cut_off = {
        entry["delivery"] for entry in written.answer_key["irregular_deliveries"] if entry["purpose"] == "cut_off"
    }
    landed = waiting(written.folder)
    assert len(landed) == written.answer_key["deliveries"]
    for delivery in landed:
        manifest = read_manifest(delivery)
        assert manifest.is_synthetic
        for file in manifest.files:
            content = (delivery.folder / file.name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == file.sha256
            assert file.contract_version == all_contracts()[file.kind].version
            is_whole = f"{delivery.supplier}/{delivery.name}" not in cut_off
            assert (content.count(b"\n") - 1 == file.rows) is is_whole
            assert file.rows


def test_each_group_sends_its_kinds_and_no_other(written: Written) -> None:
    for delivery in waiting(written.folder):
        group = all_suppliers()[delivery.supplier].group
        assert {file.kind for file in read_manifest(delivery).files} <= set(KINDS_BY_GROUP[group])


def test_no_two_deliveries_are_the_same(written: Written) -> None:
    ids = Counter(read_manifest(delivery).delivery_id for delivery in waiting(written.folder))
    assert set(ids.values()) == {1}


def _regular(written: Written) -> dict[str, list[LandedDelivery]]:
    irregular = {entry["delivery"] for entry in written.answer_key["irregular_deliveries"]}
    found: dict[str, list[LandedDelivery]] = {}
    for delivery in waiting(written.folder):
        if f"{delivery.supplier}/{delivery.name}" not in irregular:
            found.setdefault(delivery.supplier, []).append(delivery)
    return found


def _periods(deliveries: list[LandedDelivery]) -> list[str]:
    return [file.period for delivery in deliveries for file in read_manifest(delivery).files[:1]]


def test_a_history_is_one_delivery_and_the_last_month_another(small: Written) -> None:
    for deliveries in _regular(small).values():
        assert _periods(deliveries) == ["2018-01..2020-11", "2020-12"]


def test_month_by_month_is_one_delivery_for_each(monthly: Written) -> None:
    months = [f"2020-{month:02d}" for month in range(7, 13)]
    sent = [_periods(deliveries) for deliveries in _regular(monthly).values()]
    # A supplier without any row in a month sends nothing: at this scale the smallest forces.
    assert all(periods == [month for month in months if month in periods] for periods in sent)
    assert sum(periods == months for periods in sent) > 65


def test_deliveries_are_sent_about_the_tenth_and_some_weeks_late(written: Written) -> None:
    delays = []
    for deliveries in _regular(written).values():
        for delivery in deliveries:
            manifest = read_manifest(delivery)
            end = Period.parse(manifest.files[0].period).end
            delays.append((manifest.sent_at.date() - end).days)
    late = [days for days in delays if days > 20]
    assert 1 <= len(late) <= 4
    assert all(7 <= days <= 12 for days in delays if days <= 20)


def test_the_last_month_is_in_by_the_middle_of_the_next(written: Written) -> None:
    last = max(datetime.fromisoformat(manifest["sent_at"]) for manifest in written.manifests().values())
    assert last.date().isoformat() < "2021-01-15"


def test_a_past_month_is_sent_again_with_revised_rows(written: Written) -> None:
    again = [entry for entry in written.answer_key["irregular_deliveries"] if entry["purpose"] == "resupply"]
    assert again
    connection = written.database()
    (revised,) = connection.execute(
        """
        select count(*)
        from rows_police_crimes as again
        inner join rows_police_crimes as before
            on again.supplier = before.supplier
                and again.crime_reference = before.crime_reference
                and before.delivery < again.delivery
        where list_contains($again, again.supplier || '/' || again.delivery)
            and again.characteristics_recorded is distinct from before.characteristics_recorded
        """,
        {"again": [entry["delivery"] for entry in again]},
    ).fetchone() or (0,)
    assert revised > 0


def test_a_row_says_what_was_known_at_the_end_of_its_period(small_rows: duckdb.DuckDBPyConnection) -> None:
    connection = small_rows
    days = {
        "police_crimes": ("recorded_date", "outcome_date"),
        "cps_receipts": ("received_date", "triage_date", "prosecutor_allocated_date"),
        "cps_decisions": ("decision_date", "charged_date", "reopened_date"),
        "cps_prosecution_outcomes": ("first_hearing_date", "crown_court_receipt_date", "finalised_date"),
    }
    for kind, columns in days.items():
        latest = " or ".join(f"try_cast({column} as date) > '2020-11-30'" for column in columns)
        found = connection.execute(
            f"""
            select count(*) from rows_{kind}
            where delivery < '2021' and delivery not like '%again' and ({latest})
                and not {" and not ".join(f"coalesce({column}, '') = '2099-12-31'" for column in columns)}
            """
        ).fetchone()
        assert found == (0,), kind


@pytest.mark.parametrize("kind", ["cps_decisions", "cps_prosecution_outcomes"])
def test_what_is_decided_and_prosecuted_bears_the_flags_of_the_receipt(
    small_rows: duckdb.DuckDBPyConnection, kind: str
) -> None:
    # Not the receipts whose flags were put right in a delivery that was sent again, and no planted defect.
    found = small_rows.execute(
        f"""
        select
            count(*),
            count(*) filter (where record.monitoring_flags is distinct from receipt.monitoring_flags)
        from {kind} as record
        inner join (
            from cps_receipts
            qualify row_number() over (partition by urn, suspect_number order by received_date desc) = 1
        ) as receipt using (urn, suspect_number)
        where coalesce(receipt.monitoring_flags, '') not like '%VIVM%'
            and 'not_a_code' not in (coalesce(receipt.monitoring_flags, ''), coalesce(record.monitoring_flags, ''))
        """
    ).fetchone() or (0, 1)
    assert found[0] > 300
    assert found[1] == 0


def test_cases_that_were_open_when_the_history_begins_are_carried_in(small_rows: duckdb.DuckDBPyConnection) -> None:
    connection = small_rows
    (decided, known) = connection.execute(
        """
        select
            count(*),
            count(*) filter (where exists (
                select 1 from cps_receipts as receipt
                where receipt.urn = decision.urn and receipt.suspect_number = decision.suspect_number
                    and receipt.received_date < '2018'
            ))
        from cps_decisions as decision
        where decision_date between '2018-01-01' and '2018-02-28'
        """
    ).fetchone() or (0, 0)
    assert decided > 50
    assert known / decided > 0.4
