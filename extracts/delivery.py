"""Deliveries: the landing folder, manifests, and handing loose files over.

Belongs here: ``landing/<supplier>/<delivery-name>/`` and its ``manifest.json``. Does not belong here: what becomes of a
delivery (``warehouse.intake``).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from extracts.contract import Contract, all_contracts
from extracts.names import WITHHELD, as_text, holds_reference, nearest, shown
from extracts.period import Period, PeriodError, period_in_file_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
MANIFEST_LIMIT = 1 << 20  # bytes; the manifest of 10,000 files is smaller
_FIRST_YEAR = 2000
_LIKE_A_REFERENCE = "reads like a case reference, and names are stored as they are; rename it and hand it over again"
_HALF_REMOVED = re.compile(r"\.[0-9a-f]{20}")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()&+-]{0,199}")


class DeliveryError(ValueError):
    """A delivery that cannot be handed over or received; ``code`` is stable, the message says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _checked_period(text: str) -> str:
    Period.parse(text)
    return text


def _checked_moment(moment: datetime) -> datetime:
    if moment.year < _FIRST_YEAR:
        raise ValueError("it lies before all records")
    return moment


def _checked_file_name(name: str) -> str:
    if not _FILE_NAME.fullmatch(name) or name == MANIFEST or ".." in name:
        raise ValueError("a file name holds letters, digits, spaces and ._()&+- and no folder")
    return name


