"""Keys: read from a file that only its owner may read, derived for each purpose, never shown.

Belongs here: the key file, what is derived from it, and which key a home was made with. Does not belong here: what is
encrypted with a key (``warehouse.archive``, ``warehouse.vault``) or made into tokens (``extracts.tokens``).

The file holds one secret per version. What works with keys gets a key derived from it for its purpose (HKDF-SHA-256,
RFC 5869), so that no purpose can do another's work, and nothing is ever encrypted with the secret itself.

A home is tied to the key that it is first used with: ``key_check.json`` in the home holds a MAC made with it, which
tells it from any other key and tells nobody what it is. With another key everything in the archive would look damaged.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from extracts.encrypted import DecryptedFile, read_header
from extracts.process_guards import forbid_core_dumps
from extracts.reader import ReadingKeys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rasso.settings import Settings

KEY_BYTES = 32
KEY_CHECK = "key_check.json"

Purpose = Literal["token", "vault", "archive", "check"]
_LARGEST_FILE = 1 << 16
_TRIED = 100  # archived files with which a key shows that it is the right one; all of them damaged is no accident


class KeysError(Exception):
    """There is no key file, or it may not or cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The keys of an installation; handed from function to function and never written down, logged or sent on."""

    current: int
    secrets_by_version: Mapping[int, bytes]
    is_development: bool

    def __repr__(self) -> str:
        return "Keys(…)"

    def __reduce__(self) -> NoReturn:
        # What can be pickled ends in a queue or a database sooner or later.
        raise TypeError("keys are not handed to other processes")

    @property
    def token(self) -> bytes:
        """Makes tokens of case references."""
        return self.of("token")

    @property
    def vault(self) -> bytes:
        """Encrypts the vault."""
        return self.of("vault")

    @property
    def archive(self) -> bytes:
        """Encrypts what is archived from now on."""
        return self.of("archive")

    def of(self, purpose: Purpose, version: int | None = None) -> bytes:
        """The key of one purpose, of 32 bytes; of the current version, or of an earlier one.

        Raises:
            KeysError: the key file does not hold this version.
        """
        version = self.current if version is None else version
        if version not in self.secrets_by_version:
            raise KeysError(f"the key file holds no version {version}; put that version back into it")
        info = f"rasso/{purpose}/v{version}".encode()
        secret = self.secrets_by_version[version]
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret)

    def check(self, version: int) -> str:
        """What tells a version of the key from any other key, and is no secret."""
        return hmac.new(self.of("check", version), b"rasso home", hashlib.sha256).hexdigest()

    def for_staging(self) -> ReadingKeys:
        """What the reading of files needs, with a new key for the references that come back from it."""
        return ReadingKeys(archive=self.archive, token=self.token, hand_over=secrets.token_bytes(KEY_BYTES))


def read_keys(settings: Settings) -> Keys:
    """The keys of this installation; read once per process and handed on.

    Raises:
        KeysError: there is no key file, others may read it, it is no key file, or the home was made with another key.
    """
    forbid_core_dumps()
    keys = _read(settings.key_file)
    check_home(settings, keys)
    return keys


def check_home(settings: Settings, keys: Keys) -> None:
    """Tie a home to its key where it is used with one for the first time; from then on refuse every other key.

    Raises:
        KeysError: the home was made with another key, or nothing tells which key it was made with.
    """
    if not settings.root.is_dir():  # nothing was prepared yet, and so nothing was encrypted
        return
    path = settings.root / KEY_CHECK
    if not path.exists():
        _check_opens(settings, keys)
        document = {"current": keys.current, "checks": {str(keys.current): keys.check(keys.current)}}
        _write_new(path, document, 0o400)  # where another process was first, its key counts
    version, check = _recorded(path)
    if not hmac.compare_digest(keys.check(version), check):
        raise KeysError(_another_key(settings, "holds another key than that of this home"))
    if keys.current != version:  # the vault would not open, and new tokens would match none that are there
        raise KeysError(
            f"version {keys.current} is current in the key file {settings.key_file}, but {settings.root} was made with "
            f'version {version}, and a key cannot be changed yet; set "current" back to {version}'
        )


def _read(path: Path) -> Keys:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe must not keep us waiting
        try:
            _check_secrecy(descriptor, path)
            content = os.read(descriptor, _LARGEST_FILE)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise KeysError(
            f"there is no key file {path}; make one with: rasso make-key, or name yours in RASSO_KEY_FILE"
        ) from None
    except OSError as error:
        raise KeysError(f"the key file {path} cannot be read: {error.strerror}") from None
    try:
        return _parsed(json.loads(content))
    except (ValueError, TypeError, KeyError, AttributeError):
        # Neither the cause nor a word of the content: it is a secret even where it is no good.
        raise KeysError(f"{path} is no key file; put back the one that was kept apart") from None


def make_keys(settings: Settings, *, development: bool) -> Path:
    """Write a new key file, readable by its owner only, whole or not at all.

    Raises:
        KeysError: there is one already, or the home was used with one; what it encrypted could not be read without it.
    """
    path = settings.key_file
    if not path.exists() and (_holds_encrypted(settings) or (settings.root / KEY_CHECK).exists()):
        raise KeysError(
            f"{settings.root} was used with a key that is not at {path}; put it back or name it in RASSO_KEY_FILE: "
            "a new key opens nothing of what is there"
        )
    forbid_core_dumps()
    document = {"current": 1, "keys": {"1": secrets.token_hex(KEY_BYTES)}, "is_development": development}
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _write_new(path, document, 0o400):
        raise KeysError(f"there is a key file already: {path}; what it encrypted is lost without it")
    return path


def _holds_encrypted(settings: Settings) -> bool:
    """Whether anything lies in the archive or in the vault, also where it is no longer whole."""
    in_vault = (path for path in settings.vault.glob("*") if path.name != "vault.lock")
    return any(True for _ in settings.archive.glob("*/*")) or any(True for _ in in_vault)


def _check_opens(settings: Settings, keys: Keys) -> None:
    """Refuse a key that opens nothing of a home that was used before and has lost its key check."""
    found = islice((path for path in settings.archive.glob("*/*") if not path.name.startswith(".")), _TRIED)
    if _holds_encrypted(settings) and not any(_opens(path, keys) for path in found):
        raise KeysError(_another_key(settings, "opens nothing of what lies in the archive of this home"))


def _opens(path: Path, keys: Keys) -> bool:
    try:
        header = read_header(path)
        with DecryptedFile(path, header.file_key(keys.of("archive", header.key_version))):
            return True
    except (OSError, KeysError):
        return False


def _recorded(path: Path) -> tuple[int, str]:
    """The version of the key that a home was made with, and what tells it from others."""
    try:
        document = json.loads(path.read_bytes())
        version = int(document["current"])
        return version, str(document["checks"][str(version)])
    except (ValueError, TypeError, KeyError):
        raise KeysError(f"{path} is damaged; put back the one of a copy of the home") from None


def _another_key(settings: Settings, what: str) -> str:
    return (
        f"the key file {settings.key_file} {what}; name the one that {settings.root} was made with in RASSO_KEY_FILE, "
        "or the right home in RASSO_HOME"
    )


def _write_new(path: Path, document: Mapping[str, object], mode: int) -> bool:
    """Write a file whole, unless there is one; returns whether it was written."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        os.link(unfinished, path)  # unlike a rename it replaces nothing
    except FileExistsError:
        return False
    finally:
        unfinished.unlink()
    return True


def _check_secrecy(descriptor: int, path: Path) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise KeysError(f"{path} is no plain file")
    if status.st_uid != os.geteuid():
        raise KeysError(f"the key file {path} belongs to somebody else; it must belong to the user who runs this")
    if status.st_mode & 0o077:
        raise KeysError(f"others may read the key file {path}; do: chmod 400 {path}")


def _parsed(document: Mapping[str, Any]) -> Keys:
    versions = {int(version): bytes.fromhex(secret) for version, secret in document["keys"].items()}
    if any(version < 1 or len(secret) != KEY_BYTES for version, secret in versions.items()):
        raise ValueError
    if document["current"] not in versions or not isinstance(document["is_development"], bool):
        raise ValueError
    return Keys(document["current"], versions, document["is_development"])
