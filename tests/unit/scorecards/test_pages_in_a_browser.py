"""The pages in a real browser: nothing refused, nothing fetched, no sideways scrolling on a narrow screen."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from scorecards.render import render

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Draft
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NARROW = 320


@pytest.fixture
def site(draft: Draft, tmp_path: Path) -> Path:
    """A rendered edition with the loud banner."""
    draft.release["is_synthetic"] = True
    folder = draft.write(tmp_path / "edition")
    render(folder)
    return folder


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of an installed Chromium, as narrow as a small telephone."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": NARROW, "height": 800})
        browser.close()


def test_no_page_scrolls_sideways_on_a_narrow_screen(site: Path, page: Page) -> None:
    widths = {}
    for path in sorted(site.rglob("*.html")):
        page.goto(path.as_uri())
        widths[path.parent.name] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: width for name, width in widths.items() if width > NARROW} == {}
    assert widths


def test_the_policy_refuses_nothing_of_ours_and_all_else(site: Path, page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    address = (site / "national" / "index.html").as_uri()
    page.goto(address)
    assert page.evaluate("getComputedStyle(document.querySelector('.masthead')).backgroundColor") != "rgba(0, 0, 0, 0)"
    assert said == []
    page.set_content(
        (site / "national" / "index.html")
        .read_text(encoding="utf-8")
        .replace("</main>", "<script>document.title = 'run'</script><p style='color: red'>x</p></main>")
    )
    assert page.title() != "run"
    assert any("Content Security Policy" in message for message in said)


def test_the_first_stop_of_the_keyboard_skips_to_the_content(site: Path, page: Page) -> None:
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
