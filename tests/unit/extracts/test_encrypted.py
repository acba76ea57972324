"""Encrypted files: whatever was done to one, it reads as it was written or not at all; nothing plain lies on disk."""

from __future__ import annotations

import gzip
import io
import pickle
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from extracts.encrypted import (
    PROTOCOL,
    DecryptedFile,
    EncryptedFileError,
    EncryptedFileSystem,
    EncryptedWriter,
    MemoryFile,
    Scratch,
    file_key,
    read_header,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = secrets.token_bytes(32)
CHUNK = 100
SEALED = CHUNK + 16
HEADER = 48
PLAIN = b"".join(b"20AB%07d," % number for number in range(30))  # 360 bytes: three chunks and a part
CANARY = b"20AB0000007"


def write(path: Path, plain: bytes, key: bytes = KEY, chunk_bytes: int = CHUNK) -> Path:
    with path.open("wb") as target, EncryptedWriter(target, key, path.name, chunk_bytes=chunk_bytes) as writer:
        for start in range(0, len(plain), 37):
            writer.write(plain[start : start + 37])
    return path


def read(path: Path, key: bytes = KEY) -> bytes:
    with DecryptedFile(path, file_key(path, key)) as file:
        return file.read()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of four chunks."""
    return write(tmp_path / "file", PLAIN)


# ---- whole files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])
def test_what_was_written_is_read(tmp_path: Path, size: int) -> None:
    plain = secrets.token_bytes(size)

    path = write(tmp_path / "file", plain)

    assert read(path) == plain
    assert DecryptedFile(path, file_key(path, KEY)).size == size


@pytest.mark.parametrize("offset", [0, 1, 99, 100, 101, 250, 359, 360, 1000])
@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 360])
def test_any_part_is_read_from_any_place(file: Path, offset: int, size: int) -> None:
    with DecryptedFile(file, file_key(file, KEY)) as reading:
        reading.seek(offset)

        assert reading.read(size) == PLAIN[offset : offset + size]
        assert reading.tell() == max(offset, min(offset + size, len(PLAIN)))


def test_it_serves_what_expects_a_file(tmp_path: Path) -> None:
    path = write(tmp_path / "file", gzip.compress(PLAIN))

    with DecryptedFile(path, file_key(path, KEY)) as raw, gzip.open(io.BufferedReader(raw)) as unzipped:
        assert unzipped.read() == PLAIN


def test_nothing_plain_lies_on_disk(file: Path) -> None:
    assert CANARY in PLAIN
    assert CANARY not in file.read_bytes()


def test_equal_content_is_not_equal_on_disk(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, PLAIN).read_bytes()[HEADER:] for name in ("a", "b"))

    assert first != second
    assert not {first[place : place + 16] for place in range(0, 96, 16)} & {
        second[place : place + 16] for place in range(0, 96, 16)
    }


# ---- hostile: files that were changed, cut, mixed up ----------------------------------------------------------------


def _flipped(place: int) -> Callable[[bytes], bytes]:
    def flip(raw: bytes) -> bytes:
        changed = bytearray(raw)
        changed[place] ^= 1
        return bytes(changed)

    return flip


def _swapped(raw: bytes) -> bytes:
    first, second = (slice(HEADER + index * SEALED, HEADER + (index + 1) * SEALED) for index in (0, 1))
    return raw[:HEADER] + raw[second] + raw[first] + raw[second.stop :]


HOSTILE = {
    "empty": lambda _: b"",
    "magic": _flipped(0),
    "format version": _flipped(8),
    "key version": _flipped(11),
    "size of a chunk": _flipped(15),
    "salt": _flipped(20),
    "first chunk": _flipped(HEADER),
    "tag of a chunk": _flipped(HEADER + SEALED - 1),
    "last chunk": _flipped(-20),
    "last tag": _flipped(-1),
    "header only": lambda raw: raw[:HEADER],
    "part of a header": lambda raw: raw[: HEADER - 1],
    "cut by a byte": lambda raw: raw[:-1],
    "cut within the last tag": lambda raw: raw[: HEADER + 3 * SEALED + 9],
    "cut at the end of a chunk": lambda raw: raw[: HEADER + 3 * SEALED],
    "cut to one chunk": lambda raw: raw[: HEADER + SEALED],
    "prolonged by a byte": lambda raw: raw + b"\0",
    "prolonged by a chunk": lambda raw: raw + raw[HEADER : HEADER + SEALED],
    "chunks swapped": _swapped,
    "first chunk left out": lambda raw: raw[:HEADER] + raw[HEADER + SEALED :],
    "middle chunk left out": lambda raw: raw[: HEADER + SEALED] + raw[HEADER + 2 * SEALED :],
    "chunk repeated": lambda raw: raw[: HEADER + SEALED] + raw[HEADER : HEADER + SEALED] + raw[HEADER + 2 * SEALED :],
    "plain file": lambda _: PLAIN,
    "zeros": lambda raw: bytes(len(raw)),
    "huge chunks claimed": lambda raw: raw[:12] + b"\xff\xff\xff\xff" + raw[16:],
    "chunks of nothing claimed": lambda raw: raw[:12] + b"\0\0\0\0" + raw[16:],
}


@pytest.mark.parametrize("damage", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_was_damaged_or_changed_is_refused(file: Path, damage: Callable[[bytes], bytes]) -> None:
    file.write_bytes(damage(file.read_bytes()))

    with pytest.raises(EncryptedFileError):
        read(file)


@pytest.mark.parametrize("size", [CHUNK, 3 * CHUNK])
def test_a_file_of_whole_chunks_cannot_be_cut_or_prolonged_by_one(tmp_path: Path, size: int) -> None:
    path = write(tmp_path / "file", PLAIN[:size])
    raw = path.read_bytes()

    for changed in (raw[:-SEALED], raw + raw[-SEALED:]):
        path.write_bytes(changed)
        with pytest.raises(EncryptedFileError):
            read(path)


@pytest.mark.parametrize("index", [0, 1, 3])
def test_a_chunk_of_another_file_of_the_same_key_is_refused(tmp_path: Path, file: Path, index: int) -> None:
    other = write(tmp_path / "other", PLAIN).read_bytes()
    place = slice(HEADER + index * SEALED, HEADER + (index + 1) * SEALED)
    raw = bytearray(file.read_bytes())
    raw[place] = other[place]
    file.write_bytes(raw)

    with pytest.raises(EncryptedFileError):
        read(file)


def test_another_key_is_refused(file: Path) -> None:
    with pytest.raises(EncryptedFileError):
        read(file, secrets.token_bytes(32))


@pytest.mark.parametrize("key", [b"", b"short", bytes(31), bytes(33)])
def test_a_key_of_another_length_is_a_fault_of_the_caller(file: Path, key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        file_key(file, key)


def test_a_file_under_the_name_of_another_is_refused(tmp_path: Path, file: Path) -> None:
    renamed = file.rename(tmp_path / "another name")

    with pytest.raises(EncryptedFileError):
        read(renamed)


def test_the_key_of_one_file_opens_no_other(tmp_path: Path, file: Path) -> None:
    other = write(tmp_path / "other", PLAIN)

    with pytest.raises(EncryptedFileError):
        DecryptedFile(other, file_key(file, KEY))


def test_an_error_says_nothing_of_the_file(file: Path) -> None:
    file.write_bytes(_flipped(HEADER)(file.read_bytes()))

    with pytest.raises(EncryptedFileError) as fault:
        read(file)

    assert "20AB" not in str(fault.value)
    assert KEY.hex() not in str(fault.value)


def test_a_damaged_chunk_does_not_keep_the_others_from_being_read_and_is_refused_every_time(file: Path) -> None:
    file.write_bytes(_flipped(HEADER + SEALED)(file.read_bytes()))

    with DecryptedFile(file, file_key(file, KEY)) as reading:
        for _ in range(2):
            reading.seek(0)
            assert reading.read(CHUNK) == PLAIN[:CHUNK]
            with pytest.raises(EncryptedFileError):
                reading.read(1)


# ---- writing that was interrupted ------------------------------------------------------------------------------------


class InterruptionError(Exception):
    """Something that goes wrong while a file is written."""


def _write_half(path: Path) -> None:
    with path.open("wb") as target, EncryptedWriter(target, KEY, path.name, chunk_bytes=CHUNK) as writer:
        writer.write(PLAIN)
        raise InterruptionError


def test_what_an_error_interrupted_is_never_taken_for_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"

    with pytest.raises(InterruptionError):
        _write_half(path)

    with pytest.raises(EncryptedFileError):
        read(path)


def test_a_writer_that_was_forgotten_does_not_end_its_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as target:
        writer = EncryptedWriter(target, KEY, path.name, chunk_bytes=CHUNK)
        writer.write(PLAIN)
        del writer

    with pytest.raises(EncryptedFileError):
        read(path)


def test_a_header_names_the_version_of_the_key(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as target, EncryptedWriter(target, KEY, path.name, key_version=7) as writer:
        writer.write(PLAIN)

    assert read_header(path).key_version == 7
    assert read(path) == PLAIN


# ---- DuckDB ----------------------------------------------------------------------------------------------------------


ROWS = 50_000
TABLE = b"urn,force\n" + b"".join(b"20AB%07d,%02d\n" % (number, number % 43) for number in range(ROWS))
READ_CSV = "read_csv('{}', auto_detect=false, header=true, columns={{'urn': 'varchar', 'force': 'varchar'}}{})"


def locked(files: EncryptedFileSystem, *allowed: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 4, "temp_directory": "", "autoload_known_extensions": False})
    connection.register_filesystem(files)
    connection.execute(f"set allowed_paths = {list(allowed)}")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def granted(path: Path) -> tuple[EncryptedFileSystem, str]:
    files = EncryptedFileSystem()
    return files, files.grant(path, file_key(path, KEY))


def _parquet(folder: Path) -> bytes:
    path = folder / "plain.parquet"
    with duckdb.connect() as connection:
        query = f"select '20AB' || lpad(range::varchar, 7, '0') as urn, range % 43 as force from range({ROWS})"
        connection.execute(f"copy ({query}) to '{path}' (format parquet, row_group_size 5000)")
    content = path.read_bytes()
    path.unlink()
    return content


@pytest.mark.parametrize(
    ("content", "relation"),
    [
        (lambda _: TABLE, READ_CSV.format("{}", "")),
        (lambda _: gzip.compress(TABLE), READ_CSV.format("{}", ", compression='gzip'")),
        (_parquet, "read_parquet('{}')"),
    ],
    ids=["csv", "gzip", "parquet"],
)
@pytest.mark.parametrize("chunk_bytes", [1000, 1 << 18])
def test_a_locked_connection_reads_every_row_in_its_order(
    tmp_path: Path, content: Callable[[Path], bytes], relation: str, chunk_bytes: int
) -> None:
    files, address = granted(write(tmp_path / "file", content(tmp_path), chunk_bytes=chunk_bytes))

    with locked(files, address) as connection:
        rows = connection.execute(f"select urn from {relation.replace('{}', address)}").fetchall()

    assert rows == [(f"20AB{number:07d}",) for number in range(ROWS)]


def test_a_locked_connection_reads_nothing_but_the_granted_file(tmp_path: Path) -> None:
    path = write(tmp_path / "file", TABLE)
    other = write(tmp_path / "other", TABLE)
    (tmp_path / "plain.csv").write_bytes(TABLE)
    files, address = granted(path)
    files.grant(other, file_key(other, KEY))

    with locked(files, address) as connection:
        for refused in (path, other, tmp_path / "plain.csv", f"{PROTOCOL}://{other}", f"{PROTOCOL}://{tmp_path}/*"):
            with pytest.raises(duckdb.PermissionException):
                connection.execute(f"select * from {READ_CSV.format(refused, '')}")


def test_a_file_that_was_not_granted_is_not_read_though_the_connection_might(tmp_path: Path) -> None:
    other = write(tmp_path / "other", TABLE)
    files, address = granted(write(tmp_path / "file", TABLE))

    with locked(files, address, f"{PROTOCOL}://{other}") as connection, pytest.raises(duckdb.Error):
        connection.execute(f"select * from {READ_CSV.format(f'{PROTOCOL}://{other}', '')}").fetchall()


def test_a_connection_cannot_write_through_the_file_system(tmp_path: Path) -> None:
    files, address = granted(write(tmp_path / "file", TABLE))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    with locked(files, address) as connection, pytest.raises(duckdb.Error):
        connection.execute(f"copy (select 1) to '{address}' (format csv, use_tmp_file false)")

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_damage_that_duckdb_meets_is_told_apart_from_a_file_that_is_no_table(tmp_path: Path) -> None:
    path = write(tmp_path / "file", TABLE)
    path.write_bytes(_flipped(HEADER + 1000 * SEALED)(path.read_bytes()))
    files, address = granted(path)

    with locked(files, address) as connection, pytest.raises(duckdb.Error):
        connection.execute(f"select * from {READ_CSV.format(address, '')}").fetchall()

    assert isinstance(files.fault, EncryptedFileError)


def test_damage_at_the_end_is_met_when_a_file_is_granted(tmp_path: Path) -> None:
    path = write(tmp_path / "file", TABLE)
    path.write_bytes(path.read_bytes()[:-SEALED])

    with pytest.raises(EncryptedFileError):
        granted(path)


def test_a_file_system_is_not_handed_to_others_with_its_keys(tmp_path: Path) -> None:
    files, address = granted(write(tmp_path / "file", TABLE))
    own_key = file_key(tmp_path / "file", KEY)

    assert EncryptedFileSystem() is not files
    assert not EncryptedFileSystem().exists(address)
    for shown in (repr(files), files.to_json(), repr(files.info(address))):
        assert own_key.hex() not in shown
        assert repr(own_key) not in shown
    assert own_key not in pickle.dumps(files)


# ---- scratch and memory ----------------------------------------------------------------------------------------------


def test_scratch_is_read_by_the_process_that_wrote_it_and_lies_encrypted(tmp_path: Path) -> None:
    files = EncryptedFileSystem()
    scratch = Scratch(tmp_path, files)
    with scratch.writing("mended.csv") as out, io.TextIOWrapper(out, encoding="utf-8", newline="") as text:
        text.write(TABLE.decode())
    address = scratch.address("mended.csv")

    with files.stream(address) as stream:
        assert stream.read() == TABLE
    with locked(files, address) as connection:
        assert connection.execute(f"select count(*) from {READ_CSV.format(address, '')}").fetchall() == [(ROWS,)]
    assert all(b"20AB" not in path.read_bytes() for path in tmp_path.iterdir())


def test_scratch_of_one_process_is_closed_to_another(tmp_path: Path) -> None:
    with Scratch(tmp_path, EncryptedFileSystem()).writing("mended.csv") as out:
        out.write(TABLE)

    with pytest.raises(EncryptedFileError):
        Scratch(tmp_path, EncryptedFileSystem()).address("mended.csv")


def test_what_duckdb_writes_to_memory_lies_encrypted_on_disk_and_whole(tmp_path: Path) -> None:
    target = tmp_path / "1.references"
    with MemoryFile() as memory:
        with locked(EncryptedFileSystem(), memory.path) as connection:
            query = f"select '20AB' || lpad(range::varchar, 7, '0') as original from range({ROWS})"
            options = "(format parquet, compression uncompressed, use_tmp_file false)"
            connection.execute(f"copy ({query}) to '{memory.path}' {options}")
        memory.save(target, KEY)
    assert not Path(memory.path).exists()

    files, address = granted(target)
    with locked(files, address) as connection:
        ((count, last),) = connection.execute(
            f"select count(*), max(original) from read_parquet('{address}')"
        ).fetchall()
    assert (count, last) == (ROWS, f"20AB{ROWS - 1:07d}")
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert b"20AB" not in target.read_bytes()


def test_memory_is_given_back() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        with MemoryFile():
            pass

    assert len(list(Path("/proc/self/fd").iterdir())) == before
