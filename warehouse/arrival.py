"""Arrivals: what intake receives, whether it lies in the landing folder or is taken from the archive once more.

Belongs here: where an arrival's manifest and files come from, and where they go. Does not belong here: what becomes of
it (``warehouse.intake``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from extracts.delivery import MANIFEST, MANIFEST_LIMIT, DeliveryError, checked_manifest, read_manifest, remove
from extracts.names import as_text
from warehouse.archive import NOT_THERE, OTHER_CONTENT, Archived, ArchiveError, archived, checked, keep, opened, store
from warehouse.journal import Reprocessing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extracts.delivery import LandedDelivery, Manifest, ManifestFile
    from rasso.settings import Settings
    from warehouse.decision_ledger import WaiverRow
    from warehouse.journal import Decision, HandOver
    from warehouse.keys import Keys


@dataclass(frozen=True, slots=True)
class Arrival(ABC):
    """Something that waits; ``supplier`` and ``name`` are the names of its folders as they may be shown."""

    hand_over_id: str
    supplier: str
    name: str

    @property
    @abstractmethod
    def folders(self) -> tuple[str, str]:
        """The names of the supplier's folder and the delivery's as they were."""

    @abstractmethod
    def byte_count(self, settings: Settings) -> int:
        """How large its files are together."""

    @abstractmethod
    def file_sizes(self, settings: Settings) -> list[int]:
        """How large each file is that there may be to read."""

    @property
    def decision(self) -> Decision | None:
        """The decision by which it is received although there were reasons to hold it."""
        return None

    @property
    def reprocess_of(self) -> str | None:
        """The hand-over by which the delivery was received first, where it is received again: its rows are replaced."""
        return None

    @property
    def asked_for(self) -> Reprocessing | None:
        """The request by which it is received again."""
        return None

    @property
    def waivers(self) -> Sequence[WaiverRow] | None:
        """Which waivers hold for it; None: those that the ledger knows."""
        return None

    @property
    def is_in_journal(self) -> bool:
        """Whether the journal has its entry already."""
        return False

    @property
    def no_files(self) -> tuple[str, ...]:
        """Names in its folder of what is neither a file nor a folder with files."""
        return ()

    @abstractmethod
    def manifest(self, settings: Settings, keys: Keys) -> Manifest:
        """Its manifest, checked.

        Raises:
            DeliveryError: the manifest is broken, or the delivery holds what it does not name.
        """

    @abstractmethod
    def store(self, settings: Settings, keys: Keys, entry: ManifestFile) -> Archived:
        """Have a file of the manifest in the archive.

        Raises:
            ArchiveError: it is not what the manifest says.
        """

    @abstractmethod
    def keep(self, settings: Settings, keys: Keys, stored: Mapping[str, str]) -> dict[str, str]:
        """Have everything in the archive, whatever it is; returns hashes by name. ``stored`` is there already."""

    def remove(self) -> None:  # noqa: B027 - what is in the archive stays there
        """Take it from where it waits, once it is archived and recorded."""


@dataclass(frozen=True, slots=True)
class Landed(Arrival):
    """A folder of the landing."""

    landed: LandedDelivery

    @classmethod
    def of(cls, landed: LandedDelivery) -> Landed:
        """What waits there."""
        return cls(landed.hand_over_id, landed.supplier, landed.name, landed)

    @property
    def folders(self) -> tuple[str, str]:
        """See there. What is no text is written with escapes."""
        folder = self.landed.folder
        return as_text(folder.parent.name), as_text(folder.name)

    def byte_count(self, settings: Settings) -> int:  # noqa: ARG002 - it lies in the landing folder
        """See there."""
        return sum(path.stat().st_size for path in self.landed.folder.iterdir() if path.is_file())

    def file_sizes(self, settings: Settings) -> list[int]:  # noqa: ARG002 - it lies in the landing folder
        """See there."""
        try:
            return [path.stat().st_size for path in self.landed.folder.iterdir() if path.name != MANIFEST]
        except FileNotFoundError:  # somebody else received it meanwhile
            return []

    @property
    def no_files(self) -> tuple[str, ...]:
        """See there."""
        others = [path for path in self.landed.folder.iterdir() if not _holds_a_file(path)]
        return tuple(sorted(as_text(path.name) for path in others))

    def manifest(self, settings: Settings, keys: Keys) -> Manifest:  # noqa: ARG002 - nothing is encrypted yet
        """See there."""
        manifest = read_manifest(self.landed)
        _refuse_unnamed_files(manifest, {path.name for path in self.landed.folder.iterdir()})
        return manifest

    def store(self, settings: Settings, keys: Keys, entry: ManifestFile) -> Archived:
        """See there: it is encrypted into the archive."""
        return store(settings, keys, self.landed.folder / entry.name, entry.sha256)

    def keep(self, settings: Settings, keys: Keys, stored: Mapping[str, str]) -> dict[str, str]:
        """See there."""
        return keep(settings, keys, self.landed.folder, stored)

    def remove(self) -> None:
        """See there."""
        remove(self.landed)


@dataclass(frozen=True, slots=True)
class FromArchive(Arrival):
    """What was handed over before, as the journal knows it; nothing plain is written anywhere."""

    entry: HandOver
    released_by: Decision | None = None
    request: Reprocessing | None = None
    waivers_of_then: Sequence[WaiverRow] | None = None  # None unless it is replayed

    @classmethod
    def decided(cls, entry: HandOver, decided: Decision | Reprocessing) -> FromArchive:
        """A delivery that was held and is released, or one that is received again."""
        named = (entry.supplier, entry.delivery_name, entry)
        if isinstance(decided, Reprocessing):
            return cls(decided.receipt_id, *named, request=decided)
        return cls(decided.receipt_id, *named, released_by=decided)

    @classmethod
    def replayed(
        cls,
        entry: HandOver,
        decision: Decision | None = None,
        request: Reprocessing | None = None,
        waivers: Sequence[WaiverRow] = (),
    ) -> FromArchive:
        """A receipt of the journal once more, with what people had decided by which it came to be what it was."""
        return cls(entry.hand_over_id, entry.supplier, entry.delivery_name, entry, decision, request, waivers)

    @property
    def folders(self) -> tuple[str, str]:
        """See there."""
        return self.entry.folders

    def byte_count(self, settings: Settings) -> int:
        """See there."""
        return sum(self.file_sizes(settings))

    def file_sizes(self, settings: Settings) -> list[int]:
        """See there."""
        paths = [archived(settings, sha256) for name, sha256 in self.entry.files.items() if name != MANIFEST]
        return [path.stat().st_size for path in paths if path.exists()]

    @property
    def decision(self) -> Decision | None:
        """See there."""
        return self.released_by

    @property
    def reprocess_of(self) -> str | None:
        """See there. What is released may have been held when it was received again."""
        return self.request.hand_over_id if self.request else self.entry.reprocess_of

    @property
    def asked_for(self) -> Reprocessing | None:
        """See there."""
        return self.request

    @property
    def waivers(self) -> Sequence[WaiverRow] | None:
        """See there."""
        return self.waivers_of_then

    @property
    def is_in_journal(self) -> bool:
        """See there."""
        return self.waivers_of_then is not None

    @property
    def no_files(self) -> tuple[str, ...]:
        """See there."""
        return self.entry.no_files

    def manifest(self, settings: Settings, keys: Keys) -> Manifest:
        """See there."""
        with opened(settings, keys, self.entry.files[MANIFEST]) as file:
            manifest = checked_manifest(file.read(MANIFEST_LIMIT + 1), self.supplier, self.folders)
        _refuse_unnamed_files(manifest, {Path(name).parts[0] for name in self.entry.files} | set(self.entry.no_files))
        return manifest

    def store(self, settings: Settings, keys: Keys, entry: ManifestFile) -> Archived:
        """See there: it is in the archive, and read from beginning to end once more."""
        if entry.name not in self.entry.files:
            raise ArchiveError(NOT_THERE)
        if self.entry.files[entry.name] != entry.sha256:
            raise ArchiveError(OTHER_CONTENT)
        return checked(settings, keys, entry.sha256)

    def keep(self, settings: Settings, keys: Keys, stored: Mapping[str, str]) -> dict[str, str]:  # noqa: ARG002
        """See there: it is."""
        return dict(self.entry.files)


def _holds_a_file(path: Path) -> bool:
    """Whether the archive keeps anything of what has this name."""
    if path.is_symlink():
        return False
    return any(one.is_file() and not one.is_symlink() for one in (path, *path.rglob("*")))


def _refuse_unnamed_files(manifest: Manifest, found: set[str]) -> None:
    unnamed = found - {entry.name for entry in manifest.files} - {MANIFEST}
    if unnamed:
        raise DeliveryError("UNNAMED_FILE", f"the folder holds {len(unnamed)} files that {MANIFEST} does not name")
