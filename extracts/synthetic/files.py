"""The files of deliveries: rows are appended as they come, counted and hashed; no list of all rows is ever held.

Belongs here: writing CSV files and manifests. Does not belong here: what a row holds, and which defect it carries.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from extracts.delivery import MANIFEST
from extracts.synthetic.columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from extracts.synthetic.plan import PlannedDelivery

_ROWS_HELD = 128
NEVER = 1 << 60


class Spoiler(Protocol):
    """What makes rows of a file defective."""

    def spoil(self, row_number: int, cells: list[str], is_spare: bool) -> tuple[list[list[str]], int]:
        """The rows to write in place of one, and the row number from which to be asked again."""


class CsvFile:
    """One file being written.

    Rows are held until there are a hundred or so, then appended; between that the file is closed, so that a thousand
    files can grow at the same time.
    """

    __slots__ = ("_digest", "_held", "_note", "columns", "kind", "path", "rows", "spoil_from", "spoiler")

    def __init__(self, path: Path, kind: str, columns: Sequence[str]) -> None:
        self.path = path
        self.kind = kind
        self.columns = tuple(columns)
        self.rows = 0
        self.spoil_from = NEVER
        self.spoiler: Spoiler | None = None
        self._held = [",".join(columns)]
        self._note: str | None = None
        self._digest = hashlib.sha256()

    def write(self, cells: list[str], is_spare: bool = True) -> None:
        """Append a row. ``is_spare``: no other record speaks of this one, so that it may be spoiled without a trace."""
        if self.rows + 1 >= self.spoil_from and self.spoiler is not None:
            rows, self.spoil_from = self.spoiler.spoil(self.rows + 1, cells, is_spare)
            for row in rows:
                self._append(row)
        else:
            self._append(cells)

    def add_note(self, header: str, note: str) -> None:
        """Add a column that no contract knows; only the first row has something in it."""
        self._held[0] += f",{header}"
        self._note = note

    def _append(self, cells: list[str]) -> None:
        if self._note is not None:
            cells = [*cells, "" if self.rows else self._note]
        self.rows += 1
        self._held.append(",".join(cells))
        if len(self._held) > _ROWS_HELD:
            self.flush()

    def flush(self) -> None:
        """Append what is held to the file."""
        if self._held:
            content = ("\n".join(self._held) + "\n").encode()
            with self.path.open("ab") as out:
                out.write(content)
            self._digest.update(content)
            self._held = []

    def take(self, content: bytes, rows: int) -> None:
        """Write bytes in place of rows, and say how many rows they are."""
        self.path.write_bytes(content)
        self._digest.update(content)
        self._held, self.rows = [], rows

    @property
    def sha256(self) -> str:
        """Hash of what was written."""
        return self._digest.hexdigest()


@dataclass(slots=True)
class DeliveryFolder:
    """The folder of one delivery, its files by kind."""

    plan: PlannedDelivery
    folder: Path
    files: dict[str, CsvFile]

    def close(self, versions: Callable[[str], str]) -> bool:
        """Finish the files and write the manifest, last; without any row nothing is sent, and the folder goes.

        A kind without rows is left out: an empty file of one month is, byte for byte, that of another.
        """
        self.files = {kind: file for kind, file in self.files.items() if file.rows}
        for file in self.files.values():
            file.flush()
        if not self.files:
            self.folder.rmdir()
            return False
        self.write_manifest(versions)
        return True

    def write_manifest(self, versions: Callable[[str], str]) -> None:
        """Write what the supplier says about the delivery."""
        entries = [
            {
                "name": file.path.name,
                "kind": file.kind,
                "contract_version": versions(file.kind),
                "period": str(self.plan.declared),
                "sha256": file.sha256,
                "rows": file.rows,
            }
            for file in self.files.values()
        ]
        document = {
            "manifest_version": 1,
            "supplier": self.plan.supplier_id,
            "sent_at": self.plan.sent_at.isoformat(),
            "is_synthetic": True,
            "files": entries,
        }
        (self.folder / MANIFEST).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def open_delivery(root: Path, plan: PlannedDelivery, kinds: Sequence[str]) -> DeliveryFolder:
    """Make the folder of a delivery."""
    folder = root / plan.supplier_id / plan.name
    folder.mkdir(parents=True)
    months = str(plan.declared).replace("..", "_to_")
    files = {kind: CsvFile(folder / f"{kind}_{months}.csv", kind, COLUMNS[kind]) for kind in kinds}
    return DeliveryFolder(plan, folder, files)


def repeat(
    source: DeliveryFolder, root: Path, plan: PlannedDelivery, kind: str, change: Callable[[list[bytes]], list[bytes]]
) -> DeliveryFolder | None:
    """A delivery with the changed lines of a file of another that is closed; its manifest counts the original rows.

    None where the other has no such file, or none whose lines can be changed.
    """
    original = source.files.get(kind)
    if original is None or original.rows < 2:
        return None
    repeated = open_delivery(root, plan, (kind,))
    lines = original.path.read_bytes().splitlines(keepends=True)
    repeated.files[kind].take(b"".join(change(lines)), original.rows)
    return repeated
