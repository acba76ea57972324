"""What a test run makes once, and all its processes read or copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fasteners

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_kept_in: list[Path] = []


def keep_in(folder: Path) -> None:
    """Name the folder in which it is kept; the processes of one test run share it."""
    folder.mkdir(exist_ok=True)
    _kept_in[:] = [folder]


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """A folder of that name, made by the first who asks for it; nobody changes what is in it."""
    made = _kept_in[0] / name
    with fasteners.InterProcessLock(made.with_suffix(".lock")):
        if not made.exists():
            unfinished = made.with_suffix(".unfinished")
            make(unfinished)
            unfinished.rename(made)
    return made
