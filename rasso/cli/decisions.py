"""What people decide: release, reject, waive, and receive again."""

from __future__ import annotations

from collections import Counter
from datetime import datetime  # noqa: TC003 - Typer reads the annotations at run time
from typing import Annotated

import typer

from rasso.cli.console import Actor, Reason, app, count, out
from rasso.cli.steps import receive_and_show
from rasso.settings import Settings

_HELD = Annotated[str, typer.Argument(help="Id of the hand-over, the beginning of one, or supplier/delivery.")]


@app.command(rich_help_panel="Decisions")
def release(delivery: _HELD, reason: Reason, actor: Actor) -> None:
    """Load a delivery that was held: its bad rows stay out, and the decision is kept with the delivery."""
    from warehouse.decisions import decide

    settings = Settings()
    decision = decide(settings, delivery, "release", reason=reason, actor=actor)
    if not receive_and_show(settings, [decision.receipt_id]):
        out.print("released; another process is receiving it at this moment")


@app.command(rich_help_panel="Decisions")
def reject(delivery: _HELD, reason: Reason, actor: Actor) -> None:
    """Refuse a delivery that was held, for good; the supplier sends another."""
    from warehouse.decisions import decide

    decision = decide(Settings(), delivery, "reject", reason=reason, actor=actor)
    out.print(f"rejected {decision.hand_over_id}; nothing of it is loaded", markup=False)


@app.command(rich_help_panel="Decisions")
def waive(
    rule: Annotated[str, typer.Argument(help="Id of a rule that holds deliveries, such as PC-033.")],
    supplier: Annotated[str, typer.Option(help="Whose deliveries it is to hold no longer.")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day; yesterday ends a waiver.")],
    reason: Reason,
    actor: Actor,
) -> None:
    """Let a rule hold no delivery of a supplier until a day, within a year; status lists what is waived."""
    from warehouse.waivers import waive as decide_to

    settings = Settings()
    waiver = decide_to(settings, rule, supplier, until.date(), reason=reason, actor=actor)
    if waiver.expires_on < settings.as_of:
        out.print(f"rule {rule} is not waived for {supplier} any more", markup=False)
    else:
        out.print(f"rule {rule} holds no delivery of {supplier} until {waiver.expires_on}", markup=False)


@app.command(rich_help_panel="Decisions")
def reprocess(
    *,
    reason: Reason,
    actor: Actor,
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
        for name, deliveries in sorted(suppliers.items()):
            out.print(f"{name}: {count(deliveries, 'delivery')}", markup=False)
        out.print(f"{count(suppliers.total(), 'delivery')} would be received again; nothing was changed")
        return
    receive_and_show(settings, ask_for(settings, meant, reason=reason, actor=actor))
