"""Reports: three files that say the same, hostile names that stay names, and nothing that loads from elsewhere."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from expectations.report import STATES, FileReport, Report, RuleReport, write_index, write_report

if TYPE_CHECKING:
    from pathlib import Path

MOMENT = datetime(2021, 6, 1, 12, tzinfo=UTC).replace(tzinfo=None)
HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}",
    "&lt;b&gt;",
)  # fmt: skip


def _report(**changes: object) -> Report:
    file = FileReport(
        file_id=1,
        file_name="extract.csv",
        kind="home_office_outcomes",
        period="2017-04..2017-06",
        sha256="0" * 64,
        byte_count=10,
        contract_version="1.0.0",
        rows_declared=None,
        rows_found=100,
        rows_in=100,
        rows_loaded=98,
        rows_quarantined=2,
        rows_duplicate=0,
        undeclared_columns=("column 4",),
        drifted_columns=(),
        repairs=("byte order mark removed",),
    )
    rule = RuleReport(
        kind="home_office_outcomes",
        rule_id="HO-001",
        description="The financial year is given.",
        rationale="A count without a year belongs to no period.",
        dimension="completeness",
        severity="row",
        owner="somebody",
        since="1.0.0",
        tested_count=100,
        failed_count=2,
        first_rows=((1, 3), (1, 7), (1, 0)),
    )
    report = Report(
        hand_over_id="0123456789abcdef0123",
        delivery_id=None,
        supplier="home-office",
        delivery_name="a-delivery",
        sent_at=None,
        received_at=MOMENT,
        finished_at=MOMENT,
        state="accepted",
        reason_code=None,
        reason=None,
        is_synthetic=False,
        code_version="1",
        files=(file,),
        rules=(rule,),
        evidence={},
    )
    return replace(report, **changes)  # type: ignore[arg-type]


def _markup(page: str) -> list[str]:
    """Names of the elements and of their attributes."""
    return re.findall(r"<(?!/)([a-z0-9]+)", page) + re.findall(r"<[a-z][^>]*\s(on[a-z]+)\s*=", page)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_adds_no_markup_to_a_report(tmp_path: Path, name: str) -> None:
    plain = write_report(tmp_path / "plain", _report()).read_text(encoding="utf-8")
    hostile = _report(delivery_name=name, supplier=name, files=(replace(_report().files[0], file_name=name),))

    page = write_report(tmp_path / "hostile", hostile).read_text(encoding="utf-8")

    assert _markup(page) == _markup(plain)
    assert name not in page or name.startswith("{{")


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_reason_adds_no_markup_to_a_report(tmp_path: Path, name: str) -> None:
    held = _report(state="held", reason="a reason", reason_code="CODE")
    plain = write_report(tmp_path / "plain", held).read_text(encoding="utf-8")

    page = write_report(tmp_path / "hostile", replace(held, reason=name)).read_text(encoding="utf-8")

    assert _markup(page) == _markup(plain)


def _index_row(name: str) -> dict[str, object]:
    return {
        "hand_over_id": "0123",
        "supplier": name,
        "delivery_name": name,
        "received_at": MOMENT,
        "state": "held",
        "reason": name,
        "is_synthetic": False,
        "kinds": None,
        "period_start": None,
        "period_end": None,
        "rows_loaded": 0,
        "rows_quarantined": 0,
    }


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_adds_no_markup_to_the_index(tmp_path: Path, name: str) -> None:
    plain = write_index(tmp_path, [_index_row("a name")]).read_text(encoding="utf-8")

    page = write_index(tmp_path, [_index_row(name)]).read_text(encoding="utf-8")

    assert _markup(page) == _markup(plain)


def test_markup_of_a_name_that_is_not_escaped_would_be_seen() -> None:
    assert _markup("<p>plain</p>") != _markup("<p><img src=x onerror=alert(1)></p>")


def test_a_report_runs_no_script_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = write_report(tmp_path, _report()).read_text(encoding="utf-8")

    assert "default-src 'none'" in page
    assert "script" not in _markup(page)
    assert [link for link in re.findall(r'(?:href|src)="([^"]*)"', page) if ":" in link or link.startswith("//")] == []


@pytest.mark.parametrize("state", STATES)
def test_a_report_says_in_words_what_became_of_the_delivery(tmp_path: Path, state: str) -> None:
    assert STATES[state] in write_report(tmp_path, _report(state=state)).read_text(encoding="utf-8")


def test_an_unknown_state_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        write_report(tmp_path, _report(state="lost"))


def test_feedback_names_rule_file_and_row_and_leaves_the_row_empty_for_a_whole_file(tmp_path: Path) -> None:
    write_report(tmp_path, _report())
    with (tmp_path / "feedback.csv").open(encoding="utf-8", newline="") as lines:
        feedback = list(csv.DictReader(lines))

    assert [(line["rule_id"], line["file"], line["row_number"]) for line in feedback] == [
        ("HO-001", "extract.csv", "3"),
        ("HO-001", "extract.csv", "7"),
        ("HO-001", "extract.csv", ""),
    ]


def test_a_report_as_data_tells_rows_and_rules(tmp_path: Path) -> None:
    write_report(tmp_path, _report())
    document = json.loads((tmp_path / "report.json").read_bytes())

    assert document["files"][0]["rows_loaded"] == 98
    assert document["rules"][0]["failed_count"] == 2
    assert document["received_at"] == "2021-06-01T12:00:00Z"


def test_writing_a_report_again_changes_nothing(tmp_path: Path) -> None:
    write_report(tmp_path, _report())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    write_report(tmp_path, _report())

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert set(before) == {"report.json", "feedback.csv", "index.html"}


def test_the_index_links_the_reports_that_are_there(tmp_path: Path) -> None:
    write_report(tmp_path / "home-office" / "0123", _report())

    page = write_index(tmp_path, [_index_row("home-office"), {**_index_row("another"), "hand_over_id": "4567"}])

    assert 'href="home-office/0123/index.html"' in page.read_text(encoding="utf-8")
    assert "4567" not in page.read_text(encoding="utf-8")
    assert (tmp_path / "report.css").is_file()


def test_the_index_links_the_page_of_the_linkage_once_it_is_there(tmp_path: Path) -> None:
    assert "linkage.html" not in write_index(tmp_path, []).read_text(encoding="utf-8")
    (tmp_path / "linkage.html").write_text("a page", encoding="utf-8")
    assert 'href="linkage.html"' in write_index(tmp_path, []).read_text(encoding="utf-8")


def test_an_empty_index_says_so(tmp_path: Path) -> None:
    assert "No delivery has been received yet." in write_index(tmp_path, []).read_text(encoding="utf-8")
