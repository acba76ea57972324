"""``rasso up``: a local Airflow, deliveries, progress, and the published scorecards on 127.0.0.1."""

from __future__ import annotations

import shutil
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import duckdb
import fasteners
from rich.live import Live
from rich.table import Table

from extracts.delivery import DeliveryError, LandedDelivery, deliver, waiting
from extracts.reader import Reader
from extracts.recognition import recognise
from rasso import samples
from rasso.local_airflow import LocalAirflow, StartError, free_port, wait_until_ready
from rasso.progress import progress_bar
from rasso.site_server import serving
from warehouse.keys import make_keys, read_keys
from warehouse.lake import LakeError
from warehouse.schema import prepare_home
from warehouse.status import Status, current_status

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from extracts.synthetic.synthesise import Progress
    from rasso.settings import Settings

__all__ = ["StartError", "bring_up"]

_READY_SECONDS = 180.0
_POLL_SECONDS = 1.5
_LONG_SECONDS = 300.0
_FIRST_AREA = "areas/west-midlands/"
_FIRST_EDITION = f"west-midlands/{_FIRST_AREA}"


def bring_up(
    settings: Settings,
    console: Console,
    *,
    extracts: Path | None,
    sample_scale: float,
    airflow_port: int,
    site_port: int,
    until_published: bool,
) -> None:
    """Start everything, wait for scorecards, serve until Ctrl-C (or until published); stops all that it started.

    Raises:
        StartError: something did not start, or nothing could be published.
        DeliveryError: the folder of extracts cannot be used.
    """
    for name in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal stops everything, too
        signal.signal(name, _stop)
    prepare_home(settings)
    with ExitStack() as stack:
        _be_alone(settings, stack)
        _say(console, f"state lives in {settings.root}")
        _have_keys(settings, console)
        settings = _hand_over(settings, console, extracts, sample_scale)
        told = _concluded(settings)  # what an earlier run told is no news
        airflow = stack.enter_context(LocalAirflow(settings, free_port(airflow_port)))
        console.print("starting Airflow (the first time takes about half a minute) …")
        airflow.start()
        wait_until_ready(airflow, _READY_SECONDS)
        airflow.trigger("receive_extracts")  # takes up at once what a stopped run left, also what is not built yet
        site = stack.enter_context(serving(settings, free_port(site_port), with_restricted=extracts is None))
        _wait_for_scorecards(settings, console, airflow, told)
        _print_addresses(settings, console, airflow, site, with_restricted=extracts is None)
        if samples.has_last_month(settings):
            _show_a_live_month(settings, console, airflow, told)
        _print_what_was_not_accepted(settings, console)
        if not until_published:
            console.print("scorecards are published; serving until Ctrl-C, which stops everything")
            _serve(airflow)


