"""Releases of the site, as the ledger knows them: what each held when it was recorded, and whether it still does.

Belongs here: the hash of a release's files, and comparing it with the ledger. Does not belong here: making and showing
a release (``scorecards.publication``).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import duckdb


def content_sha256(release: Path) -> str:
    """Hash of a release's files: of one line for each, sorted by the bytes of its path, as ``sha256sum`` prints them.

    ``docs/auditors.md`` says how to compute it without this code.
    """
    lines = hashlib.sha256()
    names = sorted(str(path.relative_to(release)).encode() for path in release.rglob("*") if path.is_file())
    for name in names:
        with (release / name.decode()).open("rb") as file:
            lines.update(hashlib.file_digest(file, "sha256").hexdigest().encode() + b"  " + name + b"\n")
    return lines.hexdigest()


def recorded_contents(connection: duckdb.DuckDBPyConnection) -> dict[str, str | None]:
    """Hash of each release's content as it was recorded last; None where an earlier version recorded none."""
    rows = connection.execute(
        "select release_id, content_sha256 from lake.ledger.publication order by published_at"
    ).fetchall()
    return dict(rows)


def is_as_recorded(release: Path, contents: Mapping[str, str | None]) -> bool:
    """Whether a release is there and holds what was recorded of it, where anything was."""
    if not release.is_dir():
        return False
    recorded = contents.get(release.name)
    return recorded is None or recorded == content_sha256(release)
