"""The connection on which files are read: what it may touch, and that one file leaves nothing to the next."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from extracts import locked_connection
from extracts.encrypted import EncryptedFileSystem, EncryptedWriter, file_key
from extracts.locked_connection import LockedConnection, LockedConnections
from extracts.staging import stage
from extracts.staging_jobs import ColumnPlan, StagingError, StagingJob

KEY = bytes(32)
URN = ColumnPlan(
    name="urn", sql_type="varchar", is_required=True, headers=("urn",), derivation=None, allowed=(), null_markers=(),
    nil_markers=(), thousands_separator="", has_percent_sign=False, is_upper_case=False, separator="",
    case_reference="urn", reference_scope=None,
)  # fmt: skip
FORCE = replace(URN, name="force", headers=("force",), case_reference=None)
IS_OWN = replace(FORCE, name="is_own", sql_type="boolean", headers=(), derivation="own_force(force)", is_required=False)


@pytest.fixture
def connections() -> LockedConnections:
    """Those of one reading process."""
    return LockedConnections()


def job_of(folder: Path, name: str, rows: int = 1, text: str = "") -> StagingJob:
    """A small file of the archive to be read."""
    source = folder / name
    plain = text or "urn,force\n" + "".join(f"20AB{name[-1]}{number:06d},20\n" for number in range(rows))
    with source.open("wb") as target, EncryptedWriter(target, KEY, name) as out:
        out.write(plain.encode())
    return StagingJob(
        source=str(source), target=str(folder / f"{name}.parquet"), delivery_number=1, file_id=1,
        period_start="2020-12-01", period_end="2020-12-31", as_of="2021-01-15", supplier_code="20",
        own_force_codes=("20",), columns=(URN, FORCE, IS_OWN), ignored_headers=(), places={},
        source_key=file_key(source, KEY).hex(), token_key=KEY.hex(), hand_over_key=KEY.hex(), memory_limit="100MiB",
        unpacked_limit=1 << 20, threads=2,
    )  # fmt: skip


def kept(connections: LockedConnections) -> LockedConnection:
    connection = connections._kept
    assert connection is not None
    return connection


def read(connection: LockedConnection, address: str) -> list[tuple[str, ...]]:
    return connection.duckdb.execute(f"from read_csv('{address}', all_varchar=true)").fetchall()


def test_small_files_of_the_archive_share_a_connection(connections: LockedConnections, tmp_path: Path) -> None:
    stage(job_of(tmp_path, "file1"), connections)
    first = kept(connections)
    stage(job_of(tmp_path, "file2"), connections)

    assert kept(connections) is first


@pytest.mark.parametrize(
    "statement",
    [
        "from read_csv('{plain}')",
        "from read_csv('{encrypted}')",
        "from glob('{folder}/*')",
        "copy (select 1) to '{folder}/written.csv'",
        "copy (select 1) to '{folder}/file1.parquet' (format parquet)",
        "attach '{folder}/written.db'",
        "load httpfs",
        "set memory_limit = '2GB'",
        "set allowed_directories = ['/']",
        "set enable_external_access = true",
        "reset enable_external_access",
        "set temp_directory = '{folder}'",
    ],
)
def test_no_statement_touches_the_disk_or_changes_a_limit(
    connections: LockedConnections, tmp_path: Path, statement: str
) -> None:
    (tmp_path / "plain.csv").write_text("urn\n1\n", encoding="utf-8")
    stage(job_of(tmp_path, "file1"), connections)
    before = _hashes(tmp_path)
    places = {"plain": tmp_path / "plain.csv", "encrypted": tmp_path / "file1", "folder": tmp_path}

    with pytest.raises(duckdb.Error):
        kept(connections).duckdb.execute(statement.format(**places)).fetchall()

    assert _hashes(tmp_path) == before


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


def test_what_was_read_for_one_file_cannot_be_read_for_the_next(connections: LockedConnections, tmp_path: Path) -> None:
    first, second = job_of(tmp_path, "file1"), job_of(tmp_path, "file2")
    stage(first, connections)

    with connections.open(second, tmp_path / "output") as connection:
        own = connection.files.grant(Path(second.source), bytes.fromhex(second.source_key))
        assert read(connection, own) == [("20AB2000000", "20")]
        with pytest.raises(duckdb.Error):
            read(connection, own.replace("file2", "file1"))


def test_without_the_revoking_it_could_be(
    connections: LockedConnections, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EncryptedFileSystem, "revoke", lambda _: None)
    stage(job_of(tmp_path, "file1"), connections)

    assert read(kept(connections), f"rasso-archive://{tmp_path}/file1") == [("20AB1000000", "20")]


def test_a_file_leaves_no_table_and_no_byte_behind(connections: LockedConnections, tmp_path: Path) -> None:
    stage(job_of(tmp_path, "file1", rows=500), connections)

    connection = kept(connections)
    assert connection.duckdb.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]
    assert [Path(file.path).stat().st_size for file in (connection.staged, connection.references)] == [0, 0]


def test_a_short_file_after_a_long_one_is_itself_and_no_more(connections: LockedConnections, tmp_path: Path) -> None:
    alone = job_of(tmp_path, "alone2", rows=3)
    stage(alone, LockedConnections())
    stage(job_of(tmp_path, "file1", rows=5000), connections)
    after = replace(alone, target=str(tmp_path / "after.parquet"))
    stage(after, connections)

    assert Path(after.target).read_bytes() == Path(alone.target).read_bytes()


@pytest.mark.parametrize("text", ["urn\n1\n", "urn,force\n20AB1000000,20,more\n", "urn,force\n"], ids=str.strip)
def test_after_anything_that_went_wrong_the_next_file_has_another_connection(
    connections: LockedConnections, tmp_path: Path, text: str
) -> None:
    stage(job_of(tmp_path, "file1"), connections)
    first = kept(connections)
    with pytest.raises(StagingError):
        stage(job_of(tmp_path, "file2", text=text), connections)
    with pytest.raises(duckdb.ConnectionException):
        first.duckdb.execute("select 1")

    assert stage(job_of(tmp_path, "file3"), connections).row_count == 1


@pytest.mark.parametrize("is_small", [True, False], ids=["small", "large"])
def test_a_file_that_has_to_be_mended_is_read_on_another_connection(
    connections: LockedConnections, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_small: bool
) -> None:
    """Where an undeclared column stands before what is no UTF-8, DuckDB's error ends its whole database."""
    job = job_of(tmp_path, "file2", text="more,urn,force\n1,20AB2000000,20\n")
    content = b"more,urn,force\n1,20AB2000000,caf\xe9\n"
    with Path(job.source).open("wb") as target, EncryptedWriter(target, KEY, "file2") as out:
        out.write(content)
    job = replace(job, source_key=file_key(Path(job.source), KEY).hex())
    stage(job_of(tmp_path, "file1"), connections)
    first = kept(connections)
    if not is_small:
        monkeypatch.setattr(locked_connection, "_SMALL", 10)

    staged = stage(job, connections)

    assert staged.repairs == ("converted from Windows-1252",)
    assert duckdb.sql(f"select force from read_parquet('{job.target}')").fetchall() == [("caf\xe9",)]
    assert (connections._kept is first) == (not is_small)


