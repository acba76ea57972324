"""Every page of an edition as HTML.

Belongs here: which pages there are and the templates' environment. Does not belong here: what stands on them
(``scorecards.views``) and writing them to disk (``scorecards.render``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scorecards import paths, tables, views, words
from scorecards.claims import claim_views
from scorecards.edition import NATIONAL_KEY, Area, Edition, Measure
from scorecards.process_limits import FIRM_POINTS, LEAST_POINTS, RUN_LENGTH
from scorecards.series import SeriesBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TEMPLATES = Path(__file__).parent / "templates"
SITE_NAME = "Rape and serious sexual offences: scorecards"
# The only addresses outside the site on any page; they are links, nothing is fetched from them.
SOURCES = (
    (
        "Home Office, police recorded crime and outcomes open data tables",
        "https://www.gov.uk/government/statistics/police-recorded-crime-open-data-tables",
        "crimes recorded and their outcomes, by force, quarter and offence code",
    ),
    (
        "Crown Prosecution Service, underlying data",
        "https://www.cps.gov.uk/publication/underlying-data",
        "case outcomes by principal offence category, monthly; management information that the CPS publishes",
    ),
    (
        "Open Government Licence v3.0",
        "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
        "the terms of both; contains public sector information, Crown copyright",
    ),
)
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Page:
    """A page and where it stands in the edition's folder."""

    path: str
    html: str


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of the way from the first page to this one; the last has no link."""

    title: str
    href: str = ""


def all_pages(edition: Edition) -> Iterator[Page]:
    """Make every page of an edition, always in the same order.

    Raises:
        EditionError: two pages would stand in one place.
    """
    areas, measures = edition.areas.values(), edition.measures.values()
    paths.require_distinct([*areas, *measures])
    writer = _Writer(edition)
    yield writer.index()
    for area in areas:
        yield writer.area(area)
    for measure in measures:
        yield writer.measure(measure)
    yield writer.status()
    yield writer.reconciliation()
    yield writer.method()
    if writer.has_claims:
        yield writer.claims()


def environment() -> Environment:
    """Templates with autoescape always on; a name that is not there is an error, not an empty place."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals["words"] = words
    return made


class _Writer:
    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self._book = SeriesBook(edition)
        self._environment = environment()
        self._claims = claim_views(edition, paths.CLAIMS)
        release = edition.release
        self._facts = (
            ("Release", release.release_id),
            ("Published", words.moment(release.published_at)),
            ("Data as at", words.moment(release.data_as_at) if release.data_as_at else "not known"),
            ("Late judged on", words.day(release.as_of)),
            ("Lake snapshot", str(release.lake_snapshot) if release.lake_snapshot is not None else "not known"),
            ("Code version", release.code_version),
        )

    def index(self) -> Page:
        view = views.index_view(self._edition, self._book, paths.INDEX)
        return self._page("index.html", paths.INDEX, SITE_NAME, [], view=view)

    def area(self, area: Area) -> Page:
        path = paths.page_path(area)
        view = views.area_view(self._edition, self._book, area)
        return self._page("area.html", path, view.title, self._area_crumbs(area, path), view=view)

    def measure(self, measure: Measure) -> Page:
        path = paths.page_path(measure)
        view = views.measure_view(self._edition, self._book, measure)
        crumbs = [Crumb("Measures", f"{paths.link(path, paths.INDEX)}#measures")]
        return self._page("measure.html", path, view.title, crumbs, view=view)

    def status(self) -> Page:
        found = tables.deliveries_tables(self._edition.deliveries)
        return self._page("status.html", paths.STATUS, "What has been received", [], tables=found)

    def reconciliation(self) -> Page:
        found = tables.reconciliation_tables(self._edition.reconciliation, self._edition)
        title = "Reconciliation with other published figures"
        return self._page("reconciliation.html", paths.RECONCILIATION, title, [], tables=found)

    def method(self) -> Page:
        measures = [
            (measure, views.definition(measure), paths.link(paths.METHOD, paths.page_path(measure)))
            for measure in self._edition.measures.values()
        ]
        limits = {"run": RUN_LENGTH, "least": LEAST_POINTS, "firm": FIRM_POINTS}
        return self._page(
            "method.html",
            paths.METHOD,
            "Method",
            [],
            measures=measures,
            limits=limits,
            sources=SOURCES,
            has_cases=any(measure.is_case_level for measure in self._edition.measures.values()),
            baseline=words.baseline_name(self._edition.release.baseline),
        )

    @property
    def has_claims(self) -> bool:
        """Whether there is a public statement that this edition can be held against."""
        return bool(self._claims)

    def claims(self) -> Page:
        return self._page("claims.html", paths.CLAIMS, "Public statements checked", [], claims=self._claims)

    def _page(self, template: str, path: str, title: str, crumbs: Iterable[Crumb], **content: object) -> Page:
        home = [] if path == paths.INDEX else [Crumb("Home", paths.link(path, paths.INDEX)), *crumbs, Crumb(title)]
        html = self._environment.get_template(template).render(
            title=title,
            site_name=SITE_NAME,
            policy=POLICY,
            marking=words.marking(self._edition.release),
            is_synthetic=self._edition.release.is_synthetic,
            facts=self._facts,
            crumbs=home,
            navigation=self._navigation(path),
            home_href=paths.link(path, paths.INDEX),
            method_href=paths.link(path, paths.METHOD),
            style_href=paths.link(path, paths.STYLE),
            **content,
        )
        return Page(path, html)

    def _navigation(self, path: str) -> list[tuple[str, str, bool]]:
        nation = paths.page_path(self._edition.areas[NATIONAL_KEY])
        places = (
            ("England and Wales", nation, ""),
            ("Areas and forces", paths.INDEX, "#areas"),
            ("Measures", paths.INDEX, "#measures"),
            ("What has been received", paths.STATUS, ""),
            ("Reconciliation", paths.RECONCILIATION, ""),
            *([("Public statements", paths.CLAIMS, "")] if self.has_claims else []),
            ("Method", paths.METHOD, ""),
        )
        return [(name, paths.link(path, target) + part, target == path and not part) for name, target, part in places]

    def _area_crumbs(self, area: Area, path: str) -> list[Crumb]:
        if area.level == "national":
            return []
        index = paths.link(path, paths.INDEX)
        parents = [self._edition.areas.get(("area", code)) for code in area.parent_codes]
        # A force that two Areas share (London) has no one way down to it.
        way = [parent for parent in parents if parent is not None] if len(parents) == 1 else []
        return [
            Crumb("Areas and forces", f"{index}#areas"),
            *(Crumb(words.area_title(parent), paths.link(path, paths.page_path(parent))) for parent in way),
        ]
