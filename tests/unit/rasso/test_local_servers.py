"""Ports and the web server of one's own machine."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING

import pytest

from rasso.local_airflow import free_port
from rasso.site_server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rasso.settings import Settings


@pytest.fixture
def site(settings: Settings) -> Iterator[str]:
    """A served home with one page, one report, and one secret beside them."""
    release = settings.site / "releases" / "r1" / "public"
    release.mkdir(parents=True)
    (release / "index.html").write_text("scorecards")
    (release / "data").mkdir()
    restricted = release.with_name("restricted") / "west-midlands"
    restricted.mkdir(parents=True)
    (restricted / "index.html").write_text("own cases")
    (settings.site / "current").symlink_to("releases/r1")
    (settings.reports / "index.html").write_text("reports")
    (settings.root / "secret.txt").write_text("secret")
    with serving(settings, free_port(0)) as address:
        yield address.removeprefix("http://")


def get(site: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(site, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        assert free_port(wanted) != wanted


@pytest.mark.parametrize(("path", "text"), [("/public/", "scorecards"), ("/reports/", "reports")])
def test_pages_and_reports_are_served(site: str, path: str, text: str) -> None:
    assert get(site, path) == (200, text)


def test_the_root_leads_to_the_public_edition(site: str) -> None:
    assert get(site, "/")[0] == 302


@pytest.mark.parametrize(
    "path",
    ["/public/data/", "/../secret.txt", "/%2e%2e/secret.txt", "/reports/../secret.txt", "/reports/%2e%2e/secret.txt",
     "/reports//etc/passwd", "/public/../../../../secret.txt"],
)  # fmt: skip
def test_nothing_else_is_served_and_no_folder_is_listed(site: str, path: str) -> None:
    status, text = get(site, path)
    assert status == 404
    assert "secret" not in text.replace(path, "")


def test_a_new_release_is_served_without_a_restart(site: str, settings: Settings) -> None:
    newer = settings.site / "releases" / "r2" / "public"
    newer.mkdir(parents=True)
    (newer / "index.html").write_text("newer scorecards")
    pointer = settings.site / "next"
    pointer.symlink_to("releases/r2")
    pointer.replace(settings.site / "current")
    assert get(site, "/public/") == (200, "newer scorecards")


@pytest.mark.parametrize(
    "path",
    ["/restricted/west-midlands/", "//restricted/west-midlands/", "/public/../restricted/west-midlands/index.html",
     "/%72estricted/west-midlands/index.html", "/restricted", "/public/%2e%2e/restricted/west-midlands/index.html"],
)  # fmt: skip
def test_a_restricted_edition_of_real_cases_is_served_to_nobody(site: str, path: str) -> None:
    status, text = get(site, path)
    assert (status in (301, 404), "own cases" in text) == (True, False)


@pytest.mark.usefixtures("site")
def test_a_restricted_edition_of_samples_is_served(settings: Settings) -> None:
    with serving(settings, free_port(0), with_restricted=True) as address:
        assert get(address.removeprefix("http://"), "/restricted/west-midlands/") == (200, "own cases")
