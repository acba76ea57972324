"""Invariant 8: on a full disk nothing is lost, nobody is blamed, and the next sweep finishes the work."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.crimes import ESSEX, KENT, SURREY, Forces, new_forces
from warehouse.replay import compare
from warehouse.verification import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.conftest import Runner

DISK = 40 << 20
# Kilobytes: in the long form each step of the intake meets the end once.
LEFT = (0, 8, 32, 64, 96, 128, 192, 256, 384, 512, 1024)
SHORT_FORM = (32, 384, 1024)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["/usr/bin/mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here; run as root where mount is allowed")
    yield folder
    subprocess.run(["/usr/bin/umount", "--lazy", str(folder)], check=True)


def _fill(folder: Path, left_kilobytes: int) -> Path:
    """Fill a file system until so much is left; returns the file that fills it."""
    filler = folder / "filler"
    free = os.statvfs(folder)
    size = free.f_bavail * free.f_frsize - (left_kilobytes << 10)
    with filler.open("wb") as out:
        os.posix_fallocate(out.fileno(), 0, max(1, size))
    return filler


def _land(forces: Forces) -> None:
    forces.land(KENT, 20, bad_rows=[7])
    forces.land(ESSEX, 20)
    forces.land(SURREY, 20)
    (forces.settings.root / "crimes.csv").unlink()


@pytest.mark.parametrize("lefts", [SHORT_FORM, pytest.param(LEFT, marks=pytest.mark.long)], ids=["some", "all"])
def test_whatever_step_the_disk_ends_in_the_next_sweep_finishes_the_work(
    disk: Path, tmp_path: Path, runner: Runner, lefts: tuple[int, ...]
) -> None:
    quiet = new_forces(tmp_path / "quiet")
    _land(quiet)
    landing = tmp_path / "landing"
    shutil.copytree(quiet.settings.landing, landing)
    assert runner.run(quiet.settings)[0] == 0
    site = disk / "site-as-served"
    site.write_text("the last release")
    statuses, found = {}, {}
    for left in lefts:
        shutil.rmtree(disk / "home", ignore_errors=True)
        forces = new_forces(disk)
        shutil.copytree(landing, forces.settings.landing, dirs_exist_ok=True)
        filler = _fill(disk, left)
        statuses[left], _ = runner.run(forces.settings)
        assert site.read_text() == "the last release"
        filler.unlink()
        assert runner.run(forces.settings)[0] == 0, left
        compared = compare(quiet.settings, forces.settings, 0)
        found[left] = [table for table in compared.tables if not table.is_equal]
        found[left] += [check for check in verify(forces.settings, reads_archive=False) if not check.has_passed]
    assert {left: what for left, what in found.items() if what} == {}
    failed = [left for left, status in statuses.items() if status]
    assert failed == list(lefts[: len(failed)])
    assert len(failed) > len(lefts) // 2  # a disk that is never full would prove nothing
