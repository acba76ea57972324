"""The ``rasso`` command line: each command is one call of a room's function and the words around it."""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from dataclasses import asdict
from datetime import datetime  # noqa: TC003 - Typer reads the annotations at run time
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - Typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from rasso.progress import progress_bar
from rasso.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import Progress

    from scorecards.publication import Publication
    from transforms.build import BuildOutcome
    from transforms.dbt_process import BuildProgress
    from transforms.explain import Explanation
    from warehouse.record import ReceiptOutcome
    from warehouse.revisions import Revision
    from warehouse.supply import Supply

app = typer.Typer(
    help="Receive police and CPS extracts, build the marts, publish regional scorecards.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# Without a terminal there is no width to fit into: a table in a log or a pipe keeps its words whole.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 180)
err = Console(stderr=True, highlight=False, soft_wrap=True)


SYNTHETIC_MONTHS = "2018-01..2020-12"
SYNTHETIC_SEED = 1992  # the year of the Act that protects complainants


class SyntheticLayout(StrEnum):
    """How ``rasso synthesise`` cuts months into deliveries."""

    history = "history"
    monthly = "monthly"


class OutputFormat(StrEnum):
    """How ``rasso status`` and ``rasso revisions`` answer."""

    table = "table"
    json = "json"


@app.command()
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
    out.print(f"delivered {_count(len(files), 'file')} as {delivery.supplier}/{delivery.name}; receive with: rasso run")


@app.command()
def receive() -> None:
    """Receive everything that waits: archive, validate, and load, hold or reject it."""
    _receive(Settings())


@app.command()
def link() -> None:
    """Link the crimes and CPS cases that are new or changed; writes tokens, method and probability only."""
    _link(Settings())


@app.command()
def build(
    full: Annotated[
        bool, typer.Option("--full", help="Make everything anew and prove the models on their unit tests.")
    ] = False,
) -> None:
    """Build the marts from everything that was accepted; what has not changed since the last build is kept."""
    _build(Settings(), is_full=full)


@app.command()
def publish() -> None:
    """Publish scorecards from the last good build."""
    _publish(Settings())


@app.command()
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
        _receive(settings)
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


@app.command()
def status(
    output: Annotated[OutputFormat, typer.Option("--format", help="Tables to read, or JSON.")] = OutputFormat.table,
    every: Annotated[bool, typer.Option("--all", help="List every delivery, also what was accepted.")] = False,
) -> None:
    """Show suppliers by month (received, held, rejected, late, missing), and what is not accepted, with reasons."""
    from warehouse.status import current_status
    from warehouse.supply import PAGE, current_supply, in_words
    from warehouse.waivers import current_waivers

    settings = Settings()
    report = current_status(settings)
    supply = current_supply(settings)
    waivers = current_waivers(settings)
    if output is OutputFormat.json:
        waived = {"waivers": [asdict(waiver) for waiver in waivers]}
        answer = report.as_json() | {"supply": supply.as_json()} | waived
        sys.stdout.write(json.dumps(answer, indent=2, default=str) + "\n")
        return
    if supply.suppliers:
        _print_supply(supply)
    shown = [row for row in report.deliveries if every or row.state not in _WELL]
    table = Table("supplier", "extract", "period", "state", "loaded", "quarantined", "reason")
    table.title = "Deliveries" if every else "Deliveries that are not accepted (--all lists every one)"
    for row in shown:
        numbers = (f"{row.rows_loaded:,}", f"{row.rows_quarantined:,}")
        table.add_row(row.supplier, row.kinds, row.periods, row.state, *numbers, row.reason or "")
    if shown:
        out.print(table)
    late = in_words(supply.late)
    for line in late[:_SHOWN_LINES]:
        out.print(f"to be asked for: {line}", markup=False)
    if len(late) > _SHOWN_LINES:
        out.print(f"and {_count(len(late) - _SHOWN_LINES, 'line')} more: {settings.reports / PAGE}", markup=False)
    if len(supply.overdue) > len(supply.late):
        out.print(f"missing for longer: {_count(len(supply.overdue) - len(supply.late), 'extract')} of a month")
    for one in waivers:
        words = f"until {one.expires_on}, by {one.actor}: {one.reason}"
        out.print(f"waived: rule {one.rule_id} for {one.supplier} {words}", markup=False)
    for line in report.notes:
        out.print(line)


def _print_supply(supply: Supply) -> None:
    """The grid of suppliers and months."""
    table = Table(title=f"Suppliers by month, as of {supply.as_of:%d %B %Y}")
    table.add_column("supplier", no_wrap=True)
    for month in supply.months:
        table.add_column(f"{month:%Y-%m}")
    for supplier, months in supply.suppliers.items():
        table.add_row(supplier, *(month.label for month in months))
    out.print(table)


@app.command()
def revisions(
    supplier: Annotated[str | None, typer.Option(help="Of this supplier only, such as home-office.")] = None,
    kind: Annotated[str | None, typer.Option(help="Of this extract only, such as home_office_outcomes.")] = None,
    period: Annotated[
        str | None, typer.Option(help="With one of these months at least: 2020-11 or 2020-01..2020-12.")
    ] = None,
    output: Annotated[OutputFormat, typer.Option("--format", help="A table to read, or JSON.")] = OutputFormat.table,
) -> None:
    """List what later deliveries say of what earlier ones had said: rows new, changed, the same, gone."""
    from warehouse.revisions import PAGE, list_revisions
    from warehouse.selection import Selection

    settings = Settings()
    selection = Selection.of(supplier, kind, period)
    shown = [one for one in list_revisions(settings).revisions if selection.has(one.supplier, one.kind, one.period)]
    if output is OutputFormat.json:
        sys.stdout.write(json.dumps({"revisions": [one.as_json() for one in shown]}, indent=2) + "\n")
        return
    if shown:
        _print_revisions(shown)
    else:
        out.print("no accepted delivery that was asked for says again what an earlier one had said")
    out.print(f"every revision: {settings.reports / PAGE}", markup=False)


def _print_revisions(shown: Sequence[Revision]) -> None:
    """A line for each of them; rows of a case extract that are left out stay, so none of them is gone."""
    table = Table("supplier", "extract", "months", "sent before", "sent", title="Revisions, sent last first")
    for name in ("new", "changed", "same", "gone"):
        table.add_column(name, justify="right")
    for one in shown:
        when = f"{one.sent_at:%Y-%m-%d %H:%M}"
        rows = ["" if count is None else f"{count:,}" for count in (one.new, one.changed, one.same, one.gone)]
        table.add_row(one.supplier, one.kind, str(one.period), "yes" if one.is_resupply else "no", when, *rows)
    out.print(table)


_WELL = {"accepted", "duplicate", "released", "replaced"}
_SHOWN_LINES = 20
_HELD = Annotated[str, typer.Argument(help="Id of the hand-over, the beginning of one, or supplier/delivery.")]
_REASON = Annotated[str, typer.Option(help="Why, for auditors; nothing about a person.")]
_ACTOR = Annotated[str, typer.Option(help="Who decides.")]


@app.command()
def release(delivery: _HELD, reason: _REASON, actor: _ACTOR) -> None:
    """Load a delivery that was held: its bad rows stay out, and the decision is kept with the delivery."""
    from warehouse.decisions import decide

    settings = Settings()
    decision = decide(settings, delivery, "release", reason=reason, actor=actor)
    if not _receive(settings, [decision.release_id]):
        out.print("released; another process is receiving it at this moment")


@app.command()
def reject(delivery: _HELD, reason: _REASON, actor: _ACTOR) -> None:
    """Refuse a delivery that was held, for good; the supplier sends another."""
    from warehouse.decisions import decide

    decision = decide(Settings(), delivery, "reject", reason=reason, actor=actor)
    out.print(f"rejected {decision.hand_over_id}; nothing of it is loaded", markup=False)


@app.command()
def waive(
    rule: Annotated[str, typer.Argument(help="Id of a rule that holds deliveries, such as PC-033.")],
    supplier: Annotated[str, typer.Option(help="Whose deliveries it is to hold no longer.")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day; yesterday ends a waiver.")],
    reason: _REASON,
    actor: _ACTOR,
) -> None:
    """Let a rule hold no delivery of a supplier until a day, within a year; status lists what is waived."""
    from warehouse.waivers import waive as decide_to

    waiver = decide_to(Settings(), rule, supplier, until.date(), reason=reason, actor=actor)
    out.print(f"rule {rule} holds no delivery of {supplier} until {waiver.expires_on}", markup=False)


@app.command()
def reprocess(
    *,
    reason: _REASON,
    actor: _ACTOR,
    supplier: Annotated[str | None, typer.Option(help="Only what this supplier sent.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only deliveries with an extract of this kind.")] = None,
    period: Annotated[
        str | None, typer.Option(help="Only deliveries with an extract for one of these months: 2020-01..2020-12.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is meant and change nothing.")] = False,
) -> None:
    """Receive deliveries again from the archive, after a contract or an alias was mended; give what is meant."""
    from warehouse.reprocessing import find
    from warehouse.reprocessing import reprocess as ask_for
    from warehouse.selection import Selection

    settings = Settings()
    meant = Selection.of(supplier, kind, period)
    if dry_run:
        suppliers = Counter(find(settings, meant).values())
        for name, count in sorted(suppliers.items()):
            out.print(f"{name}: {_count(count, 'delivery')}", markup=False)
        out.print(f"{_count(suppliers.total(), 'delivery')} would be received again; nothing was changed")
        return
    _receive(settings, ask_for(settings, meant, reason=reason, actor=actor))


@app.command()
def verify(
    fast: Annotated[bool, typer.Option("--fast", help="See only whether archived files are there.")] = False,
) -> None:
    """See whether archive, journal, ledger, lake and vault tell the same; exit code 1 where something is wrong."""
    from warehouse.verification import Check
    from warehouse.verification import verify as verify_home

    with _progress() as progress:
        step = progress.add_task("verifying", total=None)

        def show(check: Check) -> None:
            progress.update(step, description=f"verified {check.title}")
            progress.console.print(
                f"{'passed' if check.has_passed else 'FAILED'}: {check.title}: {check.looked_at:,} looked at",
                markup=False,
            )
            for finding in check.findings[:_SHOWN_LINES]:
                word = "fault" if finding.is_fault else "notice"
                progress.console.print(f"  {word}: {finding.what}", markup=False, highlight=False)
            if len(check.findings) > _SHOWN_LINES:
                progress.console.print(f"  and {len(check.findings) - _SHOWN_LINES:,} more")

        checks = verify_home(Settings(), show, reads_archive=not fast)
    failed = [check.title for check in checks if not check.has_passed]
    if failed:
        err.print(f"error: not as it should be: {'; '.join(failed)}", style="red", markup=False)
        raise SystemExit(1)


@app.command()
def replay(
    into: Annotated[Path, typer.Option(help="Folder of the new home; it is made.")],
) -> None:
    """Make a home anew from the archive and the key, and compare it with this one; exit code 1 where they differ."""
    from warehouse.replay import replay as replay_home

    with _progress() as progress:
        bar = progress.add_task("replaying", total=None)

        def show(done: int, total: int, outcome: ReceiptOutcome) -> None:
            progress.update(bar, completed=done, total=total, description=f"replaying {outcome.supplier}")

        found = replay_home(Settings(), into, show)
    out.print(f"received {_count(found.receipts, 'delivery')} once more into {into}", markup=False)
    if not found.tables:
        out.print("there is no lake to compare with; set RASSO_HOME to the new home to go on with it")
        return
    for table in found.tables:
        where = f"{table.only_live:,} rows only in the live lake, {table.only_rebuilt:,} only in the new one"
        word = "equal" if table.is_equal else f"DIFFERS ({where})"
        out.print(f"{table.table}: {table.rows:,} rows, {word}", markup=False)
    if not found.is_linked_alike:
        out.print("links were not compared: deliveries of the live lake wait for rasso link")
    if found.other_code:
        out.print(f"{_count(found.other_code, 'delivery')} of the live lake came in by another version of the code")
    if not found.is_equal:
        err.print("error: the archive does not lead to the live lake", style="red")
        raise SystemExit(1)


@app.command()
def contracts(
    into: Annotated[Path, typer.Option(help="Folder for the pages; it is made where it is missing.")],
) -> None:
    """Write the page of each contract, to be sent to suppliers, and a list of them."""
    from extracts.contract_page import write_contract_pages

    *pages, index = write_contract_pages(into)
    out.print(f"wrote {_count(len(pages), 'contract page')}; open {index}")


@app.command()
def make_key(
    development: Annotated[
        bool, typer.Option("--development", help="A key for samples and trials, never for real cases.")
    ] = False,
) -> None:
    """Make the key file, once: without it nothing is received, and what it encrypted is lost with it."""
    from warehouse.keys import make_keys

    settings = Settings()
    settings.prepare()
    path = make_keys(settings, development=development)
    advice = "fit for samples and trials only" if development else "keep a copy of it apart from the home's copies"
    out.print(f"made the key file {path}; {advice}", markup=False)


@app.command()
def up(
    extracts: Annotated[
        Path | None, typer.Option(help="A folder of extracts to deliver instead of the synthetic samples.")
    ] = None,
    sample_scale: Annotated[
        float, typer.Option(min=0.01, help="Size of the synthetic samples; 1 is England and Wales.")
    ] = 1.0,
    airflow_port: Annotated[int, typer.Option(help="Port of Airflow; a free one is taken where it is in use.")] = 8080,
    site_port: Annotated[int, typer.Option(help="Port of the site; a free one is taken where it is in use.")] = 8000,
    until_published: Annotated[
        bool, typer.Option("--until-published", help="Stop when scorecards are published, instead of serving on.")
    ] = False,
) -> None:
    """Start a local Airflow, deliver samples, show progress, serve the scorecards; Ctrl-C stops everything."""
    from rasso.up import bring_up

    bring_up(
        Settings(),
        out,
        extracts=extracts,
        sample_scale=sample_scale,
        airflow_port=airflow_port,
        site_port=site_port,
        until_published=until_published,
    )


class Grain(StrEnum):
    """Length of a period."""

    month = "month"
    quarter = "quarter"
    rolling_year = "rolling_year"


@app.command()
def explain(
    measure: Annotated[str, typer.Argument(help="Id of the measure, such as charge_rate_of_decisions_rape_flagged.")],
    area: Annotated[str, typer.Option(help="Code or name of the area: 13, west-midlands, 20, national.")],
    period: Annotated[str, typer.Option(help="Last month of the period: 2020-12.")],
    grain: Annotated[Grain, typer.Option(help="Length of the period.")] = Grain.rolling_year,
) -> None:
    """Explain one figure: definition, counts, SQL, and the deliveries that it was counted from."""
    from transforms.explain import explain as explain_figure

    found = explain_figure(Settings(), measure, area, period, grain.value)
    _print_explanation(found)


@app.command()
def synthesise(
    *,
    into: Annotated[
        Path, typer.Option(help="Folder that is made; the answer key and the true links are written beside it.")
    ],
    months: Annotated[str, typer.Option(help="Months that deliveries cover: 2018-01..2020-12.")] = SYNTHETIC_MONTHS,
    scale: Annotated[float, typer.Option(help="Factor on volumes; 1 is England and Wales as recorded.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Equal seeds and arguments, equal bytes.")] = SYNTHETIC_SEED,
    layout: Annotated[
        SyntheticLayout, typer.Option(help="One delivery for all months but the last, or one a month.")
    ] = SyntheticLayout.history,
    damaged_references: Annotated[
        float, typer.Option(help="Share of police submissions with a mistyped URN or crime reference.")
    ] = 0.05,
    row_defects: Annotated[int, typer.Option(help="Rows that trip one rule each, over all rules in turn.")] = 200,
    delivery_defects: Annotated[int, typer.Option(help="Extra deliveries that must be held.")] = 3,
    defect: Annotated[
        list[str] | None, typer.Option(help="More defects of one rule, such as PC-026=5; may be repeated.")
    ] = None,
) -> None:
    """Write synthetic case extracts of all forces, CPS Areas and joint panels, with an answer key."""
    from extracts.period import Period
    from extracts.synthetic.plan import Layout
    from extracts.synthetic.request import Request, defect_counts
    from extracts.synthetic.synthesise import Progress as Step
    from extracts.synthetic.synthesise import synthesise as write_extracts

    request = Request(
        into=into,
        months=Period.parse(months),
        scale=scale,
        seed=seed,
        layout=Layout(layout.value),
        damaged_references=damaged_references,
        row_defects=row_defects,
        delivery_defects=delivery_defects,
        defects=defect_counts(defect or ()),
    )
    with _progress() as progress:
        bar = progress.add_task("synthesising", total=None)

        def show(step: Step) -> None:
            progress.update(bar, completed=step.done, total=step.total, description=f"synthesising {step.name}")

        written = write_extracts(request, show)
    rows = f"{_count(written.rows, 'row')} in {_count(written.files, 'file')}"
    out.print(f"wrote {_count(written.deliveries, 'delivery')} to {into}: {rows}", markup=False)
    out.print(f"answer key: {written.answer_key}; true links: {written.true_links}", markup=False)
    if written.not_placed:
        err.print(f"{_count(written.not_placed, 'defect')} found no suitable row; the answer key lists them")


def _print_explanation(found: Explanation) -> None:
    """A figure, what it means, how it was counted, and from which files."""
    measure, figure = found.measure, found.figures[0]
    out.print(f"{measure.title}", style="bold", markup=False, highlight=False)
    out.print(f"{figure.area_name}, {figure.period_start} to {figure.period_end}", markup=False)
    for term, meaning in (
        ("counted", measure.numerator),
        ("out of", measure.denominator),
        ("unit", measure.unit),
        ("placed by", measure.period_placed_by),
        ("to know", measure.caveat),
    ):
        if meaning:
            out.print(f"  {term}: {meaning}", markup=False, highlight=False)
    table = Table(title="Figures", title_justify="left")
    for name in ("part", "numerator", "denominator", "value", "status", "received", "baseline"):
        table.add_column(name)
    for one in found.figures:
        cells = (one.numerator, one.denominator, one.value)
        shown = ["" if cell is None else f"{cell:,.10g}" for cell in cells]
        baseline = "" if one.baseline_value is None else f"{one.baseline_value:,.10g}"
        table.add_row(one.breakdown or "(whole)", *shown, one.value_status, f"{one.received_share:.0%}", baseline)
    out.print(table)
    out.print(f"SQL of measure__{measure.model} (transforms/models/measures):", markup=False)
    out.print(found.sql.rstrip(), markup=False, highlight=False)
    out.print(f"read, in this order: {', '.join(found.models)}", markup=False, highlight=False)
    files = Table(title=f"Files ({len(found.files)})", title_justify="left")
    for name in ("supplier", "kind", "period", "rows", "sha256", "delivery", "file"):
        files.add_column(name, overflow="fold")
    for file in found.files:
        months = f"{file.period_start:%Y-%m}..{file.period_end:%Y-%m}"
        files.add_row(
            file.supplier, file.kind, months, f"{file.rows_loaded:,}", file.sha256, file.delivery_id, file.file_name
        )
    out.print(files)
    out.print(f"build {found.build_id}, lake snapshot {found.lake_snapshot}", markup=False)


def main() -> None:
    """Run the command line; a known error is one line and exit code 1."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except SystemExit:
        raise
    except _known_errors() as error:
        err.print(f"error: {error}", style="red", markup=False)
        raise SystemExit(1) from None
    except _unexpected_errors() as error:
        # Its text may quote what was being read.
        err.print(f"error: {_without_values(error)}", style="red", markup=False)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        err.print("stopped; what was not finished is taken up by the next run")
        raise SystemExit(130) from None


def _known_errors() -> tuple[type[Exception], ...]:
    """Errors whose message says what to do. Imported late: ``rasso --help`` stays fast."""
    from extracts.calendar import CalendarError
    from extracts.contract import ContractError
    from extracts.delivery import DeliveryError
    from extracts.period import PeriodError
    from extracts.synthetic.request import SynthesisError
    from rasso.up import StartError
    from scorecards.publication import PublicationError
    from transforms.build import BuildError
    from transforms.explain import ExplainError
    from warehouse.archive import ArchiveError
    from warehouse.decisions import DecisionError
    from warehouse.intake import IntakeError
    from warehouse.keys import KeysError
    from warehouse.lake import LakeError
    from warehouse.linkage import LinkError
    from warehouse.replay import ReplayError
    from warehouse.vault import VaultError

    return (
        *(
            ArchiveError,
            CalendarError,
            ContractError,
            DecisionError,
            DeliveryError,
            PeriodError,
            StartError,
            SynthesisError,
        ),
        *(PublicationError, BuildError, ExplainError, IntakeError, KeysError, LakeError, LinkError, ReplayError),
        VaultError,
    )


def _unexpected_errors() -> tuple[type[Exception], ...]:
    import duckdb
    from pydantic import ValidationError

    return OSError, duckdb.Error, ValidationError


def _without_values(error: Exception) -> str:
    from pydantic import ValidationError

    from extracts.names import WITHHELD, holds_reference

    if isinstance(error, OSError):
        return f"{error.strerror}: {WITHHELD if holds_reference(str(error.filename)) else error.filename}"
    if isinstance(error, ValidationError):
        faults = [f"RASSO_{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors()]
        return "; ".join(faults)
    return f"the lake could not be used ({type(error).__name__}); another process may be writing, try again"


def _receive(settings: Settings, only: Sequence[str] | None = None) -> list[ReceiptOutcome]:
    """Receive these hand-overs, or whatever waits, and show what becomes of each."""
    from warehouse.intake import receive_deliveries, waiting_batches

    batches = waiting_batches(settings) if only is None else [list(only)]
    total = sum(len(batch) for batch in batches)
    if not total:
        out.print("no delivery waits in the landing folder")
        return []
    outcomes: list[ReceiptOutcome] = []
    with _progress() as progress:
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

    with _progress() as progress:
        progress.add_task("linking crimes and CPS cases", total=None)
        outcome = link_cases(settings, read_keys(settings))
    if outcome.run_id is None:
        out.print("nothing new to link")
        return
    linked = f"{outcome.exact:,} exact, {outcome.repaired:,} repaired, {outcome.probabilistic:,} probable"
    out.print(f"linked {_count(outcome.referrals, 'submission')}: {linked}, {outcome.unlinked:,} not linked")
    out.print(f"what was linked: {settings.reports / 'linkage.html'}; {outcome.seconds:.1f} s")


def _build(settings: Settings, *, is_full: bool = False) -> BuildOutcome:
    from transforms.build import build as build_marts

    with _progress() as progress:
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
    pages = _count(publication.pages, "page")
    out.print(f"{word} release {publication.release_id}: {pages}, {publication.seconds:.1f} s")
    out.print(f"open {publication.site_path / 'index.html'}")
    return publication


def _progress() -> Progress:
    return progress_bar(out)


def _outcome_line(outcome: ReceiptOutcome) -> str:
    rows = f"{outcome.rows_loaded:,} rows loaded, {outcome.rows_quarantined:,} quarantined"
    detail = rows if outcome.is_accepted else f"{outcome.reason}; see {outcome.report}"
    return f"{outcome.state}: {outcome.supplier}/{outcome.delivery_name}: {detail}"


def _receipt_summary(outcomes: Sequence[ReceiptOutcome], settings: Settings) -> str:
    states = [outcome.state for outcome in outcomes]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return f"received {_count(len(outcomes), 'delivery')}: {counts}; reports: {settings.reports / 'index.html'}"


def _count(number: int, thing: str) -> str:
    plural = thing[:-1] + "ies" if thing.endswith("y") else thing + "s"
    return f"{number:,} {thing if number == 1 else plural}"
