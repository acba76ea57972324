"""Process guards: a process that reads case references or keys leaves no core dump."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rasso.settings import Settings
from warehouse.keys import make_keys

ROOT = Path(__file__).parents[3]
_PROGRAM = """
import ctypes, resource, sys
from pathlib import Path
from rasso.settings import Settings
settings = Settings(home=Path(sys.argv[1]) / "home", key_file=Path(sys.argv[1]) / sys.argv[3])

def dumpable():
    return ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)

before = dumpable()
exec(sys.argv[2])
print(before, dumpable(), *resource.getrlimit(resource.RLIMIT_CORE))
"""
READING = "import os; from extracts.staging import main; main(os.getppid(), 1 << 33)"
READ_KEYS = "from warehouse.keys import read_keys; read_keys(settings)"
MAKE_KEYS = "from warehouse.keys import make_keys; make_keys(settings, development=True)"


def _told(folder: Path, statement: str, key_file: str = "keys.json") -> list[str]:
    """Whether a process could be dumped before and after a statement, and how large a dump may be then."""
    program = [sys.executable, "-c", _PROGRAM, str(folder), statement, key_file]
    answer = subprocess.run(program, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return answer.stdout.split()


@pytest.mark.parametrize(
    ("statement", "key_file"),
    [(READING, "keys.json"), (READ_KEYS, "keys.json"), (MAKE_KEYS, "new.json")],
    ids=["reading", "read_keys", "make_keys"],
)
def test_a_process_that_knows_references_or_keys_leaves_no_core_dump(
    tmp_path: Path, statement: str, key_file: str
) -> None:
    make_keys(Settings(home=tmp_path / "home", key_file=tmp_path / "keys.json"), development=True)

    assert _told(tmp_path, statement, key_file) == ["1", "0", "0", "0"]


def test_a_process_that_knows_nothing_could_be_dumped(tmp_path: Path) -> None:
    assert _told(tmp_path, "pass")[:2] == ["1", "1"]


def test_a_container_that_is_given_the_key_leaves_no_core_dump() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    keyed = [service for service in services.values() if "case_keys" in service.get("secrets", [])]

    assert len(keyed) == 5
    assert all(service["ulimits"] == {"core": 0} for service in keyed)
