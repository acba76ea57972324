"""The vault: every original once, whoever writes; opened by its key only, through two logged doors; nothing plain."""

from __future__ import annotations

import hashlib
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from extracts.contract import all_contracts
from extracts.encrypted import MemoryFile
from extracts.period import Period
from extracts.reader import FileToRead, Reader
from rasso.settings import Settings
from tests.homes import prepared_home
from warehouse import ledger
from warehouse.archive import store
from warehouse.keys import Keys, read_keys
from warehouse.lake import reading, transaction, writing
from warehouse.vault import VaultError, originals, remember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

FILES_KEY = secrets.token_bytes(32)
CANARY = "20XQ7654321"
CANARIES = (CANARY.encode(), b"XQ76", CANARY.encode("utf-16-le"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with a lake, which the tests of this module share."""
    return prepared_home(tmp_path_factory.mktemp("prepared") / "home")


@pytest.fixture
def vaulted(prepared: Settings) -> Settings:
    """A home without a vault, and with an empty log."""
    for path in prepared.vault.iterdir():
        path.unlink()
    with writing(prepared) as connection:
        connection.execute("delete from lake.ledger.processing_log")
        connection.execute("drop table if exists lake.ledger.found")
    return prepared


@pytest.fixture
def keys(vaulted: Settings) -> Keys:
    """Its keys."""
    return read_keys(vaulted)


def references(count: int, *, start: int = 0) -> str:
    """A query of made references; the first of all is the canary."""
    return f"""
        select
            if(range % 2 = 0, 'urn', 'crime') as entity,
            left(sha256(range::varchar), 32) as token,
            if(range % 2 = 0, '', '20') as scope,
            if(range = 0, '{CANARY}', '20XQ' || lpad(range::varchar, 7, '0')) as original
        from range({start}, {start + count})
    """


def handed_over(path: Path, query: str, key: bytes = FILES_KEY) -> Path:
    """A file as the reading process leaves it."""
    with MemoryFile() as memory, duckdb.connect() as connection:
        connection.execute(f"copy ({query}) to '{memory.path}' (format parquet, use_tmp_file false)")
        memory.save(path, key)
    return path


@pytest.fixture
def ten(tmp_path: Path) -> Path:
    """A file of ten references."""
    return handed_over(tmp_path / "ten.references", references(10))


def kept(settings: Settings, keys: Keys) -> list[tuple[object, ...]]:
    with originals(settings, keys, "test") as connection:
        return connection.execute("select * from vault.reference order by original, entity, token").fetchall()


def count(settings: Settings, keys: Keys) -> int:
    with originals(settings, keys, "test") as connection:
        ((rows, different),) = connection.execute(
            "select count(*), count(distinct (entity, token)) from vault.reference"
        ).fetchall()
    assert rows == different
    return int(rows)


# ---- putting in ------------------------------------------------------------------------------------------------------


def test_references_are_kept_with_their_tokens_and_the_version_of_the_key(
    vaulted: Settings, keys: Keys, tmp_path: Path
) -> None:
    rows = "('urn', 'aa', '', '20AB1234567'), ('crime', 'bb', '20', '123418')"
    file = handed_over(tmp_path / "f", f"from (values {rows}) as t (entity, token, scope, original)")

    remember(vaulted, keys, [file], FILES_KEY)

    assert kept(vaulted, keys) == [
        ("crime", "bb", "20", "123418", keys.current),
        ("urn", "aa", "", "20AB1234567", keys.current),
    ]


def test_putting_in_the_same_again_changes_nothing(vaulted: Settings, keys: Keys, ten: Path) -> None:
    for _ in range(3):
        remember(vaulted, keys, [ten], FILES_KEY)

    assert count(vaulted, keys) == 10


def test_what_has_no_token_is_not_put_in_however_often_it_is_handed_over(
    vaulted: Settings, keys: Keys, tmp_path: Path
) -> None:
    rows = "('crime', 'aa', '20', '123418'), ('crime', null, null, '123419'), ('urn', null, '', '20AB1234567')"
    file = handed_over(tmp_path / "f", f"from (values {rows}) as t (entity, token, scope, original)")

    for _ in range(2):
        (row,) = remember(vaulted, keys, [file], FILES_KEY)
        assert row.row_count == 1

    assert [original for *_, original, _ in kept(vaulted, keys)] == ["123418"]


def test_a_reference_without_the_force_that_gave_it_is_not_handed_over(
    vaulted: Settings, keys: Keys, tmp_path: Path
) -> None:
    contract = all_contracts()["early_discussions"]
    cells = {"crime_reference": ("123418", "123419"), "force_code": ("20", "")}
    columns = [column for column in contract.columns if column.derivation is None]
    lines = [[column.headers[0] for column in columns]]
    lines += [[cells.get(column.name, ("", ""))[row] for column in columns] for row in (0, 1)]
    plain, supplier = tmp_path / "plain.csv", contract.suppliers[0]
    plain.write_text("".join(",".join(line) + "\n" for line in lines), encoding="utf-8")
    source = store(vaulted, keys, plain, hashlib.sha256(plain.read_bytes()).hexdigest()).path
    staging = keys.for_staging()
    with Reader(vaulted, staging) as reader:
        period = Period.parse("2020-11")
        staged = reader.stage(FileToRead(source, tmp_path / "1.parquet", contract, 1, period, supplier))
    assert staged.references

    (row,) = remember(vaulted, keys, [Path(staged.references)], staging.hand_over)

    assert row.row_count == 1
    assert [original for *_, original, _ in kept(vaulted, keys)] == ["123418"]


def test_what_stands_in_several_files_or_several_times_in_one_is_kept_once(
    vaulted: Settings, keys: Keys, ten: Path, tmp_path: Path
) -> None:
    overlapping = handed_over(
        tmp_path / "b.references", f"({references(10, start=5)}) union all ({references(10, start=5)})"
    )

    remember(vaulted, keys, [ten, overlapping], FILES_KEY)

    assert count(vaulted, keys) == 15


def test_a_urn_and_a_crime_of_the_same_token_are_two(vaulted: Settings, keys: Keys, tmp_path: Path) -> None:
    rows = "('urn', 'aa', '', '1'), ('crime', 'aa', '20', '1')"
    file = handed_over(tmp_path / "f", f"from (values {rows}) as t (entity, token, scope, original)")

    remember(vaulted, keys, [file], FILES_KEY)

    assert count(vaulted, keys) == 2


def test_without_references_the_vault_is_not_even_opened(vaulted: Settings, keys: Keys) -> None:
    assert remember(vaulted, keys, [], FILES_KEY) == []
    assert list(vaulted.vault.iterdir()) == []


def test_an_empty_file_of_references_is_fine(vaulted: Settings, keys: Keys, tmp_path: Path) -> None:
    remember(vaulted, keys, [handed_over(tmp_path / "none", references(0))], FILES_KEY)

    assert count(vaulted, keys) == 0


# ---- looking up ------------------------------------------------------------------------------------------------------


def test_a_vault_that_nothing_was_put_into_is_empty(vaulted: Settings, keys: Keys) -> None:
    assert kept(vaulted, keys) == []


def test_a_vault_that_a_killed_process_did_not_finish_making_is_made_anew(
    vaulted: Settings, keys: Keys, ten: Path
) -> None:
    (vaulted.vault / "unfinished.duckdb").write_bytes(b"half")

    remember(vaulted, keys, [ten], FILES_KEY)

    assert count(vaulted, keys) == 10
    assert sorted(path.name for path in vaulted.vault.iterdir()) == ["vault.duckdb", "vault.lock"]


def test_a_vault_that_was_lost_is_not_replaced_by_an_empty_one(vaulted: Settings, keys: Keys, ten: Path) -> None:
    with writing(vaulted) as connection, transaction(connection):
        ledger.insert_processing(connection, remember(vaulted, keys, [ten], FILES_KEY))
    kept_apart = (vaulted.vault / "vault.duckdb").read_bytes()
    (vaulted.vault / "vault.duckdb").unlink()

    for attempt in (
        lambda: remember(vaulted, keys, [ten], FILES_KEY),
        lambda: kept(vaulted, keys),
    ):
        assert "from a copy of the home" in _message(attempt)
    assert not (vaulted.vault / "vault.duckdb").exists()

    (vaulted.vault / "vault.duckdb").write_bytes(kept_apart)
    assert count(vaulted, keys) == 10


def test_a_vault_that_was_lost_before_anything_was_recorded_is_made_anew(
    vaulted: Settings, keys: Keys, ten: Path
) -> None:
    remember(vaulted, keys, [ten], FILES_KEY)  # the process ended before it recorded this; the delivery waits again
    (vaulted.vault / "vault.duckdb").unlink()

    remember(vaulted, keys, [ten], FILES_KEY)

    assert count(vaulted, keys) == 10


def test_who_looks_up_cannot_change_the_vault(vaulted: Settings, keys: Keys, ten: Path) -> None:
    remember(vaulted, keys, [ten], FILES_KEY)

    with originals(vaulted, keys, "test") as connection:
        for change in (
            "delete from vault.reference",
            "update vault.reference set token = ''",
            "drop table vault.reference",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(f"{change} vault.reference")

    assert count(vaulted, keys) == 10


def test_who_looks_up_can_write_to_the_lake(vaulted: Settings, keys: Keys, ten: Path) -> None:
    remember(vaulted, keys, [ten], FILES_KEY)

    with originals(vaulted, keys, "test") as connection, transaction(connection):
        connection.execute("create table lake.ledger.found as select token from vault.reference")

    with reading(vaulted) as connection:
        assert connection.execute("select count(*) from lake.ledger.found").fetchall() == [(10,)]


# ---- both doors are logged -------------------------------------------------------------------------------------------


def _log(settings: Settings) -> list[tuple[object, ...]]:
    with reading(settings) as connection:
        return connection.execute(
            "select operation, data_set, row_count, purpose from lake.ledger.processing_log order by logged_at"
        ).fetchall()


def test_what_was_put_in_is_told_for_the_log(vaulted: Settings, keys: Keys, ten: Path) -> None:
    rows = remember(vaulted, keys, [ten], FILES_KEY)
    with writing(vaulted) as connection, transaction(connection):
        ledger.insert_processing(connection, rows)

    assert [row[:3] for row in _log(vaulted)] == [("collection", "vault.reference", 10)]


def test_looking_up_is_logged_before_anything_is_seen(vaulted: Settings, keys: Keys, ten: Path) -> None:
    remember(vaulted, keys, [ten], FILES_KEY)

    with originals(vaulted, keys, "link referrals"):
        assert _log(vaulted) == [("consultation", "vault.reference", 10, "link referrals")]


def test_what_cannot_be_logged_is_not_opened(
    vaulted: Settings, keys: Keys, ten: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(vaulted, keys, [ten], FILES_KEY)

    def fail(*_: object) -> None:
        raise duckdb.IOException

    monkeypatch.setattr(ledger, "insert_processing", fail)
    with pytest.raises(duckdb.IOException), originals(vaulted, keys, "test"):
        pytest.fail("the vault was opened all the same")


def test_the_log_says_who_and_holds_no_reference(vaulted: Settings, keys: Keys, ten: Path) -> None:
    (row,) = remember(vaulted, keys, [ten], FILES_KEY)

    assert row.actor
    assert "XQ" not in repr(row)


# ---- hostile ---------------------------------------------------------------------------------------------------------


def _message(attempt: Callable[[], object]) -> str:
    with pytest.raises(VaultError) as fault:
        attempt()
    return str(fault.value)


def test_another_key_opens_neither_door_and_the_error_says_so(
    vaulted: Settings, keys: Keys, ten: Path, tmp_path: Path
) -> None:
    remember(vaulted, keys, [ten], FILES_KEY)
    other = Keys(1, {1: secrets.token_bytes(32)}, is_development=True)
    more = handed_over(tmp_path / "more", references(5, start=100))

    messages = [
        _message(lambda: remember(vaulted, other, [more], FILES_KEY)),
        _message(lambda: kept(vaulted, other)),
    ]

    for message in messages:
        assert "another key" in message
        assert other.vault.hex() not in message
    assert count(vaulted, keys) == 10


def _first_page(raw: bytearray) -> None:
    raw[4096] ^= 1


def _any_place(raw: bytearray) -> None:
    for place in range(8192, len(raw), 4096):
        raw[place] ^= 1


def _cut(raw: bytearray) -> None:
    del raw[6000:]


def _zeros(raw: bytearray) -> None:
    raw[:] = bytes(len(raw))


def _empty(raw: bytearray) -> None:
    raw.clear()


@pytest.mark.parametrize("damage", [_first_page, _any_place, _cut, _zeros, _empty])
def test_a_damaged_vault_is_refused(
    vaulted: Settings, keys: Keys, ten: Path, damage: Callable[[bytearray], None]
) -> None:
    remember(vaulted, keys, [ten], FILES_KEY)
    path = vaulted.vault / "vault.duckdb"
    raw = bytearray(path.read_bytes())
    damage(raw)
    path.write_bytes(raw)

    assert "XQ" not in _message(lambda: remember(vaulted, keys, [ten], FILES_KEY))


def test_a_plain_database_is_not_taken_for_the_vault(vaulted: Settings, keys: Keys, ten: Path) -> None:
    path = vaulted.vault / "vault.duckdb"
    duckdb.connect(str(path)).close()

    _message(lambda: remember(vaulted, keys, [ten], FILES_KEY))
    _message(lambda: kept(vaulted, keys))


def _half(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


@pytest.mark.parametrize("spoil", [_half, lambda path: path.write_bytes(b""), lambda path: path.unlink()])
def test_references_that_cannot_be_read_leave_the_vault_as_it_was(
    vaulted: Settings, keys: Keys, ten: Path, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    more = handed_over(tmp_path / "more", references(5, start=100))
    spoil(more)

    _message(lambda: remember(vaulted, keys, [ten, more], FILES_KEY))

    assert count(vaulted, keys) == 0


def test_references_of_another_process_are_not_taken_in(vaulted: Settings, keys: Keys, tmp_path: Path) -> None:
    foreign = handed_over(tmp_path / "foreign", references(5), secrets.token_bytes(32))

    assert "XQ" not in _message(lambda: remember(vaulted, keys, [foreign], FILES_KEY))


def test_a_file_that_holds_something_else_is_not_taken_in(vaulted: Settings, keys: Keys, tmp_path: Path) -> None:
    other = handed_over(tmp_path / "other", f"select '{CANARY}' as urn")

    assert CANARY not in _message(lambda: remember(vaulted, keys, [other], FILES_KEY))
    assert count(vaulted, keys) == 0


def test_opening_it_twice_in_one_process_is_an_error_and_not_a_wait(vaulted: Settings, keys: Keys, ten: Path) -> None:
    with originals(vaulted, keys, "test"):
        assert "open already" in _message(lambda: remember(vaulted, keys, [ten], FILES_KEY))


# ---- other processes -------------------------------------------------------------------------------------------------

_REMEMBER = """
import sys
from pathlib import Path
from rasso.settings import Settings
from warehouse.keys import read_keys
from warehouse.vault import remember
settings = Settings(home=Path(sys.argv[1]))
keys = read_keys(settings)
print("ready", flush=True)
for path in sys.argv[3:]:
    remember(settings, keys, [Path(path)], bytes.fromhex(sys.argv[2]))
"""


def _process(settings: Settings, files: Iterable[Path]) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-c", _REMEMBER, str(settings.root), FILES_KEY.hex(), *map(str, files)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_two_processes_write_one_after_the_other_and_lose_nothing(
    vaulted: Settings, keys: Keys, tmp_path: Path
) -> None:
    files = [handed_over(tmp_path / f"{n}.references", references(2000, start=n * 1000)) for n in range(6)]
    writers = [_process(vaulted, files), _process(vaulted, reversed(files))]

    answers = [(writer.communicate()[1], writer.returncode) for writer in writers]

    assert answers == [(b"", 0), (b"", 0)]
    assert count(vaulted, keys) == 7000


def test_a_writer_waits_for_who_looks_up(vaulted: Settings, keys: Keys, ten: Path, tmp_path: Path) -> None:
    remember(vaulted, keys, [ten], FILES_KEY)
    more = handed_over(tmp_path / "more", references(5, start=100))
    with originals(vaulted, keys, "test") as connection:
        writer = _process(vaulted, [more])
        assert writer.stdout is not None
        writer.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            writer.wait(timeout=0.5)
        assert connection.execute("select count(*) from vault.reference").fetchall() == [(10,)]

    assert (writer.communicate(timeout=30)[1], writer.returncode) == (b"", 0)
    assert count(vaulted, keys) == 15


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.3, 0.5, 0.8])
def test_a_process_that_is_killed_leaves_all_or_nothing_and_no_lock(
    vaulted: Settings, keys: Keys, ten: Path, tmp_path: Path, delay: float
) -> None:
    remember(vaulted, keys, [ten], FILES_KEY)
    many = handed_over(tmp_path / "many", references(400_000, start=100))
    writer = _process(vaulted, [many])
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(delay)  # at any moment: the state afterwards must be the same
    writer.send_signal(signal.SIGKILL)
    writer.communicate()

    assert not list(_holding(vaulted.root))
    assert count(vaulted, keys) in (10, 400_010)
    remember(vaulted, keys, [many], FILES_KEY)
    assert count(vaulted, keys) == 400_010


# ---- nothing plain on disk -------------------------------------------------------------------------------------------


def _holding(folder: Path) -> Iterator[Path]:
    """Files that hold a canary."""
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".duckdb_extension":
            raw = path.read_bytes()
            if any(canary in raw for canary in CANARIES):
                yield path


def test_the_canary_is_found_where_it_is_leaked(vaulted: Settings) -> None:
    leak = vaulted.vault / "leak"
    leak.write_bytes(b"..." + CANARY.encode() + b"...")

    assert list(_holding(vaulted.root)) == [leak]


def test_nothing_plain_lies_on_disk_while_the_vault_is_written_or_read(
    vaulted: Settings, keys: Keys, tmp_path: Path
) -> None:
    file = handed_over(tmp_path / "file", references(50_000))
    remember(vaulted, keys, [file], FILES_KEY)

    with originals(vaulted, keys, "test"):
        assert not list(_holding(vaulted.root))
    assert not list(_holding(tmp_path))


def _spill(connection: duckdb.DuckDBPyConnection, folder: Path) -> int:
    """Make more of the references than fits into memory; returns the bytes that were written meanwhile."""
    connection.execute(
        f"""
        create temp table spilled as
        select original || '-' || sha256(original || number) as original
        from ({references(300_000)}) cross join range(8) as t (number)
        """
    )
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_what_a_query_over_originals_spills_is_encrypted(vaulted: Settings, keys: Keys) -> None:
    settings = Settings(home=vaulted.home, memory_limit="64MiB")

    with originals(settings, keys, "test") as connection:
        assert _spill(connection, settings.lake / "temp") > 1 << 20
        assert not list(_holding(settings.root))


def test_what_another_connection_spills_would_be_found(tmp_path: Path) -> None:
    with duckdb.connect(config={"memory_limit": "64MiB", "temp_directory": str(tmp_path / "temp")}) as connection:
        assert _spill(connection, tmp_path) > 1 << 20
        assert list(_holding(tmp_path))


_COMMIT_AND_DIE = """
import os, signal, sys
from pathlib import Path
from rasso.settings import Settings
from warehouse import ledger, vault
from warehouse.keys import read_keys

insert = vault._insert

def insert_and_leave_in_the_log(connection, *rest):
    connection.execute("set checkpoint_threshold = '1GB'")
    return insert(connection, *rest)

vault._insert = insert_and_leave_in_the_log
commit = vault.transaction.__wrapped__

@vault.contextmanager
def commit_and_die(connection):
    yield from commit(connection)
    os.kill(os.getpid(), signal.SIGKILL)

vault.transaction = commit_and_die
settings = Settings(home=Path(sys.argv[1]))
vault.remember(settings, read_keys(settings), [Path(sys.argv[3])], bytes.fromhex(sys.argv[2]))
"""


def test_what_a_killed_writer_had_committed_is_kept_and_its_log_is_encrypted(
    vaulted: Settings, keys: Keys, tmp_path: Path
) -> None:
    file = handed_over(tmp_path / "file", references(1000))
    arguments = [sys.executable, "-c", _COMMIT_AND_DIE, str(vaulted.root), FILES_KEY.hex(), str(file)]

    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL

    assert (vaulted.vault / "vault.duckdb.wal").stat().st_size > 1000
    assert not list(_holding(vaulted.root))
    assert count(vaulted, keys) == 1000


def test_the_vault_is_for_its_owner(vaulted: Settings, keys: Keys, ten: Path) -> None:
    remember(vaulted, keys, [ten], FILES_KEY)

    assert vaulted.vault.stat().st_mode & 0o777 == 0o700
    assert (vaulted.vault / "vault.duckdb").stat().st_mode & 0o777 == 0o600
