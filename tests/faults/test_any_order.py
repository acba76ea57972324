"""Invariants 1, 2, 4 and 10: the same deliveries lead to the same rows, whatever their order, batching and repetition.

Marts follow from the rows and from which deliveries count (``sent_at``, never the order of arrival), so both are
compared with what the ordered history led to. Processes are killed on the way.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.crimes import ESSEX, KENT, SURREY, Forces, new_forces
from warehouse.ledger import SENT_AGAIN
from warehouse.verification import verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.faults.conftest import Runner

KILLED = -9


@dataclass(frozen=True)
class Step:
    """Some deliveries arrive at once and are received; ``kill_at`` is the side effect of the first attempt, 0 none."""

    deliveries: tuple[int, ...]
    kill_at: int


@dataclass(frozen=True)
class History:
    """Deliveries that lie ready, and what the ordered history of them led to."""

    folder: Path
    names: Sequence[Path]
    expected: dict[str, list[tuple[Any, ...]]]


def _land_all(forces: Forces) -> None:
    """Late months, resupplies of a month, a correction that has a row less, and what it corrected once more."""
    forces.land(KENT, 20, month="2020-10", bad_rows=[3])
    forces.land(KENT, 20, month="2020-11")
    forces.land(KENT, 19, month="2020-11", sent_after_days=9)
    forces.land(KENT, 20, month="2020-11", sent_after_days=12)
    forces.land(ESSEX, 20, month="2020-11", bad_rows=[1])
    forces.land(ESSEX, 20, month="2020-11", sent_after_days=9)
    forces.land(SURREY, 20, month="2020-10")


def what_counts(forces: Forces) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of extracts, quarantined rows, and the accepted deliveries."""
    return {
        "rows": forces.rows("select * from lake.extracts.police_crimes order by delivery_id, file_id, row_number"),
        "quarantined": forces.rows("select * from lake.ledger.quarantined_row order by all"),
        "accepted": forces.rows(
            f"""
            select delivery_id, delivery.supplier, greatest(max(delivery.sent_at), max(again.sent_at))
            from lake.ledger.delivery as delivery left join {SENT_AGAIN} as again using (delivery_id)
            where state = 'accepted' group by all order by all
            """
        ),
    }


def _arrive(forces: Forces, source: Path, *, as_another: bool) -> None:
    """Copy a delivery into the landing folder, as it is or under another name."""
    name = f"{source.name}-again" if as_another else source.name
    target = forces.settings.landing / source.parent.name / name
    if not target.exists():
        shutil.copytree(source, target)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, runner: Runner) -> History:
    """Received one after the other in the order in which they were sent."""
    folder = tmp_path_factory.mktemp("orders")
    ready = new_forces(folder / "ready")
    _land_all(ready)
    names = sorted(ready.settings.landing.glob("*/*"), key=lambda path: (path.name, path.parent.name))
    ordered = new_forces(folder / "ordered")
    for name in names:
        _arrive(ordered, name, as_another=False)
        assert runner.run(ordered.settings)[0] == 0
    expected = what_counts(ordered)
    assert (len(expected["accepted"]), len(names)) == (6, 7)
    return History(folder, names, expected)


STEPS = st.lists(
    st.builds(
        Step,
        st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True).map(tuple),
        st.one_of(st.just(0), st.integers(1, 150)),
    ),
    min_size=1,
    max_size=4,
)


def _check(history: History, runner: Runner, steps: Sequence[Step]) -> None:
    """Let steps happen, then whatever has not arrived yet; see that everything is as in the ordered history."""
    shutil.rmtree(history.folder / "home", ignore_errors=True)
    forces = new_forces(history.folder)
    seen: set[int] = set()
    for step in [*steps, Step(tuple(range(7)), 0)]:
        for number in step.deliveries:
            _arrive(forces, history.names[number], as_another=number in seen)
        seen |= set(step.deliveries)
        if step.kill_at:
            assert runner.run(forces.settings, kill_at=step.kill_at)[0] in (KILLED, 0)
        assert runner.run(forces.settings)[0] == 0
    assert what_counts(forces) == history.expected
    assert list(forces.settings.landing.glob("*/*")) == []
    assert [check.title for check in verify(forces.settings, reads_archive=False) if not check.has_passed] == []


def _property(examples: int) -> Any:  # noqa: ANN401 - a decorator of hypothesis
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],  # to shrink takes longer than to read the steps that failed
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@_property(2)
@given(steps=STEPS)
def test_some_orders_lead_to_the_rows_of_the_ordered_history(
    history: History, runner: Runner, steps: list[Step]
) -> None:
    _check(history, runner, steps)


@pytest.mark.long
@_property(60)
@given(steps=STEPS)
def test_any_order_leads_to_the_rows_of_the_ordered_history(
    history: History, runner: Runner, steps: list[Step]
) -> None:
    _check(history, runner, steps)


def test_a_delivery_that_is_left_out_would_be_noticed(history: History, runner: Runner) -> None:
    shutil.rmtree(history.folder / "home", ignore_errors=True)
    forces = new_forces(history.folder)
    for name in history.names[1:]:
        _arrive(forces, name, as_another=False)
    assert runner.run(forces.settings)[0] == 0
    assert what_counts(forces) != history.expected
