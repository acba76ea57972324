"""dbt ends with the process that started it, so that it never writes beside the next holder of the lock."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-P", "-m", "transforms.watched_dbt"]


def start(folder: Path, words: str) -> subprocess.Popen[str]:
    """Start the watched process with a stand-in for dbt, so that the test needs no lake."""
    package = folder / "dbt" / "cli"
    package.mkdir(parents=True)
    for init in (folder / "dbt" / "__init__.py", package / "__init__.py"):
        init.touch()
    (package / "main.py").write_text(f"import time\ndef cli():\n    {words}\n", encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.Popen(COMMAND, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_dbt_ends_when_its_starter_is_gone(tmp_path: Path) -> None:
    with start(tmp_path, "print('at work', flush=True); time.sleep(600)") as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == "at work\n"
        process.stdin.close()
        assert process.wait(timeout=30) == os.EX_TEMPFAIL


def test_dbt_that_is_watched_ends_by_itself_with_its_own_code(tmp_path: Path) -> None:
    with start(tmp_path, "raise SystemExit(7)") as process:
        assert process.wait(timeout=30) == 7
