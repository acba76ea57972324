"""Beginning: keys, contract pages, synthetic extracts, a local Airflow."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003 - Typer reads the annotations at run time
from typing import Annotated

import typer

from rasso.cli.console import app, count, err, out, progress_shown
from rasso.settings import Settings

SYNTHETIC_MONTHS = "2018-01..2020-12"
SYNTHETIC_SEED = 1992  # the year of the Act that protects complainants


class SyntheticLayout(StrEnum):
    """How ``rasso synthesise`` cuts months into deliveries."""

    history = "history"
    monthly = "monthly"


@app.command(rich_help_panel="Beginning")
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


@app.command(rich_help_panel="Beginning")
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


@app.command(rich_help_panel="Beginning")
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
    area: Annotated[
        list[str] | None,
        typer.Option(
            help="Code of a CPS Area, such as 13, with its forces and panel; may be repeated. All unless given."
        ),
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
        areas=frozenset(area or ()),
    )
    with progress_shown() as progress:
        bar = progress.add_task("synthesising", total=None)

        def show(step: Step) -> None:
            progress.update(bar, completed=step.done, total=step.total, description=f"synthesising {step.name}")

        written = write_extracts(request, show)
    rows = f"{count(written.rows, 'row')} in {count(written.files, 'file')}"
    out.print(f"wrote {count(written.deliveries, 'delivery')} to {into}: {rows}", markup=False)
    out.print(f"answer key: {written.answer_key}; true links: {written.true_links}", markup=False)
    if written.not_placed:
        err.print(f"{count(written.not_placed, 'defect')} found no suitable row; the answer key lists them")


@app.command(rich_help_panel="Beginning")
def contracts(
    into: Annotated[Path, typer.Option(help="Folder for the pages; it is made where it is missing.")],
) -> None:
    """Write the page of each contract, to be sent to suppliers, and a list of them."""
    from extracts.contract_page import write_contract_pages

    *pages, index = write_contract_pages(into)
    out.print(f"wrote {count(len(pages), 'contract page')}; open {index}")
