"""What a packed file holds, counted before it is read: a small file may unpack to more than a disk holds.

Belongs here: counting and refusing. Does not belong here: reading what was counted (``extracts.formats``).
"""

from __future__ import annotations

import gzip
import zipfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 20
_MOST_MEMBERS = 1_000  # of a workbook; one of a hundred sheets has some three hundred
_MOST_RATIO = 200  # unpacked by packed; CSV of the public extracts has 10 to 40, and no table more than 100
_FREE_OF_RATIO = 64 << 20  # bytes unpacked; less than this harms nobody, however well it is packed


class TooLargeError(ValueError):
    """A file that holds more than it may; the message holds nothing of it."""


def check_gzip(file: IO[bytes], limit: int) -> None:
    """Unpack a gzip file of any number of members without keeping it, as far as the limits reach.

    What its end says of its size is not asked: whoever makes a bomb writes what he likes.

    Raises:
        TooLargeError: it holds more than ``limit`` bytes, or far more than its own size lets expect.
        OSError, EOFError, zlib.error: it is damaged.
    """
    packed = _size(file)
    unpacked = 0
    for chunk in _chunks(gzip.GzipFile(fileobj=file)):
        unpacked += len(chunk)
        _refuse(packed, unpacked, limit)


def check_zip(file: IO[bytes], limit: int) -> None:
    """Add up what a zip archive says that its members hold; unpacking a member ends where it says.

    Raises:
        TooLargeError: too many members, or too large ones.
        zipfile.BadZipFile: it is damaged.
    """
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        raise TooLargeError(f"the file packs more than {_MOST_MEMBERS:,} files")
    for member in members:
        _refuse(member.compress_size, member.file_size, limit)
    _refuse(_size(file), sum(member.file_size for member in members), limit)


def _refuse(packed: int, unpacked: int, limit: int) -> None:
    if unpacked > limit:
        raise TooLargeError(f"the file holds more than {limit >> 20:,} MiB when it is unpacked")
    if unpacked > max(_FREE_OF_RATIO, _MOST_RATIO * packed):
        raise TooLargeError(f"the file holds more than {_MOST_RATIO} times its own size when it is unpacked")


def _chunks(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _size(file: IO[bytes]) -> int:
    place = file.tell()
    size = file.seek(0, 2)
    file.seek(place)
    return size
