"""The archive: bytes are what they are said to be, they come back as they were, and none of them lies plain on disk."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from extracts.encrypted import EncryptedFileError, read_header
from rasso.settings import Settings
from warehouse.archive import Archived, ArchiveError, archived, keep, opened, store
from warehouse.keys import Keys, KeysError, read_keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTENT = b"urn,force\n20AB7654321,20\n"
CANARY = b"20AB7654321"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def keeping(tmp_path: Path) -> Settings:
    """A home without a lake."""
    settings = Settings(home=tmp_path / "home")
    settings.prepare()
    return settings


@pytest.fixture
def keys(keeping: Settings) -> Keys:
    """The keys of the home."""
    return read_keys(keeping)


def _source(folder: Path) -> Path:
    path = folder / "source.csv"
    path.write_bytes(CONTENT)
    return path


def _kept(settings: Settings) -> list[Path]:
    return [path for path in settings.archive.rglob("*") if path.is_file()]


def _content(settings: Settings, keys: Keys, sha256: str = SHA256) -> bytes:
    with opened(settings, keys, sha256) as file:
        return file.read()


# ---- storing ---------------------------------------------------------------------------------------------------------


def test_a_file_is_kept_encrypted_under_the_hash_of_its_bytes_for_its_owner_to_read(
    keeping: Settings, keys: Keys, tmp_path: Path
) -> None:
    stored = store(keeping, keys, _source(tmp_path), SHA256)

    assert stored == Archived(archived(keeping, SHA256), len(CONTENT))
    assert stored.path.stat().st_mode & 0o777 == 0o400
    assert CANARY not in stored.path.read_bytes()
    assert _content(keeping, keys) == CONTENT


def test_storing_the_same_bytes_again_changes_nothing(keeping: Settings, keys: Keys, tmp_path: Path) -> None:
    first = store(keeping, keys, _source(tmp_path), SHA256)
    before = first.path.read_bytes(), first.path.stat().st_mtime_ns
    second = store(keeping, keys, _source(tmp_path), SHA256)

    assert (first, _kept(keeping)) == (second, [first.path])
    assert (first.path.read_bytes(), first.path.stat().st_mtime_ns) == before


@pytest.mark.parametrize("size", [0, 1, (1 << 18) - 1, 1 << 18, (3 << 20) + 5])
def test_a_file_of_any_size_comes_back(keeping: Settings, keys: Keys, tmp_path: Path, size: int) -> None:
    content = secrets.token_bytes(size)
    source = tmp_path / "source"
    source.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()

    assert store(keeping, keys, source, sha256).byte_count == size
    assert _content(keeping, keys, sha256) == content


def test_everything_in_a_folder_is_kept_but_what_was_stored(keeping: Settings, keys: Keys, tmp_path: Path) -> None:
    folder = tmp_path / "delivery"
    (folder / "sub").mkdir(parents=True)
    contents = {"a.csv": b"a", "b.csv": b"b", "sub/a.csv": b"c"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "link").symlink_to(folder / "a.csv")

    kept = keep(keeping, keys, folder, {"a.csv": "stored before"})

    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    assert kept == hashes | {"a.csv": "stored before"}
    assert {path.name for path in _kept(keeping)} == {
        hashlib.sha256(contents[name]).hexdigest() for name in ("b.csv", "sub/a.csv")
    }


# ---- hostile: what a supplier hands over -----------------------------------------------------------------------------


def _absent(path: Path) -> None:
    path.unlink()


def _link(path: Path) -> None:
    path.rename(path.with_name("outside.csv"))
    path.symlink_to(path.with_name("outside.csv"))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _queue(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _other_bytes(path: Path) -> None:
    path.write_bytes(CONTENT + b"\n")


def _same_size(path: Path) -> None:
    path.write_bytes(CONTENT[::-1])


SPOILED = [_absent, _link, _folder, _queue, _other_bytes, _same_size]


@pytest.mark.parametrize("spoil", SPOILED)
def test_what_is_not_the_file_that_the_manifest_names_is_refused_and_not_kept(
    keeping: Settings, keys: Keys, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    source = _source(tmp_path)
    spoil(source)

    with pytest.raises(ArchiveError):
        store(keeping, keys, source, SHA256)

    assert _kept(keeping) == []


@pytest.mark.parametrize("spoil", SPOILED)
def test_a_refusal_leaves_what_was_kept_before_as_it_is(
    keeping: Settings, keys: Keys, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    source = _source(tmp_path)
    kept = store(keeping, keys, source, SHA256)
    before = kept.path.read_bytes()
    spoil(source)

    with pytest.raises(ArchiveError):
        store(keeping, keys, source, SHA256)

    assert (_kept(keeping), kept.path.read_bytes()) == ([kept.path], before)


# ---- hostile: what becomes of the archive ----------------------------------------------------------------------------


def _changed(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-20] ^= 1
    path.chmod(0o600)
    path.write_bytes(raw)


def _cut(path: Path) -> None:
    path.chmod(0o600)
    os.truncate(path, path.stat().st_size - 1)


def _emptied(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(b"")


def _plain(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(CONTENT)


def _in_place_of(path: Path) -> None:
    """Another archived file, which opens with the same key."""
    other = next(found for found in path.parent.parent.rglob("*") if found.is_file() and found.name != path.name)
    path.chmod(0o600)
    shutil.copy(other, path)


DAMAGE = [_changed, _cut, _emptied, _plain, _in_place_of]


@pytest.fixture
def kept(keeping: Settings, keys: Keys, tmp_path: Path) -> Path:
    """A file of the archive, beside another one of the same size."""
    other = tmp_path / "other.csv"
    other.write_bytes(CONTENT[::-1])
    store(keeping, keys, other, hashlib.sha256(CONTENT[::-1]).hexdigest())
    return store(keeping, keys, _source(tmp_path), SHA256).path


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_not_read(keeping: Settings, keys: Keys, kept: Path, damage: Callable[[Path], None]) -> None:
    damage(kept)

    with pytest.raises(ArchiveError, match="cannot be read"):
        opened(keeping, keys, SHA256)


def test_a_chunk_in_the_middle_that_was_damaged_is_noticed_and_mended_when_the_file_is_delivered_again(
    keeping: Settings, keys: Keys, tmp_path: Path
) -> None:
    content = secrets.token_bytes(1 << 20)
    source = tmp_path / "source"
    source.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    path = store(keeping, keys, source, sha256).path
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(raw)

    store(keeping, keys, source, sha256)

    assert _content(keeping, keys, sha256) == content


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_that_is_delivered_again_is_whole_again(
    keeping: Settings, keys: Keys, kept: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    damage(kept)

    store(keeping, keys, _source(tmp_path), SHA256)

    assert _content(keeping, keys) == CONTENT


@pytest.mark.parametrize("damage", [None, *DAMAGE])
def test_with_another_key_nothing_is_written_over_what_is_kept(
    keeping: Settings, kept: Path, tmp_path: Path, damage: Callable[[Path], None] | None
) -> None:
    if damage:
        damage(kept)
    before = kept.read_bytes()

    with pytest.raises(KeysError, match="another key"):
        store(keeping, _keys_of((1, secrets.token_bytes(32))), _source(tmp_path), SHA256)

    assert kept.read_bytes() == before


def test_that_a_file_had_been_damaged_is_logged(
    keeping: Settings, keys: Keys, kept: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store(keeping, keys, _source(tmp_path), SHA256)
    assert caplog.text == ""

    _changed(kept)
    store(keeping, keys, _source(tmp_path), SHA256)
    assert "written anew" in caplog.text


def test_what_is_not_there_is_an_error(keeping: Settings, keys: Keys) -> None:
    with pytest.raises(ArchiveError, match="holds no file"):
        opened(keeping, keys, SHA256)


def _keys_of(*versions: tuple[int, bytes]) -> Keys:
    return Keys(max(version for version, _ in versions), dict(versions), is_development=True)


def test_another_key_opens_nothing(keeping: Settings, kept: Path) -> None:
    with pytest.raises(ArchiveError):
        opened(keeping, _keys_of((1, bytes(32))), kept.name)


def test_what_an_earlier_key_encrypted_is_read_with_it_and_written_anew_when_it_is_delivered_again(
    keeping: Settings, tmp_path: Path
) -> None:
    first, second = (1, secrets.token_bytes(32)), (2, secrets.token_bytes(32))
    store(keeping, _keys_of(first), _source(tmp_path), SHA256)
    rotated = _keys_of(first, second)

    assert _content(keeping, rotated) == CONTENT
    with pytest.raises(KeysError, match="no version 1"):
        opened(keeping, _keys_of(second), SHA256)

    kept = store(keeping, rotated, _source(tmp_path), SHA256)
    assert read_header(kept.path).key_version == 2
    assert _content(keeping, _keys_of(second)) == CONTENT


def test_a_version_that_is_rewritten_in_the_header_opens_nothing(keeping: Settings, keys: Keys, kept: Path) -> None:
    header = read_header(kept)
    rewritten = replace(header, key_version=2).packed()
    kept.chmod(0o600)
    kept.write_bytes(rewritten + kept.read_bytes()[len(rewritten) :])
    both = Keys(1, {1: keys.secrets_by_version[1], 2: keys.secrets_by_version[1]}, is_development=True)

    with pytest.raises(ArchiveError):
        opened(keeping, both, SHA256)


# ---- nothing plain, nothing half -------------------------------------------------------------------------------------


_STORE = """
import sys
from pathlib import Path
from rasso.settings import Settings
from warehouse.archive import store
from warehouse.keys import read_keys
settings = Settings(home=Path(sys.argv[1]))
print("ready", flush=True)
store(settings, read_keys(settings), Path(sys.argv[2]), sys.argv[3])
"""


def test_a_process_killed_while_it_stores_leaves_nothing_under_the_name_and_nothing_plain(
    keeping: Settings, keys: Keys, tmp_path: Path
) -> None:
    content = CONTENT * 8_000_000  # 200 MB: storing it takes a good part of a second
    source = tmp_path / "large.csv"
    source.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    arguments = [sys.executable, "-c", _STORE, str(keeping.root), str(source), sha256]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while not any(path.stat().st_size > 1 << 22 for path in _kept(keeping)):
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGKILL)
        process.wait()

    (unfinished,) = _kept(keeping)
    assert unfinished.name != sha256
    assert not archived(keeping, sha256).exists()
    assert CANARY not in unfinished.read_bytes()

    store(keeping, keys, source, sha256)
    assert opened(keeping, keys, sha256).size == len(content)


def test_what_a_killed_process_left_cannot_be_put_in_the_place_of_a_whole_file(
    keeping: Settings, keys: Keys, kept: Path
) -> None:
    kept.chmod(0o600)
    with kept.open("r+b") as file:
        file.truncate(len(read_header(kept).packed()))

    with pytest.raises(ArchiveError):
        opened(keeping, keys, SHA256)


def test_nothing_plain_lies_anywhere_in_the_home(keeping: Settings, keys: Keys, tmp_path: Path) -> None:
    folder = tmp_path / "delivery"
    folder.mkdir()
    source = _source(folder)
    store(keeping, keys, source, SHA256)
    store(keeping, keys, source, SHA256)
    keep(keeping, keys, folder)
    _other_bytes(source)
    with pytest.raises(ArchiveError):
        store(keeping, keys, source, SHA256)

    for path in keeping.root.rglob("*"):
        assert path.is_dir() or CANARY not in path.read_bytes()


def test_an_error_of_reading_later_chunks_is_told(keeping: Settings, keys: Keys, tmp_path: Path) -> None:
    content = secrets.token_bytes(1 << 20)
    source = tmp_path / "source"
    source.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    path = store(keeping, keys, source, sha256).path
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(raw)

    with opened(keeping, keys, sha256) as file, pytest.raises(EncryptedFileError):
        file.read()