class ManifestFile(BaseModel):
    """One file of a delivery."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, AfterValidator(_checked_file_name)]
    kind: str = Field(max_length=100)
    contract_version: str = Field(default="", max_length=40)
    period: Annotated[str, AfterValidator(_checked_period)] = Field(max_length=20)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    rows: int | None = Field(
        default=None, ge=0, le=10**12, description="Rows without the header, where the sender counted them."
    )


class Manifest(BaseModel):
    """What a supplier says about a delivery; written last, so that a folder with one is complete."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    manifest_version: int = Field(default=1, ge=1, le=1)
    supplier: str = Field(max_length=60)
    sent_at: Annotated[AwareDatetime, AfterValidator(_checked_moment)]
    is_synthetic: bool = Field(default=False, description="Made for demonstration; labelled so wherever it is shown.")
    files: tuple[ManifestFile, ...] = Field(min_length=1, max_length=10_000)

    @property
    def delivery_id(self) -> str:
        """Who sent which bytes for which kind and period: equal for a repeated hand-over, whatever its name."""
        parts = [self.supplier, *sorted(f"{file.kind}|{file.period}|{file.sha256}" for file in self.files)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class LandedDelivery:
    """A folder of the landing with a manifest in it: something that waits.

    ``supplier`` and ``name`` are the names of its folders as they may be shown and stored.
    """

    supplier: str
    name: str
    folder: Path
    hand_over_id: str


def suppliers() -> frozenset[str]:
    """Everybody who may send something, by the contracts."""
    return frozenset(supplier for contract in all_contracts().values() for supplier in contract.suppliers)


def waiting(landing: Path) -> list[LandedDelivery]:
    """Deliveries whose manifest is there, ordered by supplier and name; folders without one are still arriving."""
    found = []
    for folder in _folders(landing):
        try:
            if _why_not_waiting(folder) is None:
                hand_over_id = _hand_over_id(folder / MANIFEST)
                # Not by a hash of the name: references are short and can be enumerated.
                name = _text(folder.name, f"{WITHHELD}-{hand_over_id[:8]}")
                found.append(LandedDelivery(_text(folder.parent.name), name, folder, hand_over_id))
        except OSError:  # received by somebody else meanwhile, or not ours to read: the others still wait
            continue
    return found


def half_removed(landing: Path) -> list[LandedDelivery]:
    """What left its name and may not be removed yet: safely archived where the ledger knows the hand-over."""
    found = []
    for folder in sorted(landing.glob("*/.*")):
        with suppress(OSError):  # removed by somebody else meanwhile, or not ours to read: the others are looked at
            if _HALF_REMOVED.fullmatch(folder.name) and folder.is_dir() and not _is_behind_a_link(folder):
                supplier, hand_over_id = _text(folder.parent.name), folder.name.removeprefix(".")
                found.append(LandedDelivery(supplier, folder.name, folder, hand_over_id))
    return found


def not_waiting(landing: Path) -> list[tuple[str, str, str]]:
    """What lies in the landing folder and is not received yet: supplier, name, and why."""
    reasons = [(folder, _why_not_waiting(folder)) for folder in _folders(landing)]
    return [
        (_text(folder.parent.name), _text(folder.name, f"{WITHHELD}-{number}"), reason)
        for number, (folder, reason) in enumerate(reasons, start=1)
        if reason
    ]


def _folders(landing: Path) -> list[Path]:
    """What lies in suppliers' folders; a name that starts with a dot is still being written."""
    return [path for path in sorted(landing.glob("*/*")) if not path.name.startswith(".")]


def _why_not_waiting(folder: Path) -> str | None:
    manifest = folder / MANIFEST
    if _is_behind_a_link(folder):
        return "it is a link; a delivery is a folder"
    if not folder.is_dir():
        return "it is a file; a delivery is a folder"
    if manifest.is_symlink():
        return f"its {MANIFEST} is a link"
    if not manifest.is_file():
        return f"it has no {MANIFEST} yet"
    return None if os.access(manifest, os.R_OK) else f"its {MANIFEST} may not be read"


def _is_behind_a_link(folder: Path) -> bool:
    return folder.is_symlink() or folder.parent.is_symlink()


def _text(name: str, otherwise: str = WITHHELD) -> str:
    """A folder's name as text that can be stored, also where its bytes are none; another one for a case reference."""
    return otherwise if holds_reference(name) else as_text(name)


def read_manifest(delivery: LandedDelivery) -> Manifest:
    """The manifest of a landed delivery, checked against its folder and the contracts.

    Raises:
        DeliveryError: the manifest is broken, or names what we do not know.
    """
    with (delivery.folder / MANIFEST).open("rb") as file:
        document = file.read(MANIFEST_LIMIT + 1)
    return checked_manifest(document, delivery.supplier, (delivery.folder.parent.name, delivery.folder.name))


def checked_manifest(document: bytes, supplier: str, folders: tuple[str, str]) -> Manifest:
    """A manifest, checked against the names of the folders that it lay in and the contracts.

    Args:
        document: the JSON text; one byte more than ``MANIFEST_LIMIT`` is enough of one that is too long.
        supplier: the supplier's folder as it may be shown.
        folders: the names of the supplier's folder and the delivery's as they were.

    Raises:
        DeliveryError: the manifest is broken, or names what we do not know.
    """
    if any(holds_reference(folder) for folder in folders):
        raise DeliveryError("REFERENCE_IN_NAME", f"the name of its folder {_LIKE_A_REFERENCE}")
    if len(document) > MANIFEST_LIMIT:
        raise DeliveryError("BAD_MANIFEST", f"{MANIFEST} is larger than {MANIFEST_LIMIT} bytes")
    try:
        manifest = Manifest.model_validate_json(document)
    except ValidationError as error:
        raise DeliveryError("BAD_MANIFEST", _manifest_fault(error)) from None  # its text quotes the manifest
    if supplier not in suppliers():
        raise DeliveryError("UNKNOWN_SUPPLIER", f"no contract names the supplier {shown(supplier)}")
    if manifest.supplier != supplier:
        raise DeliveryError("WRONG_FOLDER", "the manifest names another supplier than the folder that it lies in")
    for number, file in enumerate(manifest.files, start=1):
        if holds_reference(file.name):
            raise DeliveryError("REFERENCE_IN_NAME", f"the name of file {number} of the manifest {_LIKE_A_REFERENCE}")
        contract_for(manifest.supplier, file.kind)
    names = [file.name.casefold() for file in manifest.files]
    if len(set(names)) < len(names):
        raise DeliveryError("BAD_MANIFEST", "the manifest names a file twice")
    return manifest


def contract_of(kind: str) -> Contract:
    """The contract of a kind.

    Raises:
        DeliveryError: there is no such kind.
    """
    contract = all_contracts().get(kind)
    if contract is None:
        raise DeliveryError(
            "UNKNOWN_KIND", f"no contract for the kind {shown(kind)}; there are: {nearest(kind, all_contracts())}"
        )
    return contract


def check_supplier(supplier: str) -> None:
    """See that somebody may send something.

    Raises:
        DeliveryError: no contract names this supplier.
    """
    if supplier not in suppliers():
        known = nearest(supplier, sorted(suppliers()))
        raise DeliveryError("UNKNOWN_SUPPLIER", f"no contract names the supplier {shown(supplier)}; there are: {known}")


def contract_for(supplier: str, kind: str) -> Contract:
    """The contract of a kind that this supplier may send.

    Raises:
        DeliveryError: there is no such kind, or it is not this supplier's to send.
    """
    contract = contract_of(kind)
    check_supplier(supplier)
    if supplier not in contract.suppliers:
        allowed = nearest(supplier, contract.suppliers)
        raise DeliveryError("WRONG_SUPPLIER", f"{kind} is sent by {allowed} and not by {supplier}")
    return contract


def stated_period(contract: Contract, file_name: str) -> Period | None:
    """The period that the file's name states, where the contract says how names state one."""
    return period_in_file_name(file_name, contract.period_patterns)


def deliver(
    landing: Path,
    files: Sequence[Path],
    supplier: str,
    kind: str,
    *,
    period: Period | None = None,
    sent_at: datetime | None = None,
    is_synthetic: bool = False,
) -> LandedDelivery:
    """Hand loose files over as one delivery: copies them, then writes the manifest, last and atomically.

    Args:
        landing: the landing folder.
        files: the files; their names are kept.
        supplier: who sends them.
        kind: which contract they keep.
        period: the months that they cover; None to take each file's month from its name.
        sent_at: when the supplier sent them; now unless given.
        is_synthetic: whether the figures are made for demonstration.

    Raises:
        DeliveryError: a file is not there, or kind, supplier or period do not fit; nothing is handed over.
    """
    contract = contract_for(supplier, kind)
    if not files:
        raise DeliveryError("MISSING_FILE", "name at least one file")
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise DeliveryError("MISSING_FILE", f"there is no file {shown(str(missing[0]))}")
    names = [_checked_name(file) for file in files]
    if len({name.casefold() for name in names}) < len(names):
        raise DeliveryError("BAD_FILE_NAME", "two of the files have the same name; rename one")
    periods = [period or _period_by_name(contract, file) for file in files]
    sent_at = sent_at or datetime.now(UTC)
    folder = _new_folder(landing / supplier, f"{sent_at:%Y%m%dT%H%M%S%fZ}-{kind.replace('_', '-')}")
    try:
        entries = [
            {
                "name": name,
                "kind": kind,
                "contract_version": contract.version,
                "period": str(file_period),
                "sha256": _copied(file, folder / name),
            }
            for file, name, file_period in zip(files, names, periods, strict=True)
        ]
        document = {
            "supplier": supplier, "sent_at": sent_at.isoformat(), "is_synthetic": is_synthetic, "files": entries,
        }  # fmt: skip
        _write_atomically(folder / MANIFEST, document)
    except BaseException:
        shutil.rmtree(folder)
        raise
    return LandedDelivery(supplier, folder.name, folder, _hand_over_id(folder / MANIFEST))


def slug(text: str) -> str:
    """A text as part of a path: lower case, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")


def _period_by_name(contract: Contract, file: Path) -> Period:
    try:
        found = stated_period(contract, file.name)
    except PeriodError as error:
        raise DeliveryError("NO_PERIOD", f"{shown(file.name)}: {error}") from error
    if found is None:
        raise DeliveryError("NO_PERIOD", f"{shown(file.name)} names no month; give --period 2017-04..2018-03")
    return found


def _checked_name(file: Path) -> str:
    if holds_reference(file.name):
        raise DeliveryError("REFERENCE_IN_NAME", f"the name of a file {_LIKE_A_REFERENCE}")
    try:
        return _checked_file_name(file.name)
    except ValueError as error:
        raise DeliveryError("BAD_FILE_NAME", f"{shown(file.name)}: {error}; rename it") from error


def _new_folder(parent: Path, name: str) -> Path:
    for attempt in range(1000):
        folder = parent / (name if attempt == 0 else f"{name}-{attempt}")
        try:
            folder.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            continue
        return folder
    raise DeliveryError("LANDING_FULL", f"{parent.name} already holds a thousand deliveries of this second")


def _copied(source: Path, target: Path) -> str:
    """Copy a file and return the sha256 of what was written."""
    digest = hashlib.sha256()
    with source.open("rb") as reading, target.open("wb") as writing:
        while chunk := reading.read(1 << 20):
            digest.update(chunk)
            writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())
    return digest.hexdigest()


def _write_atomically(path: Path, document: dict[str, Any]) -> None:
    unfinished = path.with_name(f".{path.name}")  # no file of a supplier starts with a dot
    with unfinished.open("w", encoding="utf-8") as out:
        json.dump(document, out, indent=2)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(path)


def _hand_over_id(manifest: Path) -> str:
    """One hand-over: this folder with this manifest, written at this time.

    The same bytes in another folder, or a folder that is put there once more, are another hand-over.
    """
    written = manifest.stat().st_mtime_ns
    identity = os.fsencode(f"{manifest.parent.parent.name}\n{manifest.parent.name}\n{written}\n")
    return hashlib.sha256(identity + manifest.read_bytes()[:MANIFEST_LIMIT]).hexdigest()[:20]


def _manifest_fault(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    known = first["loc"][:-1] if first["type"] == "extra_forbidden" else first["loc"]  # a stranger's key is not shown
    where = ".".join(str(part) for part in known)[:80]
    what = "what it says is not shown" if holds_reference(first["msg"]) else first["msg"][:120]
    return f"{MANIFEST} is not as it should be: {where or 'the document'}: {what}"


def remove(landed: LandedDelivery) -> None:
    """Take what is safely archived and recorded out of the landing folder.

    It leaves its name first, and at once: half removed, without its manifest, it would be still arriving, for good.
    Where this process ends too soon, the rest is among ``half_removed``.
    """
    try:
        shutil.rmtree(landed.folder.replace(landed.folder.with_name(f".{landed.hand_over_id}")))
    except FileNotFoundError:
        return  # somebody else removes it, too
    except OSError as error:
        log.warning("%s could not be removed from the landing folder: %s", _text(landed.folder.name), error.strerror)
