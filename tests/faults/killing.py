"""A run of the intake that is killed at its k-th side effect, or after some milliseconds.

A side effect is what another process could see: a file that is opened for writing, renamed, removed or given another
mode, a folder that is made or removed, and a commit of DuckDB's, before it and after it. Python itself reports those of
the file system (audit events), wherever in the code they are; commits go through one function.

Run as a process: it imports everything once and forks a child for each job, a line of JSON on standard input, that it
answers with a line.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.truncate"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Killer:
    """Counts side effects below a folder and kills this process at one of them; 0 for never."""

    def __init__(self, folder: Path, kill_at: int) -> None:
        self._folder, self._kill_at = str(folder), kill_at
        self.seen: list[str] = []

    def note(self, what: str) -> None:
        """A side effect is about to happen."""
        self.seen.append(what)
        if len(self.seen) == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(self, event: str, arguments: Sequence[Any]) -> None:
        """As ``sys.addaudithook`` calls it."""
        if event == "open":
            path, _, flags = arguments
            if flags & _WRITING and self._is_ours(path):
                self.note(f"write {self._place(path)}")
        elif event in _CHANGES and self._is_ours(arguments[0]):
            target = arguments[1] if event == "os.rename" else arguments[0]
            self.note(f"{event.removeprefix('os.')} {self._place(target)}")

    def _is_ours(self, path: object) -> bool:
        """Within the home; a name without a folder is one that a folder is being emptied of."""
        name = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
        return name.startswith(self._folder) or (name != "" and "/" not in name)

    def _place(self, path: object) -> str:
        return os.fsdecode(path).removeprefix(self._folder).lstrip("/")  # type: ignore[arg-type]


def _import_everything() -> None:
    from warehouse import lake

    original = lake.transaction

    @contextmanager
    def transaction(connection: Any) -> Iterator[None]:  # noqa: ANN401
        with original(connection):
            yield
            _note("before a commit")
        _note("after a commit")

    lake.transaction = transaction
    for name in ("expectations.validation", "warehouse.decisions", "warehouse.intake", "warehouse.linkage"):
        importlib.import_module(name)


_killer: Killer | None = None


def _note(what: str) -> None:
    if _killer is not None:
        _killer.note(what)


def run(home: Path, *, is_again: bool) -> None:
    """Receive what waits, release what is held, receive Kent's again where it ``is_again``, link.

    To be run again by whoever finds it undone.
    """
    from rasso.settings import Settings
    from warehouse.decision_ledger import times_asked
    from warehouse.decisions import decide
    from warehouse.intake import receive_deliveries, waiting_batches
    from warehouse.keys import read_keys
    from warehouse.lake import reading
    from warehouse.linkage import link
    from warehouse.reprocessing import reprocess
    from warehouse.selection import Selection
    from warehouse.status import current_status

    settings = Settings(home=home, as_of=date(2021, 1, 15), threads=1)
    for _ in range(2):
        for batch in waiting_batches(settings):
            receive_deliveries(settings, batch)
        for delivery in current_status(settings).deliveries:
            if delivery.state == "held":
                reason = "The supplier confirmed it by telephone."
                decide(settings, delivery.hand_over_id, "release", reason=reason, actor="A. Steward")
    if is_again:
        with reading(settings) as connection:
            is_asked_for = bool(times_asked(connection))
        if not is_asked_for:
            kent = Selection(supplier="kent-police")
            reprocess(settings, kent, reason="A rule of the contract was mended.", actor="An Engineer")
        for batch in waiting_batches(settings):
            receive_deliveries(settings, batch)
    link(settings, read_keys(settings))


def _child(job: Mapping[str, Any], answers: int) -> None:
    global _killer  # noqa: PLW0603 - the child's own
    home = Path(job["home"])
    _killer = Killer(home, job.get("kill_at", 0))
    sys.addaudithook(_killer.hook)
    if after := job.get("kill_after"):
        threading.Thread(target=_kill_after, args=(after,), daemon=True).start()
    run(home, is_again=job.get("is_again", False))
    with os.fdopen(answers, "w") as out:
        json.dump(_killer.seen, out)


def _kill_after(seconds: float) -> None:
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Do each job in a child of its own; answer with its exit status and, where it came to its end, what it did."""
    _import_everything()
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            code = 1
            try:
                _child(json.loads(line), writing)
                code = 0
            finally:
                os._exit(code)
        os.close(writing)
        with os.fdopen(reading) as told:
            seen = told.read()
        _, status = os.waitpid(child, 0)
        answer = {"status": os.waitstatus_to_exitcode(status), "seen": json.loads(seen or "[]")}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
