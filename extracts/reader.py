"""The reading process: started once, watched, replaced when a file breaks it.

Belongs here: starting ``extracts.staging`` and giving it jobs. Does not belong here: how a file is read.
"""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from extracts.contract import place_aliases
from extracts.staging import ColumnPlan, StagedFile, StagingError, StagingJob, place_keys, with_tuples

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from extracts.contract import Contract
    from extracts.period import Period
    from rasso.settings import Settings


class Reader:
    """Stages files in a child process, one at a time; a file that breaks the process breaks nothing else."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._running()  # starts while the caller still prepares
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def stage(self, source: Path, target: Path, contract: Contract, file_id: int, period: Period) -> StagedFile:
        """Read one file into typed Parquet at ``target``.

        Raises:
            StagingError: the file is no table of the contract, took too long, or broke the reader.
        """
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        job = StagingJob(
            source=str(source),
            target=str(target),
            file_id=file_id,
            period_start=period.start.isoformat(),
            period_end=period.end.isoformat(),
            columns=tuple(
                ColumnPlan(**{name: getattr(column, name) for name in ColumnPlan.__slots__})
                for column in contract.columns
            ),
            ignored_headers=contract.ignored_headers,
            places=place_keys(place_aliases()),
            memory_limit=self._settings.staging_memory_limit,
            threads=self._settings.threads,
        )
        answer = self._ask(json.dumps(asdict(job)))
        if "staged" not in answer:
            raise StagingError(answer["code"], answer["message"])
        return StagedFile(**with_tuples(answer["staged"]))

    def _ask(self, question: str) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(question.encode() + b"\n")
            process.stdin.flush()
            line = self._line(process)
        except BrokenPipeError:
            line = b""
        if not line:
            self._stop()
            raise StagingError("READER_BROKEN", "the file broke the process that read it; look at it by hand")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _line(self, process: subprocess.Popen[bytes]) -> bytes:
        assert process.stdout is not None
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            if not waiting.select(timeout=self._settings.staging_seconds):
                self._stop()
                seconds = self._settings.staging_seconds
                raise StagingError("TOO_SLOW", f"reading the file took longer than {seconds} seconds")
        return process.stdout.readline()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "extracts.staging"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a crash may print what it was reading
            )
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None
