"""The way of a delivery, step by step: deliver, receive, link, build, publish, or run them all."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from rasso.cli.console import app, count, out, progress_shown
from rasso.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scorecards.publication import Publication
    from transforms.build import BuildOutcome
    from transforms.dbt_process import BuildProgress
    from warehouse.record import ReceiptOutcome


@app.command(rich_help_panel="Steps")
def deliver(
    files: Annotated[list[Path], typer.Argument(help="CSV (also gzip), Parquet or XLSX files of one kind.")],
    supplier: Annotated[str, typer.Option(help="Who sends them, such as home-office.")],
    kind: Annotated[str, typer.Option(help="The contract that they keep, such as home_office_outcomes.")],
    period: Annotated[
        str | None,
        typer.Option(help="Months covered: 2014-03 or 2017-04..2018-03. Without it: from each file's name."),
    ] = None,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="The figures are made for demonstration.")] = False,
) -> None:
    """Hand files over to the landing folder as one delivery; the manifest is written last."""
    from extracts.delivery import deliver as hand_over
    from extracts.period import Period

    settings = Settings()
    settings.prepare()
    months = Period.parse(period) if period else None
    delivery = hand_over(settings.landing, files, supplier, kind, period=months, is_synthetic=synthetic)
    out.print(f"delivered {count(len(files), 'file')} as {delivery.supplier}/{delivery.name}; receive with: rasso run")


@app.command(rich_help_panel="Steps")
def receive() -> None:
    """Receive everything that waits: archive, validate, and load, hold or reject it."""
    receive_and_show(Settings())


@app.command(rich_help_panel="Steps")
def link() -> None:
    """Link the crimes and CPS cases that are new or changed; writes tokens, method and probability only."""
    _link(Settings())


@app.command(rich_help_panel="Steps")
def build(
    full: Annotated[
        bool, typer.Option("--full", help="Make everything anew and prove the models on their unit tests.")
    ] = False,
) -> None:
    """Build the marts from everything that was accepted; what has not changed since the last build is kept."""
    _build(Settings(), is_full=full)


@app.command(rich_help_panel="Steps")
def publish() -> None:
    """Publish scorecards from the last good build."""
    _publish(Settings())


@app.command(rich_help_panel="Steps")
def run() -> None:
    """Receive, link, build and publish everything that waits, without Airflow."""
    from warehouse.archive import ArchiveError
    from warehouse.intake import IntakeError
    from warehouse.linkage import LinkError
    from warehouse.status import current_status
    from warehouse.vault import VaultError

    settings = Settings()
    fault: ArchiveError | IntakeError | LinkError | VaultError | None = None
    try:
        receive_and_show(settings)
    except (ArchiveError, IntakeError, VaultError) as error:
        fault = error  # what was accepted beside it is built and published all the same
    try:
        _link(settings)
    except (LinkError, VaultError) as error:  # figures that need no link are published all the same
        fault = fault or error
    status = current_status(settings)
    if status.has_rows and status.is_published:
        out.print(f"nothing new was accepted; the published scorecards stand: {settings.site / 'current'}")
    elif status.has_rows:
        if status.needs_build:
            _build(settings)
        _publish(settings)
    if fault:
        raise fault


def receive_and_show(settings: Settings, only: Sequence[str] | None = None) -> list[ReceiptOutcome]:
    """Receive these hand-overs, or whatever waits, and show what becomes of each."""
    from warehouse.intake import in_batches, receive_deliveries, waiting_batches

    batches = waiting_batches(settings) if only is None else in_batches(settings, only)
    total = sum(len(batch) for batch in batches)
    if not total:
        out.print("no delivery waits in the landing folder")
        return []
    outcomes: list[ReceiptOutcome] = []
    with progress_shown() as progress:
        step = progress.add_task("receiving", total=total)

        def show(outcome: ReceiptOutcome) -> None:
            progress.update(step, advance=1, description=f"receiving {outcome.supplier}")
            if not progress.console.is_terminal or not outcome.is_accepted:
                progress.console.print(_outcome_line(outcome), markup=False)

        for batch in batches:
            outcomes += receive_deliveries(settings, batch, show)
    if outcomes:
        out.print(_receipt_summary(outcomes, settings), markup=False)
    return outcomes


def _link(settings: Settings) -> None:
    from warehouse.keys import read_keys
    from warehouse.linkage import link as link_cases

    with progress_shown() as progress:
        progress.add_task("linking crimes and CPS cases", total=None)
        outcome = link_cases(settings, read_keys(settings))
    if outcome.run_id is None:
        out.print("nothing new to link")
        return
    linked = f"{outcome.exact:,} exact, {outcome.repaired:,} repaired, {outcome.probabilistic:,} probable"
    out.print(f"linked {count(outcome.referrals, 'submission')}: {linked}, {outcome.unlinked:,} not linked")
    out.print(f"what was linked: {settings.reports / 'linkage.html'}; {outcome.seconds:.1f} s")


def _build(settings: Settings, *, is_full: bool = False) -> BuildOutcome:
    from transforms.build import build as build_marts

    with progress_shown() as progress:
        step = progress.add_task("building", total=None)

        def show(news: BuildProgress) -> None:
            progress.update(step, completed=news.done, total=news.total, description=f"building {news.name}")

        outcome = build_marts(settings, show, is_full=is_full).checked()
    out.print(f"built {outcome.models} models, {outcome.tests} tests passed, {outcome.seconds:.1f} s")
    return outcome


def _publish(settings: Settings) -> Publication:
    from scorecards.publication import publish as publish_site

    publication = publish_site(settings)
    word = "published" if publication.is_new else "already published"
    pages = count(publication.pages, "page")
    out.print(f"{word} release {publication.release_id}: {pages}, {publication.seconds:.1f} s")
    out.print(f"open {publication.site_path / 'index.html'}")
    return publication


def _outcome_line(outcome: ReceiptOutcome) -> str:
    rows = f"{outcome.rows_loaded:,} rows loaded, {outcome.rows_quarantined:,} quarantined"
    detail = rows if outcome.is_accepted else f"{outcome.reason}; see {outcome.report}"
    return f"{outcome.state}: {outcome.supplier}/{outcome.delivery_name}: {detail}"


def _receipt_summary(outcomes: Sequence[ReceiptOutcome], settings: Settings) -> str:
    states = [outcome.state for outcome in outcomes]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return f"received {count(len(outcomes), 'delivery')}: {counts}; reports: {settings.reports / 'index.html'}"
