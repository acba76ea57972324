"""The whole site of a small edition: links, order, markings, escaping, equal bytes."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag

import pytest

from scorecards.pages import POLICY, SOURCES
from scorecards.render import render

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Draft

HOSTILE = "<script>alert('x')</script>"
FORMULA = '=HYPERLINK("javascript:alert(1)")'
NATION = ("national", "EW")


class PageReader(HTMLParser):
    """What a test asks of a page: its links, ids, headings, tags and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and what it refers to."""
        named = dict(attrs)
        self.tags.append((tag, named))
        self.links += [str(named[name]) for name in ("href", "src") if name in named]
        self.ids += [str(named["id"])] if "id" in named else []

    def handle_data(self, data: str) -> None:
        """Note a piece of text."""
        self.text.append(data)

    @property
    def words(self) -> str:
        """The text of the page, with single spaces."""
        return " ".join(" ".join(self.text).split())


@pytest.fixture
def site(draft: Draft, tmp_path: Path) -> Path:
    folder = draft.write(tmp_path / "edition")
    render(folder)
    return folder


def read(page: Path) -> PageReader:
    return PageReader(page.read_text(encoding="utf-8"))


def pages(site: Path) -> dict[str, PageReader]:
    return {path.relative_to(site).as_posix(): read(path) for path in sorted(site.rglob("*.html"))}


def test_every_page_is_there(site: Path) -> None:
    assert set(pages(site)) == {
        "index.html",
        "national/index.html",
        "areas/west-midlands/index.html",
        "forces/west-midlands-police/index.html",
        "forces/staffordshire-police/index.html",
        "measures/rape-charges-crimes/index.html",
        "measures/rape-charge-share-crimes/index.html",
        "status/index.html",
        "reconciliation/index.html",
        "method/index.html",
    }


def broken_links(site: Path) -> list[str]:
    known = pages(site)
    broken = []
    for name, page in known.items():
        for address in page.links:
            if address.startswith("https://"):
                continue
            target, part = urldefrag(address)
            place = ((site / name).parent / unquote(target)).resolve() if target else site / name
            ids = known[place.relative_to(site).as_posix()].ids if part and place.suffix == ".html" else [part]
            if not place.is_file() or not place.is_relative_to(site) or part not in ids:
                broken.append(f"{name}: {address}")
    return broken


def test_every_internal_link_leads_somewhere(site: Path) -> None:
    assert broken_links(site) == []


def test_a_broken_link_is_found(site: Path) -> None:
    (site / "status" / "index.html").unlink()
    assert len(broken_links(site)) == 9


def test_ids_are_unique_on_every_page(site: Path) -> None:
    assert {name: page.ids for name, page in pages(site).items() if len(set(page.ids)) != len(page.ids)} == {}


def test_only_the_method_page_links_outside_and_only_to_the_sources(site: Path) -> None:
    outside = {(name, address) for name, page in pages(site).items() for address in page.links if ":" in address}
    assert outside == {("method/index.html", address) for _, address, _ in SOURCES}


def test_nothing_is_fetched_from_elsewhere_and_nothing_runs(site: Path) -> None:
    for page in pages(site).values():
        loaded = [named["href"] for tag, named in page.tags if tag == "link"]
        assert [str(address).rsplit("/", maxsplit=1)[-1] for address in loaded] == ["style.css"]
        assert not {tag for tag, _ in page.tags} & {"script", "style", "img", "iframe", "object", "form", "base"}
        assert not [name for _, named in page.tags for name in named if name == "style" or name.startswith("on")]
    style = (site / "style.css").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|https?:", style)


def test_every_page_has_a_strict_content_security_policy(site: Path) -> None:
    assert POLICY.startswith("default-src 'none'; style-src 'self'; img-src 'self' data:")
    for page in pages(site).values():
        policies = [
            named["content"] for tag, named in page.tags if named.get("http-equiv") == "Content-Security-Policy"
        ]
        assert policies == [POLICY]


def test_every_page_is_marked_at_both_ends_and_dated(site: Path) -> None:
    for page in pages(site).values():
        assert page.words.count("Published statistics only: no case-level figure") == 2
        assert "Release 0123456789abcdef. Published 15 January 2021, 09:30 UTC." in page.words
        assert "Data as at 14 January 2021, 18:00 UTC" in page.words
        assert "ynthetic" not in page.words


def test_a_synthetic_edition_says_so_on_every_page_and_with_every_download(draft: Draft, tmp_path: Path) -> None:
    draft.release["is_synthetic"] = True
    render(draft.write(tmp_path))
    for page in pages(tmp_path).values():
        assert page.words.count("Synthetic figures: made for demonstration, not real") == 2
    for metadata in tmp_path.rglob("*-metadata.json"):
        assert "Synthetic figures: made for demonstration, not real" in metadata.read_text(encoding="utf-8")


def test_headings_never_skip_a_level(site: Path) -> None:
    for name, page in pages(site).items():
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1, name
        assert levels.count(1) == 1, name
        assert all(late - early <= 1 for early, late in pairwise(levels)), name


def test_every_table_has_a_caption_and_scoped_heads(site: Path) -> None:
    for page in pages(site).values():
        tags = [tag for tag, _ in page.tags]
        assert tags.count("caption") == tags.count("table")
        assert all(named.get("scope") in ("row", "col") for tag, named in page.tags if tag == "th")


def test_every_page_can_be_used_with_a_keyboard(site: Path) -> None:
    for page in pages(site).values():
        assert next(named for tag, named in page.tags if tag == "a")["href"] == "#content"
        assert ("html", {"lang": "en"}) in page.tags
        scrolled = [named for _, named in page.tags if named.get("class") == "scroll"]
        assert all(named.get("tabindex") == "0" and named.get("aria-label") for named in scrolled)


def test_a_page_of_an_area_is_in_the_order_of_the_design(site: Path) -> None:
    page = read(site / "areas/west-midlands/index.html")
    order = [
        "West Midlands CPS Area (four forces)".replace("four", "two"),
        "Headlines",
        "What this shows",
        "Download all figures of this page",
        "Charges",
        "3,856 crimes in the year to December 2018; 666 in October to December 2018.",
        "Crimes by quarter, West Midlands CPS Area, January 2017 to December 2018.",
        "Rape charges, West Midlands CPS Area, by quarter",
        "To know: Counts crimes.",
        "Definition: Rape charges",
        "Download (CSV)",
    ]
    places = []
    for words in order:
        places.append(page.words.find(words, places[-1] if places else 0))
    assert -1 not in places
    assert places == sorted(places)


def test_figures_carry_signals_markers_and_rounding(site: Path) -> None:
    page = read(site / "forces/west-midlands-police/index.html")
    assert "69.6%" in page.words
    assert "partial: 3 of 4 quarters" in page.words
    assert "Concern: October to December 2018 is below the process limit" in page.words
    assert "England and Wales, same year" in page.words


def test_the_nation_is_not_compared_with_itself(site: Path) -> None:
    assert "England and Wales, same year" not in read(site / "national/index.html").words


def test_missing_figures_are_never_shown_as_zero(empty_draft: Draft, tmp_path: Path) -> None:
    empty_draft.measure("rape_charges_crimes")
    empty_draft.measure("rape_charge_share_crimes", shape="ratio")
    for measure in ("rape_charges_crimes", "rape_charge_share_crimes"):
        for grain, end in (("quarter", "2018-03-31"), ("rolling_year", "2018-03-31")):
            for area, status in ((NATION, "no_data_received"), (("force", "20"), "not_applicable")):
                empty_draft.value(measure, area, grain, end, "0", value_status=status, received_share="0")
    empty_draft.value("rape_charge_share_crimes", ("force", "21"), "rolling_year", "2018-03-31", "",
                      numerator="3", denominator="7", value_status="below_minimum")  # fmt: skip
    render(empty_draft.write(tmp_path))
    found = pages(tmp_path)
    nation, force, few = (
        found[name].words
        for name in ("national/index.html", "forces/west-midlands-police/index.html",
                     "forces/staffordshire-police/index.html")
    )  # fmt: skip
    assert "[x] no data received" in nation
    assert "[z] No figures are published separately" in force
    assert "[u] too few for a rate: 3 of 7" in few
    for page in found.values():
        assert not re.search(r"(?<![\d,.:])0(\.0%)?(?= |$)", re.sub(r"Late judged.*", "", page.words))


def test_a_page_without_any_figure_can_be_made(empty_draft: Draft, tmp_path: Path) -> None:
    render(empty_draft.write(tmp_path))
    assert broken_links(tmp_path) == []
    assert "No delivery has been received yet." in read(tmp_path / "status/index.html").words


def test_breakdowns_are_a_table_with_bars(draft: Draft, tmp_path: Path) -> None:
    draft.measure("rape_outcomes_crimes", shape="ratio")
    for group, share in (("Charged & summonsed", "7.9"), (HOSTILE, "48.1")):
        for grain in ("quarter", "rolling_year"):
            draft.value("rape_outcomes_crimes", NATION, grain, "2018-03-31", share, numerator="79", denominator="1000",
                        breakdown=f"outcome_group={group}")  # fmt: skip
    render(draft.write(tmp_path))
    page = read(tmp_path / "national/index.html")
    assert "Rape outcomes crimes, England and Wales, by outcome group" in page.words
    assert page.words.index(HOSTILE) < page.words.index("Charged & summonsed 7.9% (79)")
    assert sum(named.get("class") == "bar" for _, named in page.tags) == 2
    assert "script" not in {tag for tag, _ in page.tags}


def test_a_rate_with_too_few_cases_in_a_month_is_charted_by_quarter(empty_draft: Draft, tmp_path: Path) -> None:
    empty_draft.measure("conviction_rate", shape="ratio", title="Conviction rate (defendants; CPS prosecutions)")
    for end in ("2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30"):
        empty_draft.value("conviction_rate", NATION, "month", end, "", numerator="9", denominator="12",
                          value_status="below_minimum")  # fmt: skip
    empty_draft.value("conviction_rate", NATION, "quarter", "2020-03-31", "75", numerator="27", denominator="36")
    render(empty_draft.write(tmp_path / "quarters"))
    page = read(tmp_path / "quarters/national/index.html")
    assert "Line chart of 1 quarters" in page.words
    assert "75.0% (27 of 36) in January to March 2020" in page.words


def test_a_rate_that_is_never_shown_has_no_empty_chart(empty_draft: Draft, tmp_path: Path) -> None:
    empty_draft.measure("conviction_rate", shape="ratio", title="Conviction rate (defendants; CPS prosecutions)")
    for end in ("2020-01-31", "2020-02-29"):
        empty_draft.value("conviction_rate", NATION, "month", end, "", numerator="9", denominator="12",
                          value_status="below_minimum")  # fmt: skip
    render(empty_draft.write(tmp_path))
    page = read(tmp_path / "national/index.html")
    assert "chart" not in {named.get("class") for tag, named in page.tags if tag == "svg"}
    assert "9 of 12" in page.words


def event(**changes: object) -> dict[str, object]:
    return {
        "id": "paused",
        "measures": ["rape_charges*"],
        "areas": ["all"],
        "from": "2017-05-01",
        "to": "2017-08-31",
        "sentence": "Courts were closed.",
        "source": "A source",
    } | changes


def test_an_event_is_shaded_on_the_charts_that_it_touches_and_told_below(draft: Draft, tmp_path: Path) -> None:
    draft.events += [
        event(),
        event(id="elsewhere", areas=["99"], sentence="Another place."),
        event(id="other", measures=["convictions"], sentence="Another measure."),
        event(id="local", areas=["20"], sentence=HOSTILE),
    ]
    render(draft.write(tmp_path))
    force, other = (
        read(tmp_path / "forces/west-midlands-police/index.html"),
        read(tmp_path / "forces/staffordshire-police/index.html"),
    )
    for page, count in ((force, 2), (other, 1)):
        assert sum(named.get("class") == "event" for _, named in page.tags) == count
        assert "script" not in {tag for tag, _ in page.tags}
        assert "Shaded, and not performance: 1 May to August 2017: Courts were closed." in page.words
        assert "Another" not in page.words
    assert HOSTILE in force.words
    assert HOSTILE not in other.words


def test_a_measure_tells_the_events_of_its_comparison_once(draft: Draft, tmp_path: Path) -> None:
    draft.events += [event(), event(id="later", **{"from": "2018-12-01", "to": "2018-12-31"}, areas=["13"])]
    draft.events[1]["sentence"] = "Cases of one Area were counted twice."
    render(draft.write(tmp_path))
    (page,) = (read(path) for path in tmp_path.glob("measures/rape-charges-crimes/index.html"))
    assert page.words.count("Courts were closed.") == 1
    assert "To know beside these figures: December 2018: Cases of one Area" in page.words


def test_hostile_names_are_text(draft: Draft, tmp_path: Path) -> None:
    for area in draft.areas[1:]:
        area["area_name"] += HOSTILE
        area["note"] = HOSTILE
    names = {(area["area_level"], area["area_code"]): area["area_name"] for area in draft.areas}
    for row in draft.rows:
        row["area_name"] = names[row["area_level"], row["area_code"]]
    for measure in draft.measures:
        measure |= {"title": f"{HOSTILE}{measure['title']}", "caveat": HOSTILE, "theme": HOSTILE, "numerator": HOSTILE}
    for name in ("delivery_id", "supplier", "kind", "file_name", "reason", "state"):
        draft.deliveries[0][name] = HOSTILE
    draft.deliveries[0]["report_path"] = HOSTILE
    draft.reconciliation[0] |= dict.fromkeys(("area_name", "explanation", "status", "our_source"), HOSTILE)
    draft.release["code_version"] = HOSTILE
    render(draft.write(tmp_path))
    for page in pages(tmp_path).values():
        assert "script" not in {tag for tag, _ in page.tags}
        assert not [name for _, named in page.tags for name in named if name.startswith("on")]
        assert HOSTILE in page.words
    assert broken_links(tmp_path) == []


def test_rows_are_accounted_for_on_the_status_page(draft: Draft, tmp_path: Path) -> None:
    draft.deliveries.append(
        dict(draft.deliveries[0], delivery_id="d-0002", rows_loaded=90, report_path="reports/x/d-0002")
    )
    render(draft.write(tmp_path))
    words = read(tmp_path / "status/index.html").words
    assert "d-0001 home-office outcomes.csv April 2017 to March 2018 14 January 2021, 17:00 UTC Accepted" in words
    assert "Accepted 100 97 2 1 Yes" in words
    assert "Accepted 100 90 2 1 No reports/x/d-0002" in words


def test_differences_with_other_figures_stay_on_their_page(site: Path) -> None:
    words = read(site / "reconciliation/index.html").words
    assert "Differs, explained: 1" in words
    assert "England and Wales Year to March 2018 3,856 3,775 81 April 2019 release a later release revised" in words


def test_two_renders_are_equal_in_every_byte(draft: Draft, tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        folder = draft.write(tmp_path / name)
        render(folder)
        contents.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
    assert contents[0] == contents[1]


def test_rendering_again_changes_nothing(site: Path) -> None:
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    render(site)
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before
