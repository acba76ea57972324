"""The archive: original files, kept by the sha256 of their content.

Belongs here: storing bytes once and finding them again. Does not belong here: what they mean.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rasso.settings import Settings


class ArchiveError(Exception):
    """A file whose bytes are not what its manifest says."""


def archived(settings: Settings, sha256: str) -> Path:
    """Where the file with this content lies."""
    return settings.archive / sha256[:2] / sha256


def store(settings: Settings, source: Path, sha256: str) -> Path:
    """Copy a file into the archive, synced to disk; a file that is already there is not written again.

    Raises:
        ArchiveError: the content has another hash, or is no regular file.
    """
    target = archived(settings, sha256)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = target.with_name(f".{sha256}.{secrets.token_hex(4)}")
    is_there = target.exists()
    digest = hashlib.sha256()
    try:
        # O_NOFOLLOW: a link in the landing folder must not lead us to another file.
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ArchiveError("it is not there, or is no plain file") from error
    try:
        with (
            os.fdopen(descriptor, "rb") as reading,
            (Path(os.devnull) if is_there else unfinished).open("wb") as writing,
        ):
            while chunk := reading.read(1 << 20):
                digest.update(chunk)
                writing.write(chunk)
            writing.flush()
            if not is_there:
                os.fsync(writing.fileno())
        if digest.hexdigest() != sha256:
            raise ArchiveError("its content has another sha256 than the manifest says")
        if not is_there:
            unfinished.chmod(0o400)
            unfinished.replace(target)
            _sync_folder(target.parent)
    except IsADirectoryError as error:
        raise ArchiveError("it is no plain file") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def keep(settings: Settings, folder: Path) -> None:
    """Store every plain file of a delivery's folder, whatever it is; what is there already is not written again."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            store(settings, path, _sha256(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
