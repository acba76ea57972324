"""Files that lie encrypted on disk and are read without a plain copy of them.

Belongs here: the format of an encrypted file, writing it, and the file system by which DuckDB and Python read it. Does
not belong here: which files are kept (``warehouse.archive``) and where keys come from (``warehouse.keys``).

The format: a header (magic, version, size of a chunk, version of the key, salt), then chunks of AES-256-GCM. Each file
has a key of its own, derived from the key that it was written with and its salt. A chunk's nonce is its index and
whether it is the last one, and every chunk authenticates the header and the file's name: a chunk that was changed,
moved, left out or taken from another file does not open, nor does a file that was cut, prolonged or renamed.

Imports DuckDB nowhere and little else, so that the process that reads files starts fast.
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
import struct
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from fsspec.spec import AbstractFileSystem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

PROTOCOL = "rasso-archive"
CHUNK_BYTES = 1 << 18  # 16 KiB to 4 MiB were tried: none reads or writes measurably faster
KEY_BYTES = 32

_MAGIC = b"RASSOENC"
_FORMAT = 1
_SALT_BYTES = 32
_HEADER = struct.Struct(f">8sBxHI{_SALT_BYTES}s")
_TAG_BYTES = 16
_LARGEST_CHUNK = 1 << 24  # a forged header must not make a reader allocate more


class EncryptedFileError(OSError):
    """A file that cannot be decrypted: damaged, changed, renamed, or written with another key."""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands, readable but authenticated, before the chunks of a file."""

    chunk_bytes: int
    key_version: int
    salt: bytes

    def packed(self) -> bytes:
        """The header as it stands in the file."""
        return _HEADER.pack(_MAGIC, _FORMAT, self.key_version, self.chunk_bytes, self.salt)

    def file_key(self, key: bytes) -> bytes:
        """The key of this file alone: who is given it can read no other file."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=self.salt, info=b"rasso/file/v1").derive(key)


def read_header(path: Path) -> Header:
    """The header of an encrypted file, not authenticated: opening the file does that.

    Raises:
        EncryptedFileError: it is no encrypted file.
    """
    with path.open("rb") as file:
        return _header(file.read(_HEADER.size))


def file_key(path: Path, key: bytes) -> bytes:
    """The key of one file, for a process that is to read this file and no other.

    Raises:
        EncryptedFileError: it is no encrypted file.
    """
    return read_header(path).file_key(key)


def _header(raw: bytes) -> Header:
    if len(raw) == _HEADER.size:
        magic, version, key_version, chunk_bytes, salt = _HEADER.unpack(raw)
        if (magic, version) == (_MAGIC, _FORMAT) and 0 < chunk_bytes <= _LARGEST_CHUNK:
            return Header(chunk_bytes, key_version, salt)
    raise EncryptedFileError("it is no encrypted file, or it is cut short")


def _nonce(index: int, *, is_last: bool) -> bytes:
    return index.to_bytes(11, "big") + bytes([is_last])


class EncryptedWriter(io.RawIOBase):
    """Writes an encrypted file, chunk by chunk; use it as a context manager.

    ``name`` is the name that the file will have in the end: a caller who writes under another name and renames at the
    end says so. What an error interrupted stays without its last chunk and can never be taken for a whole file.
    """

    def __init__(
        self,
        target: IO[bytes],
        key: bytes,
        name: str,
        *,
        key_version: int = 1,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        header = Header(chunk_bytes, key_version, secrets.token_bytes(_SALT_BYTES))
        self._target = target
        self._cipher = AESGCM(header.file_key(key))
        self._chunk_bytes = chunk_bytes
        self._authenticated = header.packed() + name.encode()
        self._pending = bytearray()
        self._index = 0
        self._is_abandoned = False
        target.write(header.packed())

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - anything that holds bytes, as the base class says
        """Take bytes in; whole chunks go to the file at once."""
        self._pending += data
        # One chunk is held back for as long as more may follow: the last one is marked as such.
        while len(self._pending) > self._chunk_bytes:
            self._seal(bytes(self._pending[: self._chunk_bytes]), is_last=False)
            del self._pending[: self._chunk_bytes]
        return memoryview(data).nbytes

    def close(self) -> None:
        """Write the last chunk, unless the file was abandoned; does not close the file underneath."""
        if not self.closed and not self._is_abandoned:
            self._seal(bytes(self._pending), is_last=True)
        self._pending.clear()
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_abandoned |= kind is not None
        super().__exit__(kind, error, trace)

    def __del__(self) -> None:
        # A writer that is merely forgotten must not declare its file whole, as closing it would.
        self._is_abandoned = True
        super().__del__()

    def _seal(self, plain: bytes, *, is_last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._index, is_last=is_last), plain, self._authenticated))
        self._index += 1


class DecryptedFile(io.RawIOBase):
    """An encrypted file read as if it were plain: seekable, holding one decrypted chunk at a time.

    Opening it checks the header, the length and the last chunk, and thereby the key; reading checks what is read.

    Raises:
        EncryptedFileError: see there; reading raises it too.
    """

    def __init__(
        self, path: Path, file_key: bytes, on_fault: Callable[[EncryptedFileError], None] | None = None
    ) -> None:
        self._on_fault = on_fault
        self._file = path.open("rb", buffering=0)
        try:
            header = _header(self._file.read(_HEADER.size))
            self._cipher = AESGCM(file_key)
            self._chunk_bytes = header.chunk_bytes
            self._authenticated = header.packed() + path.name.encode()
            stored = os.fstat(self._file.fileno()).st_size - _HEADER.size
            self._chunks = max(1, -(-stored // (self._chunk_bytes + _TAG_BYTES)))  # even an empty file has one
            self.size = stored - self._chunks * _TAG_BYTES
            self._position = 0
            self._cached_index, self._cached = -1, b""
            self._plain(self._chunks - 1)
        except BaseException:
            self._file.close()
            raise

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place in the plain bytes."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("no place before the beginning of a file")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """The place in the plain bytes."""
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """As many bytes as asked for, fewer only at the end of the file."""
        rest = max(0, self.size - self._position)
        wanted = rest if size is None or size < 0 else min(size, rest)
        parts = []
        while wanted > 0:
            index, offset = divmod(self._position, self._chunk_bytes)
            part = self._plain(index)[offset : offset + wanted]
            parts.append(part)
            self._position += len(part)
            wanted -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def readall(self) -> bytes:
        """Everything from here to the end."""
        return self.read()

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - the base class says so
        """Fill a buffer."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file and forget what was decrypted."""
        self._file.close()
        self._cached = b""
        super().close()

    def _plain(self, index: int) -> bytes:
        if index != self._cached_index:
            descriptor, length = self._file.fileno(), self._chunk_bytes + _TAG_BYTES
            try:
                sealed = os.pread(descriptor, length, _HEADER.size + index * length)
                nonce = _nonce(index, is_last=index == self._chunks - 1)
                self._cached = self._cipher.decrypt(nonce, sealed, self._authenticated)
            except (InvalidTag, ValueError, OSError):
                self._cached_index = -1
                fault = EncryptedFileError("it was damaged or changed, or was written with another key")
                if self._on_fault:
                    self._on_fault(fault)
                raise fault from None
            self._cached_index = index
        return self._cached


class EncryptedFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """The encrypted files that one process may read, and no other file; read-only.

    A file is granted with its key and then known by its address, ``rasso-archive:///absolute/path``, to DuckDB
    (``connection.register_filesystem``). On a connection without external access the file system must be registered
    before the access is taken away, and the address must stand in ``allowed_paths`` or below ``allowed_directories``.
    """

    protocol = PROTOCOL
    cachable = False  # fsspec would hand the next caller this one, with its keys

    def __init__(self) -> None:
        super().__init__()
        self._granted: dict[str, _Granted] = {}
        self.fault: EncryptedFileError | None = None  # what a reader met: DuckDB passes on its text only

    def grant(self, path: Path, file_key: bytes) -> str:
        """Let one file be read with its key (see ``file_key``); returns its address.

        Raises:
            EncryptedFileError: it cannot be decrypted.
        """
        with DecryptedFile(path, file_key) as file:
            self._granted[str(path)] = _Granted(path, file_key, file.size)
        return f"{PROTOCOL}://{path}"

    def stream(self, address: str) -> DecryptedFile:
        """A granted file as plain bytes, seekable.

        Raises:
            EncryptedFileError: it cannot be decrypted.
            FileNotFoundError: it was not granted.
        """
        granted = self._found(address)
        return DecryptedFile(granted.path, granted.file_key, self._note)

    def info(self, path: str, **_options: object) -> dict[str, Any]:
        """Name and plain size of a granted file; DuckDB asks for them before every read."""
        granted = self._found(path)
        return {"name": str(granted.path), "size": granted.size, "type": "file"}

    def exists(self, path: str, **_options: object) -> bool:
        """Whether a file was granted."""
        return self._strip_protocol(path) in self._granted

    def glob(self, path: str, **_options: object) -> list[str]:
        """The file of that name: names hold no patterns here."""
        return [str(self._found(path).path)]

    def modified(self, _path: str) -> datetime:
        """Long ago: what was granted does not change."""
        return datetime.fromtimestamp(0, UTC)

    def revoke(self) -> None:
        """Take back every grant, and forget what a reader met."""
        self._granted.clear()
        self.fault = None

    def _open(self, path: str, mode: str = "rb", **_options: object) -> DecryptedFile:
        if mode != "rb":
            raise PermissionError("encrypted files are only read in this way")
        return self.stream(path)

    def _found(self, address: str) -> _Granted:
        granted = self._granted.get(self._strip_protocol(address))
        if granted is None:
            raise FileNotFoundError("no such file was granted")
        return granted

    def _note(self, fault: EncryptedFileError) -> None:
        self.fault = fault

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(path).removeprefix(f"{PROTOCOL}://")


