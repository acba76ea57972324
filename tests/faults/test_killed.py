"""Invariant 5: killed at any side effect and run again, intake, decision and linkage end as the uninterrupted run."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from rasso.settings import Settings
from tests.crimes import ESSEX, KENT, SURREY, new_forces
from warehouse.journal import FOLDER as JOURNAL
from warehouse.keys import read_keys
from warehouse.lake import attached
from warehouse.replay import compare
from warehouse.vault import TABLE as VAULT
from warehouse.vault import originals
from warehouse.verification import verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.faults.conftest import Runner

KILLED = -9
RANDOM_KILLS = 200
SHORT_FORM = 4  # of the side effects, spread over the run; the long form takes each of them


@dataclass(frozen=True)
class Waiting:
    """A home with three deliveries in its landing folder, of which each copy begins anew, at the same place."""

    template: Path
    settings: Settings
    quiet: Settings
    effects: Sequence[str]

    def begin(self) -> None:
        """Everything as it was before the first run."""
        shutil.rmtree(self.settings.root, ignore_errors=True)
        shutil.copytree(self.template, self.settings.root)


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory, runner: Runner) -> Waiting:
    """Kent is accepted with a row quarantined and received again, Essex held and released, Surrey accepted.

    With the quiet run as reference.
    """
    folder = tmp_path_factory.mktemp("killed")
    forces = new_forces(folder)
    forces.land(KENT, 20, bad_rows=[7])
    forces.land(ESSEX, 20, bad_rows=range(1, 16))
    forces.land(SURREY, 20)
    (forces.settings.root / "crimes.csv").unlink()
    template = folder / "template"
    shutil.copytree(forces.settings.root, template)
    status, effects = runner.run(forces.settings, is_again=True)
    assert status == 0
    quiet = folder / "quiet"
    shutil.copytree(forces.settings.root, quiet)
    return Waiting(template, forces.settings, Settings(home=quiet, as_of=forces.settings.as_of), effects)


def what_is_kept(settings: Settings) -> dict[str, Any]:
    """Everything beside the lake that a run leaves: archive, journal, vault, reports, and what should be gone."""

    def names(folder: Path, pattern: str) -> list[str]:
        """What has its name; what was being written when the run was killed is a notice of ``rasso verify``."""
        return sorted(str(path.relative_to(folder)) for path in folder.glob(pattern) if path.name[0] != ".")

    with originals(settings, read_keys(settings), "compare") as connection:
        references = connection.execute(f"select entity, token, scope, original from {VAULT} order by all").fetchall()
    return {
        "archive": names(settings.archive, "??/*"),
        "journal": names(settings.archive / JOURNAL, "*"),
        "references": references,
        "reports": names(settings.reports, "**/*"),
        "landing": sorted(path.name for path in settings.landing.rglob("*") if path.parent != settings.landing),
        "staged": names(settings.lake / "staged", "*"),
    }


def differences(waiting: Waiting) -> dict[str, object]:
    """What is not as after the quiet run."""
    found: dict[str, object] = {
        table.table: table for table in compare(waiting.quiet, waiting.settings, 0).tables if not table.is_equal
    }
    ours, quiet = what_is_kept(waiting.settings), what_is_kept(waiting.quiet)
    found |= {name: (ours[name], quiet[name]) for name in quiet if ours[name] != quiet[name]}
    found |= {
        check.title: check.findings for check in verify(waiting.settings, reads_archive=False) if not check.has_passed
    }
    return found


def killed_and_run_again(waiting: Waiting, runner: Runner, **job: object) -> dict[str, object]:
    """Kill a run, run again to the end; returns what differs from the quiet run."""
    waiting.begin()
    status, _ = runner.run(waiting.settings, is_again=True, **job)
    assert status in (KILLED, 0)
    assert runner.run(waiting.settings, is_again=True)[0] == 0
    return differences(waiting)


def test_an_uninterrupted_run_equals_another_and_the_next_changes_nothing(waiting: Waiting, runner: Runner) -> None:
    waiting.begin()
    for _ in range(2):
        assert runner.run(waiting.settings, is_again=True)[0] == 0
    assert differences(waiting) == {}
    _check_that_a_doubled_row_is_found(waiting)


def _check_that_a_doubled_row_is_found(waiting: Waiting) -> None:
    """Or the comparison, and with it every test here, would prove nothing."""
    with attached(waiting.settings) as connection:
        connection.execute(
            "insert into lake.extracts.police_crimes from lake.extracts.police_crimes where row_number = 1"
        )
    assert "extracts.police_crimes" in differences(waiting)


def test_every_kind_of_side_effect_is_seen(waiting: Waiting) -> None:
    """Each file of the finished home was announced, those apart that DuckDB and the reading processes write."""
    seen = {effect.partition(" ")[2] for effect in waiting.effects}
    kept = {
        str(path.relative_to(waiting.quiet.root))
        for folder in (waiting.quiet.archive, waiting.quiet.reports)
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert kept - seen == set()
    for what in ("write archive/", "rename archive/journal/", "rename reports/index.html", "before a commit", "rmdir "):
        assert any(effect.startswith(what) for effect in waiting.effects), what
    assert waiting.effects.count("before a commit") == waiting.effects.count("after a commit") >= 7


def test_a_run_that_is_killed_has_not_come_to_its_end(waiting: Waiting, runner: Runner) -> None:
    """The guard of all others: a kill that does not happen would prove nothing."""
    waiting.begin()
    assert runner.run(waiting.settings, is_again=True, kill_at=len(waiting.effects) // 2) == (KILLED, [])
    assert differences_or_fault(waiting)


def differences_or_fault(waiting: Waiting) -> object:
    """What differs in a home that is not finished, which may not even have a lake that can be compared."""
    try:
        return differences(waiting)
    except duckdb.Error as error:
        return error


def _chosen(effects: Sequence[str]) -> list[int]:
    """Half of them behind a commit, where two stores may differ, the others anywhere; and one in the tidying up."""
    commits = [number for number, effect in enumerate(effects, start=1) if effect == "after a commit"]
    tidying_up = next(number for number, effect in enumerate(effects, start=1) if effect == "remove crimes.csv")
    return sorted({*_spread(range(1, len(effects) + 1)), *_spread(commits), tidying_up})


def _spread(numbers: Sequence[int]) -> Sequence[int]:
    count = SHORT_FORM // 2
    return [numbers[(2 * place + 1) * len(numbers) // (2 * count)] for place in range(count)]


def test_killed_at_some_side_effects_a_run_ends_as_the_quiet_one(waiting: Waiting, runner: Runner) -> None:
    found = {
        f"{number}: {waiting.effects[number - 1]}": killed_and_run_again(waiting, runner, kill_at=number)
        for number in _chosen(waiting.effects)
    }
    assert {where: what for where, what in found.items() if what} == {}


@pytest.mark.long
def test_killed_at_every_side_effect_a_run_ends_as_the_quiet_one(waiting: Waiting, runner: Runner) -> None:
    found = {
        f"{number}: {effect}": killed_and_run_again(waiting, runner, kill_at=number)
        for number, effect in enumerate(waiting.effects, start=1)
    }
    assert {where: what for where, what in found.items() if what} == {}


@pytest.mark.long
def test_killed_at_random_times_a_run_ends_as_the_quiet_one(waiting: Waiting, runner: Runner) -> None:
    """Inside DuckDB, too, where no side effect of ours is counted."""
    chance = random.Random(1992)  # noqa: S311 - no secret
    found = {}
    for _ in range(RANDOM_KILLS):
        seconds = chance.uniform(0.0, 2.5)
        found[f"{seconds:.4f}"] = killed_and_run_again(waiting, runner, kill_after=seconds)
    assert {when: what for when, what in found.items() if what} == {}
