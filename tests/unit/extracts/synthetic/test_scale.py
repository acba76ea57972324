"""Rows grow with the scale, memory does not."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_CODE = """
import json, resource, sys
from pathlib import Path
from extracts.period import Period
from extracts.synthetic.request import Request
from extracts.synthetic.synthesise import synthesise
into, scale = Path(sys.argv[1]), float(sys.argv[2])
written = synthesise(Request(into, Period.parse("2020-01..2020-12"), scale=scale))
print(json.dumps([written.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
_SCALES = (0.1, 0.5)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, float]]:
    """Rows and peak memory (MiB) of a process of its own for each scale."""
    return [_measure(tmp_path_factory.mktemp("scale") / "extracts", scale) for scale in _SCALES]


def _measure(into: Path, scale: float) -> tuple[int, float]:
    command = [sys.executable, "-c", _CODE, str(into), str(scale)]
    rows, peak = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return rows, peak


def test_rows_grow_as_the_scale_does(measured: list[tuple[int, float]]) -> None:
    (few, _), (many, _) = measured
    # Panels meet at any scale: 14 panels with about 30 rows a month.
    panels = 14 * 30 * 12
    assert (many - panels) / (few - panels) == pytest.approx(_SCALES[1] / _SCALES[0], rel=0.08)


def test_memory_does_not_grow_with_the_scale(measured: list[tuple[int, float]]) -> None:
    (few, small_peak), (many, large_peak) = measured
    bytes_in_rows = (many - few) * 100  # what a list of the further rows would take at the very least
    assert large_peak - small_peak < min(20, bytes_in_rows / 2**20 / 1.5)
