"""What there is and whether it is right: status, revisions, verify, replay, explain."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - Typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from rasso.cli.console import SHOWN_LINES, OutputFormat, app, count, err, out, progress_shown
from rasso.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transforms.explain import Explanation
    from warehouse.record import ReceiptOutcome
    from warehouse.revisions import Revision
    from warehouse.supply import Supply

_WELL = {"accepted", "duplicate", "released", "replaced"}


class Grain(StrEnum):
    """Length of a period."""

    month = "month"
    quarter = "quarter"
    rolling_year = "rolling_year"


@app.command(rich_help_panel="Looking")
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
    for line in late[:SHOWN_LINES]:
        out.print(f"to be asked for: {line}", markup=False)
    if len(late) > SHOWN_LINES:
        out.print(f"and {count(len(late) - SHOWN_LINES, 'line')} more: {settings.reports / PAGE}", markup=False)
    if len(supply.overdue) > len(supply.late):
        out.print(f"missing for longer: {count(len(supply.overdue) - len(supply.late), 'extract')} of a month")
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


@app.command(rich_help_panel="Looking")
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


@app.command(rich_help_panel="Looking")
def verify(
    fast: Annotated[bool, typer.Option("--fast", help="See only whether archived files are there.")] = False,
) -> None:
    """See whether archive, journal, ledger, lake, vault and site tell the same; exit code 1 where something is off."""
    from warehouse.verification import Check
    from warehouse.verification import verify as verify_home

    with progress_shown() as progress:
        step = progress.add_task("verifying", total=None)

        def show(check: Check) -> None:
            progress.update(step, description=f"verified {check.title}")
            progress.console.print(
                f"{'passed' if check.has_passed else 'FAILED'}: {check.title}: {check.looked_at:,} looked at",
                markup=False,
            )
            for finding in check.findings[:SHOWN_LINES]:
                word = "fault" if finding.is_fault else "notice"
                progress.console.print(f"  {word}: {finding.what}", markup=False, highlight=False)
            if len(check.findings) > SHOWN_LINES:
                progress.console.print(f"  and {len(check.findings) - SHOWN_LINES:,} more")

        checks = verify_home(Settings(), show, reads_archive=not fast)
    failed = [check.title for check in checks if not check.has_passed]
    if failed:
        err.print(f"error: not as it should be: {'; '.join(failed)}", style="red", markup=False)
        raise SystemExit(1)


@app.command(rich_help_panel="Looking")
def replay(
    into: Annotated[Path, typer.Option(help="Folder of the new home; it is made.")],
) -> None:
    """Make a home anew from the archive and the key, and compare it with this one; exit code 1 where they differ."""
    from warehouse.replay import replay as replay_home

    with progress_shown() as progress:
        bar = progress.add_task("replaying", total=None)

        def show(done: int, total: int, outcome: ReceiptOutcome) -> None:
            progress.update(bar, completed=done, total=total, description=f"replaying {outcome.supplier}")

        found = replay_home(Settings(), into, show)
    out.print(f"received {count(found.receipts, 'delivery')} once more into {into}", markup=False)
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
        out.print(f"{count(found.other_code, 'delivery')} of the live lake came in by another version of the code")
    if not found.is_equal:
        err.print("error: the archive does not lead to the live lake", style="red")
        raise SystemExit(1)


@app.command(rich_help_panel="Looking")
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
