"""A process that runs the intake of homes, one after the other, and may be killed while it does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rasso.settings import Settings


class Runner:
    """Runs the intake of a home in a process that may be killed."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("killing.py"))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, settings: Settings, **job: object) -> tuple[int, list[str]]:
        """Exit status, negative for a signal, and the side effects of a run that came to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"home": str(settings.root), **job}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["status"], answer["seen"]

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.close()
