"""Run dbt for as long as the process that started it lives, and no longer.

The starter holds the writer lock. When it is killed, the lock is free at once, and a dbt that went on would write
beside the next writer. So the starter keeps a pipe to this process's standard input open and writes nothing to it: the
pipe's end is the starter's end. Everything that dbt has committed stays whole; the next build replaces it.
"""

from __future__ import annotations

import os
import sys
import threading


def main() -> None:
    """Run dbt's command line with this process's arguments."""
    threading.Thread(target=_end_with_the_starter, daemon=True).start()
    from dbt.cli.main import cli

    cli()


def _end_with_the_starter() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(os.EX_TEMPFAIL)  # at once: an orderly end would wait for the statement that is running


if __name__ == "__main__":
    main()
