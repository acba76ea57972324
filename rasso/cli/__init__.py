"""The ``rasso`` command line: each command is one call of a room's function and the words around it.

Commands are listed by the module that holds them, in the order of these imports.
"""

from __future__ import annotations

import logging

from rasso.cli import decisions, homes, inspection, steps
from rasso.cli.console import app, err
from rasso.cli.errors import known_errors, unexpected_errors, without_values

__all__ = ["app", "decisions", "homes", "inspection", "main", "steps"]


def main() -> None:
    """Run the command line; a known error is one line and exit code 1."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except SystemExit:
        raise
    except known_errors() as error:
        err.print(f"error: {error}", style="red", markup=False)
        raise SystemExit(1) from None
    except unexpected_errors() as error:
        # Its text may quote what was being read.
        err.print(f"error: {without_values(error)}", style="red", markup=False)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        err.print("stopped; what was not finished is taken up by the next run")
        raise SystemExit(130) from None
