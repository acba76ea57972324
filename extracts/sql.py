"""Texts as SQL, where a statement takes no parameter: paths, settings, what is kept in a macro."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def list_literal(texts: Iterable[str]) -> str:
    """Texts as a list of SQL."""
    return f"[{', '.join(map(literal, texts))}]"


def literal(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
