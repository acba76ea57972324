"""Process guards: what the system is to refuse a process that reads case references, keys or suppliers' files.

Belongs here: core dumps, limits of memory and of files, ending with one's starter. Does not belong here: who has to ask
for it, what DuckDB is allowed (``extracts.locked_connection``).
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

_ADDRESS_SPACE = 4 << 30  # bytes; of a reader at work about one
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """Let a crash of this process, or of one that it starts, write nothing of its memory to disk. Linux only."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Where the kernel hands dumps to a program, the limit does not count (core(5)); this does, for this process alone.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def limit_this_process(starter: int, largest_file: int) -> None:
    """Have the system refuse what no limit of DuckDB or of ours foresees, and end this process with its starter.

    Who takes up the work of a starter that was killed writes to the same places. Linux only.

    Args:
        starter: id of the process that started this one.
        largest_file: bytes of the largest file that this process may write; a larger one is an ``OSError``.

    Raises:
        SystemExit: the starter has ended already.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != starter:  # it was killed before it was watched
        sys.exit(os.EX_TEMPFAIL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
