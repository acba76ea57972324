"""``rasso synthesise``: what it prints, and what it refuses in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

RASSO = Path(sys.executable).with_name("rasso")


def synthesise(into: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(RASSO), "synthesise", "--into", str(into), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_writes_the_folder_and_the_answer_key_beside_it(tmp_path: Path) -> None:
    into = tmp_path / "extracts"
    arguments = ("--months", "2020-11..2020-12", "--scale", "0.02", "--layout", "monthly", "--seed", "7")
    written = synthesise(into, *arguments, "--row-defects", "0", "--defect", "PC-005=2", "--defect", "PC-005=1")
    assert written.returncode == 0, written.stderr
    assert f"to {into}" in written.stdout
    key = json.loads((tmp_path / "extracts.answer_key.json").read_bytes())
    assert key["arguments"]["seed"] == 7
    assert key["arguments"]["defects"] == {"PC-005": 3}
    assert sum(defect["rule"] == "PC-005" for defect in key["defects"]) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "extracts",
        "extracts.answer_key.json",
        "extracts.true_links.csv",
    ]
    again = synthesise(into, *arguments)
    assert again.returncode == 1
    assert again.stderr.startswith("error: ")
    assert "is not empty; name a new folder" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--months", "2020-13"), "there is no month 2020-13"),
        (("--months", "last year"), "write 2014-03 or 2017-04..2018-03"),
        (("--scale", "-1"), "not more than 0"),
        (("--scale", "5000"), "choose a smaller --scale"),
        (("--defect", "PC-005"), "write a rule and a count, such as PC-026=5"),
        (("--defect", "XX-005=1"), "no defect trips 'XX-005' alone"),
    ],
    ids=["month", "words", "scale", "too_large", "count", "rule"],
)
def test_a_wrong_argument_is_one_line_and_writes_nothing(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    answer = synthesise(tmp_path / "extracts", *arguments)
    assert answer.returncode == 1
    assert message in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
