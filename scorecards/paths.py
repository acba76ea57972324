"""Where every page and download of an edition stands, and how one refers to another.

Belongs here: names of folders and files. Does not belong here: what is on the pages.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from typing import TYPE_CHECKING

from scorecards.edition import Area, EditionError, Measure

if TYPE_CHECKING:
    from collections.abc import Iterable

INDEX = "index.html"
STYLE = "style.css"
STATUS = "status/index.html"
RECONCILIATION = "reconciliation/index.html"
METHOD = "method/index.html"
CLAIMS = "statements/index.html"
VALUES_FILE = "measure_values.csv"
VALUES = f"data/{VALUES_FILE}"

_FOLDERS = {"area": "areas", "force": "forces"}


def page_path(subject: Area | Measure) -> str:
    """Path of the page of an area or a measure, from the edition's folder.

    Raises:
        EditionError: the name holds nothing that an address could be made of.
    """
    if isinstance(subject, Measure):
        return f"measures/{_slug(subject.measure_id)}/{INDEX}"
    if subject.level == "national":
        return f"national/{INDEX}"
    return f"{_FOLDERS[subject.level]}/{_slug(area_short_name(subject))}/{INDEX}"


def download_path(subject: Area | Measure) -> str:
    """Path of the CSV with the rows behind a page: beside the page."""
    return posixpath.join(posixpath.dirname(page_path(subject)), VALUES_FILE)


def metadata_path(download: str) -> str:
    """Path of the description of a CSV, as the W3C's CSV on the web names it."""
    return f"{download}-metadata.json"


def link(origin: str, target: str) -> str:
    """Relative address of ``target`` on the page ``origin``: works on a server, in a sub folder and from a disk."""
    return posixpath.relpath(target, posixpath.dirname(origin) or ".")


def area_short_name(area: Area) -> str:
    """'West Midlands' of 'West Midlands CPS Area', 'London' of 'London (…)'; a force keeps its name."""
    return _short(area.name)


def slug_of_area(name: str) -> str:
    """'west-midlands' of 'West Midlands CPS Area': the folder of an Area's page and of its edition."""
    return _slug(_short(name))


def require_distinct(subjects: Iterable[Area | Measure]) -> None:
    """Refuse two subjects whose pages would stand in one place.

    Raises:
        EditionError: as said.
    """
    taken: dict[str, Area | Measure] = {}
    for subject in subjects:
        path = page_path(subject)
        if path in taken:
            raise EditionError(f"two pages would be written to {path}: {taken[path]} and {subject}")
        taken[path] = subject


def _short(name: str) -> str:
    return re.sub(r"\s*\(.*\)\s*$", "", name, flags=re.DOTALL).removesuffix(" CPS Area").strip()


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain))
    if not slug:
        raise EditionError(f"no address can be made of the name {name!r}")
    return slug
