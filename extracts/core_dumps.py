"""Core dumps: none of a process that reads case references or keys.

Belongs here: seeing to it that a crash writes no memory to disk. Does not belong here: who has to ask for it.
"""

from __future__ import annotations

import ctypes
import resource

_PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """Let a crash of this process, or of one that it starts, write nothing of its memory to disk. Linux only."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Where the kernel hands dumps to a program, the limit does not count (core(5)); this does, for this process alone.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
