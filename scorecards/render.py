"""Turn one edition's data folder into a site, in place: ``python -m scorecards.render EDITION_FOLDER``.

Belongs here: the process that sees one edition and nothing else, and writing its files. Does not belong here: settings,
the lake, other editions; this module and what it imports open no file outside the folder but their own templates.
"""

from __future__ import annotations

import logging
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from scorecards.downloads import downloads
from scorecards.edition import EditionError, read_edition
from scorecards.pages import all_pages
from scorecards.paths import STYLE

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rendering:
    """What was written: pages, and all files with them."""

    pages: int
    files: int


def render(folder: Path) -> Rendering:
    """Write all pages and downloads of the edition in ``folder`` next to its ``data``.

    Raises:
        EditionError: the edition does not hold together; pages written so far are not to be used.
    """
    edition = read_edition(folder)
    pages = files = 0
    for page in all_pages(edition):
        _write(folder / page.path, page.html)
        pages += 1
    for path, text in downloads(edition):
        _write(folder / path, text)
        files += 1
    shutil.copyfile(Path(__file__).parent / STYLE, folder / STYLE)
    return Rendering(pages, pages + files + 1)


def main(arguments: list[str] | None = None) -> int:
    """Render the folder named on the command line; say in one line what is wrong when it cannot be done."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 1:
        logger.error("usage: python -m scorecards.render EDITION_FOLDER")
        return 2
    try:
        done = render(Path(given[0]))
    except EditionError as error:
        logger.error("%s", " ".join(str(error).split()))  # noqa: TRY400 - the message says it; a trace would not help
        return 1
    logger.info("%s pages, %s files", done.pages, done.files)
    return 0


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


if __name__ == "__main__":
    sys.exit(main())
