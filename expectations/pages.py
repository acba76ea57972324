"""Pages of reports: from a template to a file that is replaced whole.

Belongs here: what all pages of ``reports/`` share. Does not belong here: what one of them says.
"""

from __future__ import annotations

import os
import secrets
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPLATES = Path(__file__).parent / "templates"


def write_page(path: Path, template: Path, shown: Mapping[str, object]) -> Path:
    """Render a template, which may build on those of this room, and put the page where it belongs; returns it."""
    return write_text(path, _environment(template.parent).get_template(template.name).render(shown))


def write_text(path: Path, text: str) -> Path:
    """Replace a file by another text, whole or not at all; returns it."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)  # noqa: PTH105 - the atomic replacement is the point
    return path


def share(pct: float | None) -> str:
    """A share in words; nearly all is not all, nearly none not none."""
    if pct is None:
        return "none"
    if 0 < pct < 0.1:
        return "under 0.1%"
    return f"{min(pct, 99.9) if pct < 100 else pct:.1f}%"


@cache
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda number: "not known" if number is None else f"{number:,}"
    environment.filters["pct"] = share
    environment.filters["time"] = lambda moment: "not known" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    return environment
