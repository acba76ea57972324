"""The archive: original files, encrypted, kept by the sha256 of their plain content.

Belongs here: storing bytes once and finding them again. Does not belong here: what they mean, and the format of an
encrypted file (``extracts.encrypted``).
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import stat
from dataclasses import dataclass
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, cast

from extracts.encrypted import DecryptedFile, EncryptedFileError, EncryptedWriter, read_header
from extracts.names import as_text
from warehouse.keys import check_home

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from rasso.settings import Settings
    from warehouse.keys import Keys

log = logging.getLogger(__name__)

NOT_THERE = "it is not there, or is no plain file"
OTHER_CONTENT = "its content has another sha256 than the manifest says"

_CHUNK = 1 << 20
_NOTHING: Mapping[str, str] = MappingProxyType({})


class ArchiveError(Exception):
    """A file whose bytes are not what its manifest says, or that the archive does not hold whole."""


@dataclass(frozen=True, slots=True)
class Archived:
    """A file of the archive: where it lies encrypted, and how many bytes it has when it is read."""

    path: Path
    byte_count: int


def archived(settings: Settings, sha256: str) -> Path:
    """Where the file with this content lies."""
    return settings.archive / sha256[:2] / sha256


def store(settings: Settings, keys: Keys, source: Path, sha256: str) -> Archived:
    """Encrypt a file into the archive, synced to disk; what is there whole, with the current key, is left as it is.

    What is there already is read from beginning to end: the caller removes the copy in the landing folder afterwards.

    Raises:
        ArchiveError: the content has another hash, or is no regular file.
        KeysError: what is there was written with another key; it is left as it is.
    """
    target = archived(settings, sha256)
    try:
        # O_NOFOLLOW: a link in the landing folder must not lead us to another file.
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ArchiveError(NOT_THERE) from error
    try:
        with os.fdopen(descriptor, "rb") as reading:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # a device may have no end
                raise ArchiveError(NOT_THERE)
            if _is_stored(settings, keys, sha256):
                return Archived(target, _compared(reading, sha256))
            return Archived(target, write_encrypted(target, keys, _checked(reading, sha256)))
    except IsADirectoryError as error:
        raise ArchiveError(NOT_THERE) from error


def keep(settings: Settings, keys: Keys, folder: Path, stored: Mapping[str, str] = _NOTHING) -> dict[str, str]:
    """Store every plain file of a delivery's folder, whatever it is; returns their hashes by name.

    ``stored`` are hashes of files that were stored already, by name.
    """
    hashes = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            name = as_text(path.relative_to(folder))
            if name not in stored:
                with path.open("rb") as file:
                    hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
                store(settings, keys, path, hashes[name])
    return hashes | dict(stored)


def checked(settings: Settings, keys: Keys, sha256: str) -> Archived:
    """A file of the archive, read from beginning to end.

    Raises:
        ArchiveError: it is not there, or is damaged.
    """
    with opened(settings, keys, sha256) as file:
        try:
            size = _compared(cast("IO[bytes]", file), sha256)
        except EncryptedFileError as error:
            raise ArchiveError(f"the archived file {sha256} cannot be read: {error}") from error
    return Archived(archived(settings, sha256), size)


def opened(settings: Settings, keys: Keys, sha256: str) -> DecryptedFile:
    """The plain bytes of an archived file, seekable; nothing plain is written anywhere.

    Raises:
        ArchiveError: it is not there, or is damaged.
        KeysError: it was written with a version of the key that the key file does not hold.
    """
    path = archived(settings, sha256)
    try:
        header = read_header(path)
        return DecryptedFile(path, header.file_key(keys.of("archive", header.key_version)))
    except FileNotFoundError as error:
        raise ArchiveError(f"the archive holds no file {sha256}") from error
    except EncryptedFileError as error:
        raise ArchiveError(f"the archived file {sha256} cannot be read: {error}") from error


def _is_stored(settings: Settings, keys: Keys, sha256: str) -> bool:
    """Whether the archive holds this file, every chunk of it, written with the current key."""
    target = archived(settings, sha256)
    try:
        header = read_header(target)
        with DecryptedFile(target, header.file_key(keys.of("archive", header.key_version))) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                # With an earlier key it is written anew, so that what is read next needs the current key only.
                return header.key_version == keys.current
    except FileNotFoundError:
        return False
    except EncryptedFileError:
        check_home(settings, keys)  # with another key, what is whole looks damaged
    log.warning("an archived file was damaged; it is written anew: %s", target.name)
    return False


def _compared(reading: IO[bytes], sha256: str) -> int:
    """Check a file against its hash; returns its size."""
    return sum(len(chunk) for chunk in _checked(reading, sha256))


def write_encrypted(target: Path, keys: Keys, chunks: Iterable[bytes]) -> int:
    """Encrypt into a file, synced to disk, whole or not at all; what has its name is replaced. Returns the plain size.

    An error in reading the chunks leaves what was there.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    size = 0
    try:
        with unfinished.open("wb") as file:
            with EncryptedWriter(file, keys.archive, target.name, key_version=keys.current) as writer:
                for chunk in chunks:
                    size += writer.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        unfinished.chmod(0o400)
        unfinished.replace(target)
        _sync_folder(target.parent)
    finally:
        unfinished.unlink(missing_ok=True)
    return size


def _checked(reading: IO[bytes], sha256: str) -> Iterator[bytes]:
    """The chunks of a file.

    Raises:
        ArchiveError: after the last one, where they have another hash.
    """
    digest = hashlib.sha256()
    while chunk := reading.read(_CHUNK):
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != sha256:
        raise ArchiveError(OTHER_CONTENT)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
