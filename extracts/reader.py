"""The reading process: started once, watched, replaced when a file breaks it.

Belongs here: starting ``extracts.staging`` and giving it jobs. Does not belong here: how a file is read.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from extracts.contract import place_aliases
from extracts.encrypted import EncryptedFileError, file_key
from extracts.staging import place_keys
from extracts.staging_jobs import ARCHIVE_DAMAGED, ColumnPlan, StagedFile, StagingError, StagingJob
from extracts.suppliers import all_suppliers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from extracts.contract import Contract
    from extracts.period import Period
    from rasso.settings import Settings


@dataclass(frozen=True, slots=True, repr=False)
class ReadingKeys:
    """Keys with which archived files are read.

    ``archive`` opens them, ``token`` makes tokens of case references, and ``hand_over`` encrypts the references on
    their way to the vault; the last is made anew by each receiving process.
    """

    archive: bytes
    token: bytes
    hand_over: bytes


@dataclass(frozen=True, slots=True)
class FileToRead:
    """One file: where it lies, where it is staged, its contract, its number in the batch, its period and supplier.

    ``delivery_number`` tells files of one delivery from those of another in the same batch.
    """

    source: Path
    target: Path
    contract: Contract
    file_id: int
    period: Period
    supplier: str
    delivery_number: int = 1


# What a process reads in the time that it takes to start one.
_WORTH_BYTES, _WORTH_FILES = 1 << 18, 8
_COMMAND = (sys.executable, "-m", "extracts.staging")


class Readers:
    """Several reading processes, so that several files are staged at a time.

    No more than there are files to read, and none for less than it takes to start it: ``file_sizes`` are in bytes.
    """

    def __init__(self, settings: Settings, keys: ReadingKeys | None, file_sizes: Sequence[int]) -> None:
        self._readers: SimpleQueue[Reader] = SimpleQueue()
        count = len(file_sizes)
        wanted = min(settings.threads, count, 1 + max(sum(file_sizes) // _WORTH_BYTES, count // _WORTH_FILES))
        self._all = [Reader(settings, keys) for _ in range(max(1, wanted))]
        self._threads = ThreadPoolExecutor(len(self._all), thread_name_prefix="reader")

    def __enter__(self) -> Self:
        for reader in self._all:
            self._readers.put(reader.__enter__())
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        for reader in self._all:
            reader.close()

    def stage(self, file: FileToRead) -> Future[StagedFile]:
        """Read one file when a process is free; see ``Reader.stage``."""
        return self._threads.submit(self._stage, file)

    def _stage(self, file: FileToRead) -> StagedFile:
        reader = self._readers.get()
        try:
            return reader.stage(file)
        finally:
            self._readers.put(reader)


class Reader:
    """Stages files in a child process, one at a time; a file that breaks the process breaks nothing else."""

    def __init__(self, settings: Settings, keys: ReadingKeys | None = None) -> None:
        self._settings = settings
        self._keys = keys
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._running()  # starts while the caller still prepares
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def stage(self, file: FileToRead) -> StagedFile:
        """Read one file into typed Parquet at its target.

        With keys, the source is a file of the archive, and case references are replaced by tokens; without, it is a
        plain file, and one that holds case references is refused.

        Raises:
            StagingError: the file is no table of the contract, took too long, or broke the reader.
        """
        file.target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        sender = all_suppliers()[file.supplier]
        try:
            source_key = file_key(file.source, self._keys.archive).hex() if self._keys else ""
        except EncryptedFileError as error:
            raise StagingError(ARCHIVE_DAMAGED, f"the archived file cannot be read: {error}") from error
        job = StagingJob(
            source=str(file.source),
            target=str(file.target),
            delivery_number=file.delivery_number,
            file_id=file.file_id,
            period_start=file.period.start.isoformat(),
            period_end=file.period.end.isoformat(),
            as_of=self._settings.as_of.isoformat(),
            supplier_code=sender.code,
            own_force_codes=sender.own_force_codes,
            columns=tuple(
                ColumnPlan(**{name: getattr(column, name) for name in ColumnPlan.__slots__})
                for column in file.contract.columns
            ),
            ignored_headers=file.contract.ignored_headers,
            places=place_keys(place_aliases()),
            source_key=source_key,
            token_key=self._keys.token.hex() if self._keys else "",
            hand_over_key=self._keys.hand_over.hex() if self._keys else "",
            memory_limit=self._settings.staging_memory_limit,
            unpacked_limit=self._settings.staging_unpacked_limit,
            threads=self._settings.threads,
        )
        answer = self._ask(json.dumps(asdict(job)))
        if "staged" not in answer:
            raise StagingError(answer["code"], answer["message"])
        return StagedFile.from_document(answer["staged"])

    def close(self) -> None:
        """End the process."""
        self._stop()

    def _ask(self, question: str) -> dict[str, Any]:
        """The answer of the reading process; of a second one, where the first ended without a word.

        A process may be killed for what others do: only a file that breaks two of them is to blame.
        """
        line = self._line_of(question) or self._line_of(question)
        if not line:
            raise StagingError("READER_BROKEN", "the file broke the process that read it; look at it by hand")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _line_of(self, question: str) -> bytes:
        """The line with which the process answers; nothing where it has ended."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(question.encode() + b"\n")
            process.stdin.flush()
            line = self._line(process)
        except BrokenPipeError:
            line = b""
        if not line.endswith(b"\n"):
            self._stop()
            return b""
        return line

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
                [*_COMMAND, str(os.getpid()), f"{self._settings.staging_unpacked_limit:d}"],
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
