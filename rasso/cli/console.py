"""What all commands share: the application, the two consoles, how numbers and progress are told, common options."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rasso.progress import progress_bar

if TYPE_CHECKING:
    from rich.progress import Progress

app = typer.Typer(
    help="Receive police and CPS extracts, build the marts, publish regional scorecards.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# Without a terminal there is no width to fit into: a table in a log or a pipe keeps its words whole.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 180)
err = Console(stderr=True, highlight=False, soft_wrap=True)

SHOWN_LINES = 20  # of a list that may be long
Reason = Annotated[str, typer.Option(help="Why, for auditors; nothing about a person.")]
Actor = Annotated[str, typer.Option(help="Who decides.")]


class OutputFormat(StrEnum):
    """How ``rasso status`` and ``rasso revisions`` answer."""

    table = "table"
    json = "json"


def progress_shown() -> Progress:
    """A progress bar on the terminal; without one, nothing."""
    return progress_bar(out)


def count(number: int, thing: str) -> str:
    """A number and what it counts, such as ``2 deliveries``."""
    plural = thing[:-1] + "ies" if thing.endswith("y") else thing + "s"
    return f"{number:,} {thing if number == 1 else plural}"
