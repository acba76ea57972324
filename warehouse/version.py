"""Which code made a row: recorded with every stage outcome, build and release."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_ROOMS = ("extracts", "expectations", "warehouse", "transforms", "scorecards")
_SUFFIXES = {".py", ".sql", ".yaml", ".yml", ".csv", ".html", ".css"}
_MADE = {"target", "logs", "__pycache__"}


@cache
def code_version() -> str:
    """The release number and a hash over every source file that a figure depends on."""
    digest = hashlib.sha256()
    for room in _ROOMS:
        for path in sorted((_ROOT / room).rglob("*")):
            if path.suffix in _SUFFIXES and not _MADE.intersection(path.parts):
                digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{version('rasso-pipeline')}+{digest.hexdigest()[:12]}"