def _stop(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _be_alone(settings: Settings, stack: ExitStack) -> None:
    lock = fasteners.InterProcessLock(str(settings.root / "up.lock"))
    if not lock.acquire(blocking=False):
        raise StartError(f"another 'rasso up' already runs on {settings.root}; stop it, or set RASSO_HOME")
    stack.callback(lock.release)


def _have_keys(settings: Settings, console: Console) -> None:
    """Make a development key where there is none: nothing is received without one."""
    if not settings.key_file.exists():
        make_keys(settings, development=True)
    if read_keys(settings).is_development:
        console.print(
            f"[bold red]DEVELOPMENT KEY[/bold red] in {settings.key_file}: fit for samples and trials, never for real "
            "cases. In service a key is made with: rasso make-key",
        )


def _hand_over(settings: Settings, console: Console, extracts: Path | None, sample_scale: float) -> Settings:
    """Deliver a folder's files, or the samples where the home is new; returns the settings that then hold."""
    if extracts is not None:
        count = _deliver_folder(settings, console, extracts)
        _say(console, f"delivered {count} from {extracts}")
    elif not current_status(settings).deliveries:
        settings = _deliver_samples(settings, console, sample_scale)
    else:
        console.print("taking up the state of the last run")
    return settings


def _deliver_samples(settings: Settings, console: Console, scale: float) -> Settings:
    console.print("writing samples: [bold]synthetic cases and figures, made for demonstration, not real[/bold]")
    with progress_bar(console) as progress:
        step = progress.add_task("writing samples", total=None)

        def show(news: Progress) -> None:
            progress.update(step, completed=news.done, total=news.total, description=f"writing samples: {news.name}")

        settings = samples.make_samples(settings, scale, show)
    count = samples.hand_over_history(settings)
    _say(console, f"delivered {count} synthetic deliveries; the day of this home is {settings.as_of}")
    return settings


def _show_a_live_month(settings: Settings, console: Console, airflow: LocalAirflow, told: set[str]) -> None:
    """Hand the last month over while the pages are served: an event starts its way to them."""
    _say(console, "now the last month arrives; Airflow takes it up by itself, and the pages refresh: watch them")
    count = samples.hand_over_last_month(settings)
    _say(console, f"delivered {count} synthetic deliveries of {samples.MONTHS.end:%B %Y}")
    _wait_for_scorecards(settings, console, airflow, told)
    _say(console, "the last month is on the pages")


def _deliver_folder(settings: Settings, console: Console, extracts: Path) -> str:
    if not extracts.is_dir():
        raise DeliveryError("MISSING_FOLDER", f"there is no folder {extracts}")
    prepared = waiting(extracts)
    if prepared:
        return _copy_prepared(settings, prepared)
    files = sorted(path for path in extracts.rglob("*") if path.is_file() and not path.name.startswith("."))
    if not files:
        raise DeliveryError("MISSING_FILE", f"the folder {extracts} is empty")
    scratch = settings.lake / "recognised"
    recognised, left_out = [], []
    with Reader(settings) as reader:
        for path in files:
            try:
                recognised.append(recognise(path, reader, scratch))
            except DeliveryError as error:
                left_out.append(str(error))
    shutil.rmtree(scratch, ignore_errors=True)
    for reason in left_out:
        _say(console, f"left out: {reason}")
    if not recognised:
        raise DeliveryError("NOT_RECOGNISED", f"no file in {extracts} is an extract that a contract describes")
    for file in recognised:
        deliver(settings.landing, [file.path], file.supplier, file.kind, period=file.period)
    return f"{len(recognised)} files"


def _copy_prepared(settings: Settings, prepared: list[LandedDelivery]) -> str:
    """Deliveries that have their manifest already are copied as they are, and appear when they are whole."""
    for delivery in prepared:
        target = settings.landing / delivery.folder.parent.name / delivery.folder.name
        if not target.exists():
            unfinished = target.with_name(f".{target.name}")
            shutil.copytree(delivery.folder, unfinished, dirs_exist_ok=True)
            unfinished.rename(target)
    return f"{len(prepared)} prepared deliveries"


def _concluded(settings: Settings) -> set[str]:
    return {row.hand_over_id for row in current_status(settings).deliveries if row.state != "waiting"}


def _wait_for_scorecards(settings: Settings, console: Console, airflow: LocalAirflow, told: set[str]) -> None:
    """Show progress until everything that waits is concluded and its release is published.

    ``told`` holds the hand-overs of which the reader knows, and takes up the others.
    """
    started = time.monotonic()
    said: set[str] = set()
    with Live(console=console, transient=True, auto_refresh=False) as live:
        while True:
            airflow.check_alive()
            status = _status(settings)
            if status is not None:
                if console.is_terminal:
                    live.update(_table(status, time.monotonic() - started), refresh=True)
                else:
                    _say_news(console, status, told, said)
                if _is_done(status):
                    return
                _say_if_it_takes_long(console, status, time.monotonic() - started, said)
            time.sleep(_POLL_SECONDS)


def _say_if_it_takes_long(console: Console, status: Status, seconds: float, said: set[str]) -> None:
    if seconds < _LONG_SECONDS or "long" in said:
        return
    said.add("long")
    _say(console, f"this takes long ({status.stage}); look at failed tasks in Airflow, or stop and run: rasso run")


def _status(settings: Settings) -> Status | None:
    try:
        return current_status(settings)
    except (LakeError, duckdb.Error):  # the catalogue is being written; the next look succeeds
        return None


def _is_done(status: Status) -> bool:
    counts = status.counts()
    if counts.get("waiting"):
        return False
    if not counts.get("accepted"):
        raise StartError("no delivery was accepted; see the reasons with: rasso status")
    return status.is_published


def _say_news(console: Console, status: Status, told: set[str], said: set[str]) -> None:
    for row in status.deliveries:
        if row.hand_over_id and row.state != "waiting" and row.hand_over_id not in told:
            told.add(row.hand_over_id)
            detail = row.reason or f"{row.rows_loaded:,} rows loaded, {row.rows_quarantined:,} quarantined"
            _say(console, f"{row.state}: {row.supplier} {row.kinds} {row.periods}: {detail}")
    if status.stage not in said:
        said.add(status.stage)
        _say(console, status.stage)


def _table(status: Status, seconds: float) -> Table:
    table = Table("supplier", "extract", "waiting", "accepted", "held", "rejected", "duplicate")
    table.title = f"{status.stage} ({seconds:.0f} s)"
    for (supplier, kinds), counts in sorted(status.by_extract().items()):
        states = ("waiting", "accepted", "held", "rejected", "duplicate")
        table.add_row(supplier, kinds or "not read yet", *(str(counts.get(state, 0)) for state in states))
    return table


def _print_what_was_not_accepted(settings: Settings, console: Console) -> None:
    for row in current_status(settings).deliveries:
        if row.state not in ("accepted", "duplicate"):
            _say(console, f"{row.state}: {row.supplier}/{row.delivery_name}: {row.reason}")


def _print_addresses(
    settings: Settings, console: Console, airflow: LocalAirflow, site: str, *, with_restricted: bool
) -> None:
    public = settings.site / "current" / "public"
    area = _FIRST_AREA if (public / _FIRST_AREA).is_dir() else ""
    password = airflow.password()
    has_cases = with_restricted and (settings.site / "current" / "restricted" / _FIRST_EDITION).is_dir()
    sign_in = f"(user admin, password {password})" if password else ""
    for line in (
        f"Airflow             {airflow.address}  {sign_in}".rstrip(),
        f"validation reports  {site}/reports/index.html",
        f"all scorecards      {site}/public/",
        f"an Area's page      {site}/public/{area}",
        *([f"its own cases       {site}/restricted/{_FIRST_EDITION}"] if has_cases else []),
    ):
        _say(console, line)


def _serve(airflow: LocalAirflow) -> None:
    try:
        while True:
            airflow.check_alive()
            time.sleep(1)
    except KeyboardInterrupt:
        return


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False)