def test_what_is_staged_lies_on_disk_and_references_in_memory(connections: LockedConnections, tmp_path: Path) -> None:
    stage(job_of(tmp_path, "file1"), connections)

    assert Path(kept(connections).staged.path).readlink().parent == tmp_path
    assert str(Path(kept(connections).references.path).readlink()).startswith("/memfd:")


@pytest.mark.parametrize("change", [{"memory_limit": "nonsense"}, {"token_key": "00"}])
def test_a_connection_that_cannot_be_opened_leaves_nothing_open(
    connections: LockedConnections, tmp_path: Path, change: dict[str, str]
) -> None:
    job = replace(job_of(tmp_path, "file1"), **change)  # type: ignore[arg-type]  # a dict of texts
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises((StagingError, duckdb.Error, ValueError)):
            stage(job, connections)

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_each_file_is_held_against_its_own_sender(connections: LockedConnections, tmp_path: Path) -> None:
    for name, codes in (("file1", ("20",)), ("file2", ("43", "01")), ("file3", ())):
        job = replace(job_of(tmp_path, name), own_force_codes=codes)
        stage(job, connections)
        row = duckdb.sql(f"select is_own from read_parquet('{job.target}')").fetchone()
        assert row == ("20" in codes,)


@pytest.mark.parametrize("change", [{"token_key": bytes(31 * [0] + [1]).hex()}, {"memory_limit": "90MiB"}])
def test_another_key_or_limit_asks_for_another_connection(
    connections: LockedConnections, tmp_path: Path, change: dict[str, str]
) -> None:
    first = job_of(tmp_path, "file1")
    second = replace(first, target=str(tmp_path / "second.parquet"), **change)  # type: ignore[arg-type]  # a dict of texts
    stage(first, connections)
    before = kept(connections)
    stage(second, connections)

    assert kept(connections) is not before
    tokens = [duckdb.sql(f"select urn_token from read_parquet('{job.target}')").fetchall() for job in (first, second)]
    assert (tokens[0] == tokens[1]) == ("token_key" not in change)


def test_a_large_file_and_a_plain_one_have_connections_of_their_own(
    connections: LockedConnections, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archived = job_of(tmp_path, "file1")
    plain = replace(archived, source=str(tmp_path / "plain.csv"), source_key="", target=str(tmp_path / "2.parquet"))
    Path(plain.source).write_text("urn,force\n20AB1000000,20\n", encoding="utf-8")
    stage(plain, connections)
    monkeypatch.setattr(locked_connection, "_SMALL", 10)
    stage(archived, connections)

    assert connections._kept is None
    assert Path(archived.target).exists()
