"""What a supplier corrects and then sends again as it was at first counts again, though its rows are loaded once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.crimes import KENT, Forces, new_forces
from warehouse import ledger
from warehouse.keys import read_keys
from warehouse.lake import attached
from warehouse.linkage import link
from warehouse.status import current_status

if TYPE_CHECKING:
    from pathlib import Path


def land_and_receive(forces: Forces, rows: int, sent_after_days: int) -> str:
    """One hand-over of Kent's month; what became of it."""
    forces.land(KENT, rows, sent_after_days=sent_after_days)
    return forces.receive()[KENT].state


def pretend_to_build(forces: Forces) -> None:
    """As a build that has just begun and succeeded is recorded."""
    with attached(forces.settings) as connection:
        connection.execute(
            "insert into lake.ledger.build (build_id, started_at, ended_at, status) values ('b', ?, ?, 'succeeded')",
            [ledger.now(), ledger.now()],
        )


def test_it_is_built_and_linked_anew_where_it_was_sent_later_and_only_there(tmp_path: Path) -> None:
    forces = new_forces(tmp_path)
    keys = read_keys(forces.settings)
    assert land_and_receive(forces, 20, 4) == "accepted"
    pretend_to_build(forces)
    assert land_and_receive(forces, 20, 5) == "duplicate"
    assert not current_status(forces.settings).needs_build  # nothing was said in between

    assert land_and_receive(forces, 19, 9) == "accepted"
    link(forces.settings, keys)
    pretend_to_build(forces)
    assert land_and_receive(forces, 20, 4) == "duplicate"  # the sender tried twice
    assert not current_status(forces.settings).needs_build
    assert link(forces.settings, keys).run_id is None

    assert land_and_receive(forces, 20, 12) == "duplicate"
    assert current_status(forces.settings).needs_build
    assert link(forces.settings, keys).run_id is not None
    assert link(forces.settings, keys).run_id is None
    for rows, sent_after_days in ((19, 14), (20, 16)):  # and back and forth
        pretend_to_build(forces)
        assert land_and_receive(forces, rows, sent_after_days) == "duplicate"
        assert current_status(forces.settings).needs_build
    assert forces.rows("select count(*) from lake.extracts.police_crimes") == [(39,)]
