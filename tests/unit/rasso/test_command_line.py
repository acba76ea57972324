"""The command line: help, one clear line for a known error, and nothing written outside the home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from extracts.synthetic.aggregates import write_samples
from rasso.cli import app
from tests.homes import built_home

RASSO = Path(sys.executable).with_name("rasso")
COMMANDS = (
    *("deliver", "receive", "link", "build", "publish", "run", "status", "up"),
    *("contracts", "make-key", "synthesise", "release", "reject", "reprocess", "waive"),
    *("verify", "replay", "revisions", "explain"),
)


def rasso(home: Path, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(RASSO), *map(str, arguments)],
        env=os.environ | {"RASSO_HOME": str(home), "COLUMNS": "200"},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("RASSO_HOME", str(tmp_path / "home"))
    answer = CliRunner().invoke(app, [command, "--help"])
    assert answer.exit_code == 0
    assert "Usage" in answer.output
    assert not (tmp_path / "home").exists()


def test_the_program_lists_every_command(tmp_path: Path) -> None:
    answer = rasso(tmp_path / "home", "--help")
    assert answer.returncode == 0
    assert [command for command in COMMANDS if command not in answer.stdout] == []
    assert not (tmp_path / "home").exists()


def test_without_a_key_nothing_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RASSO_KEY_FILE", str(tmp_path / "absent.json"))
    sample = write_samples(tmp_path / "samples")[-1]
    handed_over = ("--supplier", sample.supplier, "--kind", sample.kind, "--synthetic")
    assert rasso(tmp_path / "home", "deliver", sample.path, *handed_over).returncode == 0
    answer = rasso(tmp_path / "home", "run")
    assert answer.returncode == 1
    assert "make one with: rasso make-key" in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
    assert len(list((tmp_path / "home" / "landing").glob("*/*/*.csv"))) == 1  # still waits
    assert [path for path in (tmp_path / "home" / "archive").rglob("*") if path.is_file()] == []


def test_nothing_waiting_is_said_and_is_no_failure(tmp_path: Path) -> None:
    answer = rasso(tmp_path / "home", "receive")
    assert (answer.returncode, answer.stdout.strip()) == (0, "no delivery waits in the landing folder")


def test_publishing_before_building_says_what_to_do(tmp_path: Path) -> None:
    answer = rasso(tmp_path / "home", "publish")
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: ")
    assert len(answer.stderr.strip().splitlines()) == 1


def test_the_home_is_for_its_owner_only_and_nothing_is_written_beside_it(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    assert rasso(tmp_path / "home", "status", cwd=work).returncode == 0
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert list(work.iterdir()) == []


def test_a_delivery_that_waits_and_one_that_arrives_are_in_the_status(tmp_path: Path) -> None:
    home = tmp_path / "home"
    sample = write_samples(tmp_path / "samples")[-1]
    handed_over = rasso(
        home, "deliver", sample.path, "--supplier", sample.supplier, "--kind", sample.kind, "--synthetic"
    )
    assert handed_over.returncode == 0, handed_over.stderr
    (home / "landing" / sample.supplier / "half-a-delivery").mkdir()
    status = json.loads(rasso(home, "status", "--format", "json").stdout)
    assert status["counts"] == {"waiting": 1, "arriving": 1}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("--supplier", "home-ofice"), "no contract names the supplier 'home-ofice'; there are: home-office, "),
        (("--kind", "police_crime"), "no contract for the kind 'police_crime'; there are: police_crimes, "),
        (("--supplier", "kent-police", "--kind", "cps_reviews"), "and not by kent-police"),
        (("--period", "2020"), "'2020' is no period; write 2014-03 or 2017-04..2018-03"),
    ],
    ids=["unknown_supplier", "unknown_kind", "kind_of_others", "no_period"],
)
def test_revisions_of_what_there_is_not_are_refused_in_one_line(
    tmp_path: Path, asked: tuple[str, ...], message: str
) -> None:
    answer = rasso(tmp_path / "home", "revisions", *asked)
    assert answer.returncode == 1
    assert message in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "home").exists()


def test_revisions_are_listed_as_asked_and_none_is_said(tmp_path: Path) -> None:
    home = tmp_path / "home"
    sample = write_samples(tmp_path / "samples")[-1]
    handed_over = ("--supplier", sample.supplier, "--kind", sample.kind, "--synthetic", "--period", str(sample.period))
    rasso(home, "deliver", sample.path, *handed_over)
    assert "1 accepted" in rasso(home, "receive").stdout
    assert "says again what an earlier one had said" in rasso(home, "revisions").stdout
    header, *rows = sample.path.read_text(encoding="utf-8").splitlines()
    sample.path.write_text("\n".join([header, *reversed(rows)]), encoding="utf-8")
    rasso(home, "deliver", sample.path, *handed_over)
    assert "1 accepted" in rasso(home, "receive").stdout

    table = rasso(home, "revisions", "--period", str(sample.period)).stdout
    assert "Revisions, sent last first" in table
    assert sample.supplier in table
    (revision,) = json.loads(rasso(home, "revisions", "--format", "json").stdout)["revisions"]
    assert (revision["kind"], revision["period"]) == (sample.kind, str(sample.period))
    assert [revision[count] for count in ("new", "changed", "same", "gone")] == [0, 0, 43, 0]
    assert json.loads(rasso(home, "revisions", "--format", "json", "--period", "2001-01").stdout) == {"revisions": []}


def test_a_second_up_on_the_same_home_is_refused(tmp_path: Path) -> None:
    import fasteners

    home = tmp_path / "home"
    assert rasso(home, "status").returncode == 0
    with fasteners.InterProcessLock(str(home / "up.lock")):
        answer = rasso(home, "up")
    assert answer.returncode == 1
    assert "another 'rasso up' already runs" in answer.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [({}, "is empty"), ({"notes.txt": "hello\n"}, "is an extract that a contract describes")],
    ids=["empty_folder", "no_extract"],
)
def test_a_folder_that_holds_no_extract_is_refused_before_anything_starts(
    tmp_path: Path, content: dict[str, str], message: str
) -> None:
    folder = tmp_path / "extracts"
    folder.mkdir()
    for name, text in content.items():
        (folder / name).write_text(text)
    answer = rasso(tmp_path / "home", "up", "--extracts", folder)
    assert answer.returncode == 1
    assert message in answer.stderr
    assert not list((tmp_path / "home").glob("landing/*/*"))


def test_an_unreachable_catalogue_is_one_line_without_its_address(tmp_path: Path) -> None:
    answer = subprocess.run(
        [str(RASSO), "status"],
        env=os.environ | {"RASSO_HOME": str(tmp_path / "home"), "RASSO_CATALOG": "postgres:host=127.0.0.1 port=1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: the lake cannot be opened")
    assert "port=1" not in answer.stderr


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RASSO_CATALOG", "postgres:host=127.0.0.1 password=hunter2", "PGPASSWORD"),
        ("RASSO_THREADS", "many", "RASSO_THREADS"),
    ],
    ids=["password_in_the_catalogue", "threads_that_are_no_number"],
)
def test_a_wrong_setting_is_one_line_that_names_it(tmp_path: Path, name: str, value: str, message: str) -> None:
    answer = subprocess.run(
        [str(RASSO), "status"],
        env=os.environ | {"RASSO_HOME": str(tmp_path / "home"), name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert message in answer.stderr
    assert "hunter2" not in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1


def test_run_publishes_what_was_accepted_before_a_damaged_vault_and_goes_on_afterwards(tmp_path: Path) -> None:
    home = built_home(tmp_path / "home").root
    sample = write_samples(tmp_path / "samples")[-1]
    handed_over = ("--supplier", sample.supplier, "--kind", sample.kind, "--synthetic")
    rasso(home, "deliver", sample.path, *handed_over)
    assert "1 accepted" in rasso(home, "receive").stdout
    vault = home / "vault" / "vault.duckdb"
    vault.write_bytes(bytes(1 << 14))
    rasso(home, "deliver", sample.path, *handed_over)

    answer = rasso(home, "run")

    assert answer.returncode == 1
    assert "published release" in answer.stdout
    assert "may be damaged: restore it from a copy" in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
    assert len(list((home / "landing").glob("*/*"))) == 1

    vault.unlink()  # as it was before: aggregates hold no reference
    answer = rasso(home, "run")

    assert answer.returncode == 0, answer.stderr
    assert "received 1 delivery: 1 duplicate" in answer.stdout
    assert "the published scorecards stand" in answer.stdout
