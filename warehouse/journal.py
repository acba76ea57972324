"""The journal: what was handed over and what people decided, one small file each, in the archive.

Belongs here: entries and their files. Does not belong here: the bytes that were handed over (``warehouse.archive``) and
what an entry leads to (``warehouse.intake``, ``warehouse.decisions``).

With the archive and the keys, the journal is all that a replay needs. An entry is encrypted and signed with the key of
the archive as every archived file is: without it nobody can read, change or add one. It is written, whole and synced,
before the ledger commits what it speaks of, so that the ledger never knows more; to write it again changes nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter, ValidationError

from extracts.encrypted import DecryptedFile, EncryptedFileError, read_header
from warehouse.archive import ArchiveError, write_encrypted

# Looked at when an entry is read, to give its fields their types.
from datetime import date, datetime  # noqa: TC003  isort: skip

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rasso.settings import Settings
    from warehouse.keys import Keys

FOLDER = "journal"
ID_LENGTH = 20


@dataclass(frozen=True, slots=True)
class HandOver:
    """A delivery as it lay in the landing folder: the names of its two folders, and the hash of each file by name.

    ``supplier`` and ``delivery_name`` are the names of the folders as they may be shown, ``no_files`` the names of what
    lay there and was neither a file nor a folder with files. ``as_of`` is the day on which it was judged,
    ``concluded_at`` when (UTC, without a zone): the same for deliveries that were received together. ``release_of`` is
    the hand-over that was held and released, where this is the receipt of a release; ``reprocess_of`` the one that was
    received first, where it is received again; ``waivers`` the ids of those by which it was not held.
    """

    hand_over_id: str
    supplier: str
    delivery_name: str
    folders: tuple[str, str]
    files: dict[str, str]
    as_of: date
    concluded_at: datetime
    no_files: tuple[str, ...] = ()
    release_of: str | None = None
    reprocess_of: str | None = None
    waivers: tuple[str, ...] = ()

    @property
    def entry_name(self) -> str:
        """Name of its file."""
        return f"{self.hand_over_id}.hand_over"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a delivery that was held, why, and who it was; ``as_of`` is the day."""

    hand_over_id: str
    verdict: Literal["release", "reject"]
    reason: str
    actor: str
    as_of: date
    decided_at: datetime

    @property
    def entry_name(self) -> str:
        """Name of its file: a delivery is decided about once."""
        return f"{self.hand_over_id}.decision"

    @property
    def release_id(self) -> str | None:
        """Hand-over id of the release; None where it was rejected."""
        return self.receipt_id if self.verdict == "release" else None

    @property
    def receipt_id(self) -> str:
        """Hand-over id under which a release is received: the same whoever takes the work up."""
        return hashlib.sha256(f"release\n{self.hand_over_id}".encode()).hexdigest()[:ID_LENGTH]


@dataclass(frozen=True, slots=True)
class Reprocessing:
    """That a hand-over (the first receipt of a delivery) is to be received again, why, and who asked.

    ``number`` counts the requests for one hand-over, from 1.
    """

    hand_over_id: str
    number: int
    reason: str
    actor: str
    as_of: date
    decided_at: datetime

    @property
    def entry_name(self) -> str:
        """Name of its file: a delivery may be received again any number of times."""
        return f"{self.receipt_id}.reprocessing"

    @property
    def receipt_id(self) -> str:
        """Hand-over id under which it is received again: the same whoever takes the work up."""
        asked = f"reprocess\n{self.hand_over_id}\n{self.number}"
        return hashlib.sha256(asked.encode()).hexdigest()[:ID_LENGTH]


@dataclass(frozen=True, slots=True)
class Waiver:
    """That a rule holds no delivery of a supplier up to and including a day, why, and who decided."""

    supplier: str
    rule_id: str
    expires_on: date
    reason: str
    actor: str
    as_of: date
    decided_at: datetime

    @property
    def entry_name(self) -> str:
        """Name of its file."""
        return f"{self.waiver_id}.waiver"

    @property
    def waiver_id(self) -> str:
        """Names the waiver in the ledger and in the entries of the deliveries that it let in."""
        words = f"waiver\n{self.supplier}\n{self.rule_id}\n{self.decided_at.isoformat()}"
        return hashlib.sha256(words.encode()).hexdigest()[:ID_LENGTH]


Decided = Decision | Reprocessing | Waiver
Entry = HandOver | Decided

_DECIDED = {".decision": Decision, ".reprocessing": Reprocessing, ".waiver": Waiver}
_ENTRIES: dict[str, TypeAdapter[Any]] = {
    suffix: TypeAdapter(entry) for suffix, entry in ({".hand_over": HandOver} | _DECIDED).items()
}


def record(settings: Settings, keys: Keys, entry: Entry) -> None:
    """Write an entry, synced to disk; the same entry again replaces it."""
    document = json.dumps(dataclasses.asdict(entry), default=lambda moment: moment.isoformat())
    write_encrypted(_folder(settings) / entry.entry_name, keys, [document.encode()])


def hand_over(settings: Settings, keys: Keys, hand_over_id: str) -> HandOver:
    """The entry of a hand-over.

    Raises:
        ArchiveError: there is none, or it is damaged.
    """
    entry = _read(_folder(settings) / f"{hand_over_id}.hand_over", keys)
    assert isinstance(entry, HandOver)  # by the end of its name, which is part of what is signed
    return entry


def decided(settings: Settings, keys: Keys, names: Iterable[str]) -> list[Decided]:
    """These entries of what people decided, in the order in which they were made.

    Raises:
        ArchiveError: one is damaged, or missing.
    """
    found = [_read(_folder(settings) / name, keys) for name in names]
    made = [entry for entry in found if not isinstance(entry, HandOver)]
    return sorted(made, key=lambda entry: (entry.decided_at, entry.entry_name))


def entries(settings: Settings, keys: Keys) -> tuple[list[Entry], list[str]]:
    """Every entry that can be read, and the names of those that cannot."""
    found: list[Entry] = []
    unreadable = []
    for path in sorted(_folder(settings).glob("*")):
        if path.suffix in _ENTRIES and not path.name.startswith("."):
            try:
                found.append(_read(path, keys))
            except ArchiveError:
                unreadable.append(path.name)
    return found, unreadable


def names_of_decided(settings: Settings) -> set[str]:
    """Names of the entries of what people decided; reads none."""
    names = {path.name for path in _folder(settings).glob("*") if path.suffix in _DECIDED}
    return {name for name in names if not name.startswith(".")}


def _read(path: Path, keys: Keys) -> Entry:
    try:
        header = read_header(path)
        with DecryptedFile(path, header.file_key(keys.of("archive", header.key_version))) as file:
            entry: Entry = _ENTRIES[path.suffix].validate_json(file.read())
            return entry
    except FileNotFoundError as error:
        raise ArchiveError(f"the journal holds no {path.name}; restore the archive from a copy of the home") from error
    except (EncryptedFileError, ValidationError):
        raise ArchiveError(
            f"the entry {path.name} of the journal cannot be read; restore the archive from a copy of the home"
        ) from None


def _folder(settings: Settings) -> Path:
    return settings.archive / FOLDER
