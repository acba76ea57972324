"""Deliveries that are received together: each gets its own verdict, its own counts, its own feedback."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from extracts.delivery import LandedDelivery, deliver
from extracts.period import Period
from tests.crimes import ESSEX, KENT, SURREY, Forces, new_forces
from tests.homes import prepared_home
from warehouse import intake
from warehouse.arrival import Landed
from warehouse.intake import IntakeError, in_groups
from warehouse.keys import make_keys

if TYPE_CHECKING:
    from pathlib import Path

    from rasso.settings import Settings


@pytest.fixture
def forces(tmp_path: Path) -> Forces:
    return new_forces(tmp_path)


def _landed(folder: Path, supplier: str, name: str, byte_count: int = 1) -> Landed:
    path = folder / supplier / name
    path.mkdir(parents=True)
    (path / "file.csv").write_bytes(b"x" * byte_count)
    return Landed.of(LandedDelivery(supplier, name, path, f"{supplier}-{name}"))


def test_a_group_holds_one_delivery_of_a_supplier_and_keeps_each_supplier_s_order(
    settings: Settings, tmp_path: Path
) -> None:
    arrivals = [_landed(tmp_path, supplier, name) for supplier in (ESSEX, KENT) for name in ("1", "2")]
    groups = in_groups(settings, [*arrivals, _landed(tmp_path, KENT, "3")])
    names = [[(arrival.supplier, arrival.name) for arrival in group] for group in groups]
    assert names == [[(ESSEX, "1"), (KENT, "1")], [(ESSEX, "2"), (KENT, "2")], [(KENT, "3")]]


def test_large_deliveries_are_received_alone(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "GROUP_BYTES", 1000)
    sizes = {ESSEX: 600, KENT: 300, SURREY: 5000}
    groups = in_groups(settings, [_landed(tmp_path, supplier, "1", size) for supplier, size in sizes.items()])
    assert [[arrival.supplier for arrival in group] for group in groups] == [[ESSEX, KENT], [SURREY]]


def test_each_delivery_of_a_group_is_counted_by_itself(forces: Forces) -> None:
    forces.land(ESSEX, 3)
    forces.land(KENT, 5, bad_rows=[2, 4])
    outcomes = forces.receive()
    counts = {name: (o.state, o.rows_loaded, o.rows_quarantined) for name, o in outcomes.items()}
    assert counts == {ESSEX: ("accepted", 3, 0), KENT: ("accepted", 3, 2)}
    recorded = """
        select delivery.supplier, rule.tested_count, rule.failed_count
        from lake.ledger.rule_result as rule inner join lake.ledger.delivery as delivery using (hand_over_id)
        where rule.rule_id = 'PC-010' order by all
    """
    assert forces.rows(recorded) == [(ESSEX, 3, 0), (KENT, 5, 2)]
    quarantined = """
        select delivery.supplier, row.file_id, row.row_number, row.rule_ids
        from lake.ledger.quarantined_row as row inner join lake.ledger.delivery as delivery using (delivery_id)
        order by all
    """
    assert forces.rows(quarantined) == [(KENT, 1, 2, "PC-010"), (KENT, 1, 4, "PC-010")]
    loaded = """
        select delivery.supplier, crime.file_id, crime.row_number
        from lake.extracts.police_crimes as crime inner join lake.ledger.delivery as delivery using (delivery_id)
        order by all
    """
    assert forces.rows(loaded) == [
        (ESSEX, 1, 1),
        (ESSEX, 1, 2),
        (ESSEX, 1, 3),
        (KENT, 1, 1),
        (KENT, 1, 3),
        (KENT, 1, 5),
    ]


def test_the_same_key_in_two_deliveries_of_a_group_is_no_repetition(forces: Forces) -> None:
    path = forces.settings.root / "meeting.csv"
    path.write_text(
        "force_code,meeting_date,roles_present,items_discussed_count,decisions_taken_count\n"
        "01,2020-11-12,police_rasso_lead|cps_rasso_head,4,1\n",
        encoding="utf-8",
    )
    for panel in ("joint-panel-london-north", "joint-panel-london-south"):
        deliver(
            forces.settings.landing, [path], panel, "joint_meetings",
            period=Period.parse("2020-11"), sent_at=datetime(2020, 12, 4, tzinfo=UTC), is_synthetic=True,
        )  # fmt: skip
    assert {o.supplier: (o.state, o.rows_quarantined) for o in forces.receive().values()} == {
        "joint-panel-london-north": ("accepted", 0),
        "joint-panel-london-south": ("accepted", 0),
    }


def test_a_supplier_s_feedback_names_its_own_rows_only(forces: Forces) -> None:
    forces.land(ESSEX, 4, bad_rows=[4])
    forces.land(KENT, 4, bad_rows=[1])
    feedback = {
        name: [row["row_number"] for row in csv.DictReader(outcome.report.with_name("feedback.csv").open())]
        for name, outcome in forces.receive().items()
    }
    assert feedback == {ESSEX: ["4"], KENT: ["1"]}


def test_a_held_delivery_holds_no_other_of_its_group(forces: Forces) -> None:
    forces.land(ESSEX, 3)
    forces.land(KENT, 30, bad_rows=range(1, 16))  # more than may be quarantined
    outcomes = forces.receive()
    assert {name: outcome.state for name, outcome in outcomes.items()} == {ESSEX: "accepted", KENT: "held"}
    assert forces.rows("select count(*) from lake.extracts.police_crimes") == [(3,)]
    assert forces.rows("select count(*) from lake.ledger.quarantined_row") == [(0,)]


def test_a_fault_of_ours_in_one_delivery_stops_no_other_of_its_group(forces: Forces) -> None:
    for supplier in (ESSEX, KENT, SURREY):
        forces.land(supplier, 2)
    (forces.settings.reports / KENT).write_text("a file where a folder has to be", encoding="utf-8")
    with pytest.raises(IntakeError, match=KENT):
        forces.receive()
    accepted = forces.rows("select supplier from lake.ledger.delivery where state = 'accepted' order by all")
    assert accepted == [(ESSEX,), (SURREY,)]
    assert [path.parent.name for path in forces.settings.landing.glob("*/*")] == [KENT]


def test_real_and_synthetic_deliveries_that_wait_together_are_not_mixed(forces: Forces) -> None:
    forces.land(ESSEX, 2)
    forces.land(KENT, 2, is_synthetic=False)
    outcomes = forces.receive()
    assert {name: outcome.state for name, outcome in outcomes.items()} == {ESSEX: "accepted", KENT: "held"}
    assert "this home holds synthetic figures" in (outcomes[KENT].reason or "")


@pytest.mark.parametrize(
    ("is_development", "is_synthetic", "verdict"),
    [
        (True, False, ("held", "DEVELOPMENT_KEY")),
        (True, True, ("accepted", None)),
        (False, False, ("accepted", None)),
        (False, True, ("accepted", None)),
    ],
)
def test_real_case_references_are_not_taken_in_under_a_development_key(
    tmp_path: Path, is_development: bool, is_synthetic: bool, verdict: tuple[str, str | None]
) -> None:
    settings = prepared_home(tmp_path / "home", as_of=date(2021, 1, 15), key_file=tmp_path / "keys.json")
    make_keys(settings, development=is_development)
    forces = Forces(settings)
    forces.land(KENT, 2, is_synthetic=is_synthetic)

    (outcome,) = forces.receive().values()

    assert forces.rows("select state, reason_code from lake.ledger.delivery") == [verdict]
    assert ("rasso make-key" in (outcome.reason or "")) == (verdict[0] == "held")
    assert (settings.vault / "vault.duckdb").exists() == (verdict[0] == "accepted")


def test_a_group_takes_one_commit_for_its_rows(forces: Forces) -> None:
    for supplier in (ESSEX, KENT, SURREY):
        forces.land(supplier, 2)
    forces.receive()
    files = "select count(distinct filename) from lake.extracts.police_crimes"
    assert forces.rows(files) == [(1,)]
