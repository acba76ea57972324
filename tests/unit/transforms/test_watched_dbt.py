"""dbt ends with the process that started it, so that it never writes beside the next holder of the lock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-P", "-m", "transforms.watched_dbt"]
STEP = """
from types import SimpleNamespace as Name
def step(status, failures, message):
    return Name(node=Name(unique_id="model.rasso.mart_areas"), status=status, failures=failures, message=message)
def event(name, node_name, **counts):
    return Name(info=Name(name=name), data=Name(node_info=Name(node_name=node_name), **counts))
class dbtRunner:
    def __init__(self, callbacks):
        self.tell, = callbacks
    def invoke(self, arguments):
        print(*arguments)
"""
CONNECTIONS = """
class DuckDBConnectionManager:
    @classmethod
    def close_all_connections(cls):
        print("closed")
"""


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start the watched process with a stand-in for dbt, so that the test needs no lake."""
    cli, adapter = folder / "dbt" / "cli", folder / "dbt" / "adapters" / "duckdb"
    for package in (cli, adapter):
        package.mkdir(parents=True)
    for package in (folder / "dbt", cli, adapter.parent, adapter):
        (package / "__init__.py").touch()
    (cli / "main.py").write_text(STEP + "".join(f"        {line}\n" for line in words), encoding="utf-8")
    (adapter / "connections.py").write_text(CONNECTIONS, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.Popen(
        COMMAND, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def tell(process: subprocess.Popen[str], folder: Path) -> None:
    assert process.stdin
    process.stdin.write(json.dumps([str(folder / "results.json"), "build"]) + "\n")
    process.stdin.flush()


def test_dbt_that_is_told_nothing_makes_nothing(tmp_path: Path) -> None:
    with start(tmp_path, "pass") as process:
        assert process.stdin
        process.stdin.close()
        assert process.wait(timeout=30) == os.EX_TEMPFAIL
        assert process.stdout
        assert process.stdout.read() == ""


def test_dbt_ends_when_its_starter_is_gone(tmp_path: Path) -> None:
    with start(tmp_path, "import sys, time", "sys.stdout.flush()", "time.sleep(600)") as process:
        tell(process, tmp_path)
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == "build\n"
        process.stdin.close()
        assert process.wait(timeout=30) == os.EX_TEMPFAIL


@pytest.mark.parametrize(
    ("outcome", "code", "written"),
    [
        (
            "success=True, exception=None, result=Name(results=[step('success', None, 'OK')])",
            0,
            [("success", None, "error")],
        ),
        (
            "success=False, exception=None, result=Name(results=[step('error', None, 'Conversion Error: \"Jane\"')])",
            1,
            [("error", None, "Conversion Error")],
        ),
        ("success=False, exception=ValueError('Compilation Error in model x: \"Jane\"'), result=None", 2, []),
    ],
)
def test_what_became_of_each_step_is_written_without_values(
    tmp_path: Path, outcome: str, code: int, written: list[tuple[str, int | None, str]]
) -> None:
    with start(tmp_path, f"return Name({outcome})") as process:
        tell(process, tmp_path)
        assert process.wait(timeout=30) == code  # its standard input stays open: the end of it would end dbt
        assert process.stdout
        assert process.stderr
        assert process.stdout.read() == "build\nclosed\n"  # also what was said and not written out yet
        errors = process.stderr.read()
    steps = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [(step["status"], step["failures"], step["error"]) for step in steps] == written
    assert "Jane" not in errors
    assert ("Compilation Error" in errors) == (code == 2)


def test_each_finished_step_is_told_with_how_many_there_are(tmp_path: Path) -> None:
    steps = [
        "self.tell(event('LogStartLine', 'mart_areas', total=2))",
        "self.tell(event('LogModelResult', 'mart_areas', total=2))",
        "self.tell(event('LogTestResult', 'areas_add_up', num_models=2))",
        "return Name(success=True, exception=None, result=Name(results=[]))",
    ]
    with start(tmp_path, *steps) as process:
        tell(process, tmp_path)
        assert process.stdout
        assert process.stdout.read() == 'build\n[2, "mart_areas"]\n[2, "areas_add_up"]\nclosed\n'
