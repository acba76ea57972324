"""Equal arguments give equal bytes, whatever the process; those of a CPS Area are the same beside others or alone."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from extracts.period import Period
from extracts.synthetic.request import Request
from extracts.synthetic.synthesise import synthesise
from tests.suppliers import suppliers_of

if TYPE_CHECKING:
    from pathlib import Path

_CODE = """
import sys
from pathlib import Path
from extracts.period import Period
from extracts.synthetic.request import Request
from extracts.synthetic.synthesise import synthesise
synthesise(Request(Path(sys.argv[1]), Period.parse("2019-11..2020-12"), scale=0.03, seed=int(sys.argv[2])))
"""


def _hashes(folder: Path, *, seed: int, hash_seed: int) -> dict[str, str]:
    """Hash of every file that a fresh process writes, by its path."""
    into = folder / "extracts"
    folder.mkdir()
    environment = os.environ | {"PYTHONHASHSEED": str(hash_seed), "TZ": "Pacific/Auckland" if hash_seed else "UTC"}
    subprocess.run([sys.executable, "-c", _CODE, str(into), str(seed)], env=environment, check=True)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_two_processes_write_the_same_bytes_and_another_seed_writes_others(tmp_path: Path) -> None:
    first = _hashes(tmp_path / "first", seed=1992, hash_seed=0)
    second = _hashes(tmp_path / "second", seed=1992, hash_seed=4711)
    other = _hashes(tmp_path / "other", seed=1993, hash_seed=0)
    assert len(first) > 400
    assert first == second
    assert first != other


def test_an_area_alone_is_written_as_beside_all_others(tmp_path: Path) -> None:
    def written(name: str, areas: frozenset[str]) -> dict[str, dict[str, bytes]]:
        """Extracts by supplier and path."""
        into = tmp_path / name
        months = Period.parse("2020-11..2020-12")
        synthesise(Request(into, months, scale=0.05, row_defects=0, delivery_defects=0, areas=areas))
        return {
            folder.name: {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.csv")}
            for folder in into.iterdir()
        }

    everybody, alone = written("all", frozenset()), written("alone", frozenset({"13"}))
    own = suppliers_of({"13"})
    # The British Transport Police has cases in every Area.
    assert set(alone) == own | {"british-transport-police"}
    assert {supplier: everybody[supplier] for supplier in own} == {supplier: alone[supplier] for supplier in own}
    assert all(alone.values())
