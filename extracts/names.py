"""Names that come from outside: of folders, of files, and texts of a manifest, before they are shown or stored.

Belongs here: whether a name holds a case reference, what is shown of a text, and which name may have been meant. Does
not belong here: what a name may be made of, and what becomes of a delivery whose name is refused
(``extracts.delivery``).

Names go into the ledger, reports and logs as they are, so a reference must not be among them. Only the form of a URN is
looked for (see ``extracts.tokens``): a crime reference has none of its own.
"""

from __future__ import annotations

import os
import re
import unicodedata
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

WITHHELD = "name-withheld"

_GAP = r"[\W_]{0,3}"
_URN = re.compile(r"\d\d[A-Z0-9]{2}\d{7}")
# With two letters for the unit it is a URN whatever stands before it; else digits around it make it a time or a number.
_URN_IN_A_NAME = re.compile(
    rf"\d\d{_GAP}[A-Z]{{2}}{_GAP}\d{{5}}{_GAP}\d\d(?!\d)"
    rf"|(?<!\d)\d\d{_GAP}[A-Z0-9]{{2}}{_GAP}\d{{5}}{_GAP}\d\d(?!\d)"
)


def holds_reference(text: str) -> bool:
    """Whether a text holds the form of a URN, in one piece or as its parts are set apart in writing.

    A name that is nothing but a URN is found whatever separates its characters, with and without endings.
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    if _URN_IN_A_NAME.search(plain):
        return True
    parts = plain.split(".")
    beginnings = (re.sub(r"[\W_]", "", "".join(parts[:count])) for count in range(1, len(parts) + 1))
    return any(_URN.fullmatch(beginning) for beginning in beginnings)


def as_text(name: str | Path) -> str:
    """A name of the file system as text that can be stored: bytes that are none are written with escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def shown(text: str) -> str:
    """A text from outside in a message: printable, short, and without a reference."""
    if holds_reference(text):
        return f"({WITHHELD})"
    return repr("".join(character if character.isprintable() else "?" for character in text)[:80])


def nearest(text: str, names: Collection[str]) -> str:
    """Names that may have been meant: all where they are few, else the nearest, and how many more there are."""
    few = 5
    if len(names) <= few:
        return ", ".join(names)
    likely = get_close_matches(text, names, n=few, cutoff=0.0)
    return f"{', '.join(likely)} and {len(names) - few} more"