@dataclass(frozen=True, slots=True, repr=False)
class _Granted:
    path: Path
    file_key: bytes
    size: int


class Scratch:
    """Encrypted files of one process, in a folder of its own, with a key that is never written down."""

    def __init__(self, folder: Path, files: EncryptedFileSystem) -> None:
        self._folder, self._files = folder, files
        self._key = secrets.token_bytes(KEY_BYTES)

    @contextmanager
    def writing(self, name: str) -> Iterator[EncryptedWriter]:
        """A new binary file to write to; once the block is left it can be read."""
        path = self._folder / name
        with path.open("wb") as target, EncryptedWriter(target, self._key, name) as writer:
            yield writer

    def address(self, name: str) -> str:
        """The address of a file that was written, granted to DuckDB and ``EncryptedFileSystem.stream``."""
        path = self._folder / name
        return self._files.grant(path, file_key(path, self._key))


class NamelessFile:
    """A file that no folder names and that ends with its process: DuckDB writes it by ``path``. Linux only.

    DuckDB cannot write through a file system of Python's, and its own encryption of Parquet would need an extension
    that takes longer to load than most files take to read.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.path = f"/proc/self/fd/{descriptor}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._descriptor)

    def clear(self) -> None:
        """Make it empty again."""
        os.ftruncate(self._descriptor, 0)

    def copy_to(self, path: Path) -> None:
        """Write what is in it to a file with a name, as it is."""
        with self._content() as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)

    def save(self, path: Path, key: bytes) -> None:
        """Write what is in it to disk, encrypted and whole or not at all."""
        unfinished = path.with_name(f"{path.name}.tmp")
        with (
            self._content() as source,
            unfinished.open("wb") as target,
            EncryptedWriter(target, key, path.name) as writer,
        ):
            shutil.copyfileobj(source, writer, 1 << 20)
        unfinished.replace(path)

    def _content(self) -> IO[bytes]:
        source = os.fdopen(os.dup(self._descriptor), "rb")
        source.seek(0)
        return source


class MemoryFile(NamelessFile):
    """A file without a name that lies in memory only."""

    def __init__(self) -> None:
        super().__init__(os.memfd_create("rasso", os.MFD_CLOEXEC))


class DiskFile(NamelessFile):
    """A file without a name on the disk of a folder: of what may grow larger than memory."""

    def __init__(self, folder: Path) -> None:
        with tempfile.TemporaryFile(dir=folder) as file:
            super().__init__(os.dup(file.fileno()))
