"""A local Airflow on SQLite: its settings, its four processes, and stopping them.

Belongs here: running Airflow on one machine for ``rasso up`` and for tests. In service the processes run in containers
(docker-compose.yml).
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from rasso.settings import Settings

DAGS = Path(__file__).parent.parent / "dags"
PROCESSES = ("api-server", "scheduler", "dag-processor", "triggerer")
_STOP_SECONDS = 20


class StartError(Exception):
    """Something did not start or died; the message names the log to read."""


def free_port(wanted: int) -> int:
    """The wanted port of 127.0.0.1, or a free one where somebody else has it; 0 for any."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StartError("no port is free on 127.0.0.1")


class LocalAirflow:
    """Api-server, scheduler, dag-processor and triggerer of one home; a context that stops all that it started.

    ``database`` is SQLAlchemy's address of Airflow's own database; without it, it is SQLite in the home.
    """

    def __init__(self, settings: Settings, port: int, database: str = "") -> None:
        self._settings = settings
        self._port = port
        self._database = database or f"sqlite:///{settings.airflow / 'airflow.db'}"
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def address(self) -> str:
        """Where the Airflow UI is."""
        return f"http://127.0.0.1:{self._port}"

    def password(self) -> str:
        """The generated password of the user ``admin``; empty until the api-server made it."""
        path = self._settings.airflow / "simple_auth_manager_passwords.json.generated"
        return str(json.loads(path.read_text()).get("admin", "")) if path.exists() else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Migrate Airflow's database and start the four processes; returns before they are ready."""
        self._run_to_end("db", "migrate")
        for name in PROCESSES:
            self.start_process(name)

    def start_process(self, name: str, label: str = "") -> None:
        """Start one of the four processes; another of the same name needs a label of its own."""
        # Task logs are read from the folder; Airflow's servers for them would listen on every interface.
        options = ["--skip-serve-logs"] if name in ("scheduler", "triggerer") else []
        with self._log(label or name).open("ab") as log:
            self._running[label or name] = subprocess.Popen(
                [*_airflow(), name, *options],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches us alone; we stop the others in order
            )

    def check_alive(self) -> None:
        """Raise where one of the processes has died.

        Raises:
            StartError: it has; the message names its log.
        """
        for name, process in self._running.items():
            if process.poll() is not None:
                raise StartError(f"Airflow's {name} stopped (exit code {process.returncode}); read {self._log(name)}")

    def is_ready(self) -> bool:
        """Whether scheduler, dag-processor and triggerer report a heartbeat."""
        try:
            with urllib.request.urlopen(f"{self.address}/api/v2/monitor/health", timeout=5) as answer:  # noqa: S310
                health = json.load(answer)
        except (OSError, urllib.error.URLError, json.JSONDecodeError):
            return False
        parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
        return all(health.get(part, {}).get("status") == "healthy" for part in parts)

    def stop_process(self, name: str, *, is_kill: bool = False) -> None:
        """Stop one process and everything that it started."""
        process = self._running.pop(name)
        try:
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            family = []
        for member in family:
            _signal(member, is_kill=is_kill)
        _, alive = psutil.wait_procs(family, timeout=_STOP_SECONDS)
        for member in alive:
            _signal(member, is_kill=True)
        process.wait()

    def stop(self) -> None:
        """Stop all that still runs, the scheduler first so that it starts nothing new."""
        with _undisturbed():
            for name in sorted(self._running, key=lambda label: not label.startswith("scheduler")):
                self.stop_process(name)

    def trigger(self, dag_id: str, parameters: Mapping[str, str] | None = None) -> None:
        """Start a run of a DAG."""
        self._run_to_end("dags", "trigger", dag_id, *(["--conf", json.dumps(parameters)] if parameters else []))

    def pause(self, dag_id: str, *, is_paused: bool) -> None:
        """Have a DAG begin no run, or begin them again."""
        self._run_to_end("dags", "pause" if is_paused else "unpause", "--yes", dag_id)

    def _run_to_end(self, *arguments: str) -> None:
        log = self._log("-".join(arguments[:2]))
        with log.open("ab") as out:
            code = subprocess.run(
                [*_airflow(), *arguments], env=self._environment(), stdout=out, stderr=out, check=False
            )
        if code.returncode:
            raise StartError(f"airflow {' '.join(arguments[:3])} failed; read {log}")

    def _log(self, name: str) -> Path:
        return self._settings.logs / f"airflow-{name}.log"

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
        ours = {f"AIRFLOW__{name}": value for name, value in self._configuration().items()}
        home = {"AIRFLOW_HOME": str(self._settings.airflow), "RASSO_HOME": str(self._settings.root)}
        return kept | ours | home | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}

    def _configuration(self) -> Mapping[str, str]:
        return {
            "CORE__DAGS_FOLDER": str(DAGS),
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": "2",  # the local executor starts as many processes at once
            "CORE__EXECUTION_API_SERVER_URL": f"{self.address}/execution/",
            "CORE__FERNET_KEY": self._secret("fernet"),
            "API__HOST": "127.0.0.1",
            "API__PORT": str(self._port),
            "API__BASE_URL": self.address,
            "API__WORKERS": "1",
            "API__SECRET_KEY": self._secret("api"),
            "API_AUTH__JWT_SECRET": self._secret("jwt"),
            "DATABASE__SQL_ALCHEMY_CONN": self._database,
            # DAG files change with the code alone: they need not be read again each half minute.
            "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
            "LOGGING__BASE_LOG_FOLDER": str(self._settings.logs / "airflow"),
            "DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "60",
            "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
            # Tasks of a scheduler that was killed are run again after a minute instead of five.
            "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
            "TRIGGERER__JOB_HEARTBEAT_SEC": "2",
        }

    def _secret(self, name: str) -> str:
        """A secret of the local Airflow: made once, kept in a file that only its owner reads."""
        path = self._settings.root / "secrets" / f"airflow_{name}"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(_new_key() if name == "fernet" else secrets.token_urlsafe(48))
            path.chmod(0o400)
        return path.read_text()


def wait_until_ready(airflow: LocalAirflow, seconds: float) -> None:
    """Wait for all four processes.

    Raises:
        StartError: one died, or they are not ready in time.
    """
    deadline = time.monotonic() + seconds
    while not airflow.is_ready():
        airflow.check_alive()
        if time.monotonic() > deadline:
            raise StartError(f"Airflow was not ready after {seconds:.0f} s; read the logs named airflow-*.log")
        time.sleep(0.5)


def _airflow() -> list[str]:
    script = Path(sys.executable).with_name("airflow")
    return [str(script)] if script.exists() else [shutil.which("airflow") or "airflow"]


def _new_key() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C, or a terminal that closes, must not leave half of the processes running."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is told of signals
        return
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _signal(process: psutil.Process, *, is_kill: bool) -> None:
    try:
        process.kill() if is_kill else process.terminate()
    except psutil.NoSuchProcess:
        return
