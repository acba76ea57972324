"""Limits of the reading process: memory, time, disk. Each fires, blames who is to blame, and takes nobody else down."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from small_extracts import CPS, CRIME, cps_month, good_extract, recorded_crime

from extracts.contract import all_contracts
from extracts.reader import FileToRead, Reader
from extracts.staging_jobs import StagingError
from rasso.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good file of 43 rows."""
    return cps_month(1).write(tmp_path_factory.mktemp("extracts") / "small.csv")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good file of 40 MB, of descriptions that do not pack well."""
    chance, extract = random.Random(1992), recorded_crime(2)  # noqa: S311 - no secret
    place = extract.header.index("Offence Description")
    extract.rows = [
        [*row[:place], chance.randbytes(300).hex(), *row[place + 1 :]] for _ in range(300) for row in extract.rows
    ]
    return extract.write(tmp_path_factory.mktemp("extracts") / "large.csv")


def _file(source: Path, folder: Path, kind: str = CPS, name: str = "staged") -> FileToRead:
    good = good_extract(kind)
    return FileToRead(source, folder / f"{name}.parquet", all_contracts()[kind], 1, good.period, good.supplier)


def refused(reader: Reader, file: FileToRead) -> str:
    """The code with which a file is refused."""
    with pytest.raises(StagingError) as caught:
        reader.stage(file)
    assert not file.target.exists()
    return caught.value.code


def test_within_its_limits_a_large_file_is_read(tmp_path: Path, large: Path) -> None:
    with Reader(Settings(home=tmp_path)) as reader:
        assert reader.stage(_file(large, tmp_path, CRIME)).row_count == 66_000


def test_a_file_that_needs_too_much_memory_is_too_large(tmp_path: Path, large: Path) -> None:
    with Reader(Settings(home=tmp_path, staging_memory_limit="24MB")) as reader:
        assert refused(reader, _file(large, tmp_path, CRIME)) == "TOO_LARGE"


def test_the_process_itself_has_no_more_address_space_than_it_may(tmp_path: Path, small: Path) -> None:
    """Memory that no limit of DuckDB's counts: a library that takes what a file asks for."""
    with Reader(Settings(home=tmp_path)) as reader:
        reader.stage(_file(small, tmp_path))
        process = reader._running()
        limits = {line.partition("  ")[0]: line.split() for line in _limits(process.pid)}
    assert limits["Max address space"][3:5] == [str(4 << 30)] * 2
    assert limits["Max file size"][3:5] == [str(8 << 30)] * 2
    assert limits["Max core file size"][4:6] == ["0", "0"]


def _limits(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/limits").read_text(encoding="utf-8").splitlines()


def test_a_file_that_takes_too_long_is_too_slow_and_the_next_is_read(tmp_path: Path, small: Path) -> None:
    with Reader(Settings(home=tmp_path, staging_seconds=5)) as reader:
        reader.stage(_file(small, tmp_path, name="first"))
        reader._running().send_signal(signal.SIGSTOP)
        assert refused(reader, _file(small, tmp_path)) == "TOO_SLOW"
        assert reader.stage(_file(small, tmp_path)).row_count == 43


def test_reading_writes_no_larger_file_than_it_may(tmp_path: Path, small: Path, large: Path) -> None:
    with Reader(Settings(home=tmp_path, staging_unpacked_limit=1 << 20)) as reader:
        assert refused(reader, _file(large, tmp_path, CRIME)) == "TOO_LARGE"
        assert reader.stage(_file(small, tmp_path)).row_count == 43


def test_mending_writes_no_larger_file_than_it_may(tmp_path: Path, large: Path) -> None:
    mended = tmp_path / "mended.csv"
    mended.write_bytes(large.read_bytes().replace(b"\n", b"\r"))
    with Reader(Settings(home=tmp_path, staging_unpacked_limit=1 << 20)) as reader:
        assert refused(reader, _file(mended, tmp_path, CRIME)) == "TOO_LARGE"


def _killing(reader: Reader, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill the next processes as soon as they are asked for."""
    running, killed = reader._running, threading.Semaphore(times)

    def kill_first() -> subprocess.Popen[bytes]:
        process = running()
        if killed.acquire(blocking=False):
            process.kill()
            process.wait()
        return process

    monkeypatch.setattr(reader, "_running", kill_first)


def test_a_process_that_is_killed_once_is_replaced_and_its_file_read(
    tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system kills whom it likes when memory runs out: the file is not to blame."""
    with Reader(Settings(home=tmp_path)) as reader:
        _killing(reader, 1, monkeypatch)
        assert reader.stage(_file(small, tmp_path)).row_count == 43


def test_a_file_that_breaks_two_processes_is_to_blame_and_the_next_is_read(
    tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Reader(Settings(home=tmp_path)) as reader:
        _killing(reader, 2, monkeypatch)
        assert refused(reader, _file(small, tmp_path)) == "READER_BROKEN"
        assert reader.stage(_file(small, tmp_path)).row_count == 43


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["/usr/bin/mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here; run as root where mount is allowed")
    yield folder
    subprocess.run(["/usr/bin/umount", str(folder)], check=True)


@pytest.mark.parametrize("line_end", [b"\n", b"\r"], ids=["staged", "mended"])
def test_a_full_disk_is_no_fault_of_the_supplier(small_disk: Path, large: Path, line_end: bytes) -> None:
    source = small_disk.parent / "source.csv"
    source.write_bytes(large.read_bytes().replace(b"\n", line_end))
    with Reader(Settings(home=small_disk.parent)) as reader:
        assert refused(reader, _file(source, small_disk, CRIME)) == "MACHINE_FAULT"


def test_a_file_that_quotes_the_system_is_rejected_all_the_same(tmp_path: Path) -> None:
    """Else whoever writes such words into a broken file has it read again for ever."""
    source = tmp_path / "source.csv"
    source.write_bytes(cps_month(3).text().encode().replace(b"Lancashire,", b"No space left on device,1,2,", 1))
    with Reader(Settings(home=tmp_path)) as reader:
        assert refused(reader, _file(source, tmp_path)) == "UNREADABLE_FILE"


def test_a_reading_process_ends_with_its_starter(tmp_path: Path) -> None:
    """Whoever takes up the work of a starter that was killed writes to the same places."""
    program = (
        "import sys, time\n"
        "from extracts.reader import Reader\n"
        "from rasso.settings import Settings\n"
        "with Reader(Settings(home=sys.argv[1])) as reader:\n"
        "    print(reader._running().pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        child = psutil.Process(int(starter.stdout.readline()))
        _wait(lambda: str(4 << 30) in "".join(_limits(child.pid)))  # it is set up
        child.suspend()  # it can do nothing about it
        starter.kill()
    _wait(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def _wait(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
