"""An edition whose parts do not fit together is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from scorecards.edition import EditionError, read_edition
from scorecards.paths import link, page_path
from scorecards.render import main, render

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Draft

NATION = ("national", "EW")


def test_an_edition_is_grouped_by_area_and_measure_oldest_first(draft: Draft, tmp_path: Path) -> None:
    edition = read_edition(draft.write(tmp_path))
    rows = edition.values["force", "20"]["rape_charges_crimes"]
    quarters = [row for row in rows if row.grain == "quarter"]
    assert len(quarters) == 8
    assert quarters == sorted(quarters, key=lambda row: row.end)
    assert list(edition.measures) == ["rape_charges_crimes", "rape_charge_share_crimes"]


def _unknown_measure(draft: Draft) -> None:
    draft.value("not_in_the_catalogue", NATION, "month", "2018-01-31", "5")


def _unknown_area(draft: Draft) -> None:
    draft.value("rape_charges_crimes", ("force", "99"), "month", "2018-01-31", "5")


def _other_name(draft: Draft) -> None:
    draft.rows[0]["area_name"] = "Somewhere else"


def _unknown_status(draft: Draft) -> None:
    draft.rows[0]["value_status"] = "fine"


def _unknown_grain(draft: Draft) -> None:
    draft.rows[0]["period_grain"] = "week"


def _repeated_figure(draft: Draft) -> None:
    draft.rows.append(dict(draft.rows[0]))


def _not_a_number(draft: Draft) -> None:
    draft.rows[0]["value"] = "nan"


def _not_a_date(draft: Draft) -> None:
    draft.rows[0]["period_end"] = "31/03/2018"


def _overlapping_periods(draft: Draft) -> None:
    draft.value("rape_charges_crimes", NATION, "quarter", "2017-04-30", "5")


def _no_nation(draft: Draft) -> None:
    del draft.areas[0]


def _same_address(draft: Draft) -> None:
    draft.area("force", "98", "West-Midlands  POLICE", "13")


def _no_address(draft: Draft) -> None:
    draft.area("force", "98", "???", "13")


def _repeated_measure(draft: Draft) -> None:
    draft.measure("rape_charges_crimes")


def _lost_field(draft: Draft) -> None:
    del draft.measures[0]["unit"]


def _unsure_whether_synthetic(draft: Draft) -> None:
    draft.release["is_synthetic"] = "false"


def _reconciled_with_nothing(draft: Draft) -> None:
    draft.reconciliation[0]["measure_id"] = "gone"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_unknown_measure, "'not_in_the_catalogue' is not in the catalogue"),
        (_unknown_area, "'force 99' is not in the list of areas"),
        (_other_name, "is called 'Somewhere else' here"),
        (_unknown_status, "value_status 'fine' is none of"),
        (_unknown_grain, "period_grain 'week' is none of"),
        (_repeated_figure, "stands twice"),
        (_not_a_number, "'nan' is not a number"),
        (_not_a_date, "isoformat"),
        (_overlapping_periods, "overlaps another one"),
        (_no_nation, "national EW"),
        (_same_address, "two pages would be written to"),
        (_no_address, "no address can be made"),
        (_repeated_measure, "stands twice in the catalogue"),
        (_lost_field, "lacks the field 'unit'"),
        (_unsure_whether_synthetic, "neither true nor false"),
        (_reconciled_with_nothing, "'gone' is not in the catalogue"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_does_not_fit_together_is_refused(
    draft: Draft, tmp_path: Path, spoil: Callable[[Draft], Any], message: str
) -> None:
    spoil(draft)
    with pytest.raises(EditionError, match=message):
        render(draft.write(tmp_path))


def test_a_changed_header_is_refused(draft: Draft, tmp_path: Path) -> None:
    values = draft.write(tmp_path) / "data" / "measure_values.csv"
    values.write_text(values.read_text(encoding="utf-8").replace("value_status", "status", 1), encoding="utf-8")
    with pytest.raises(EditionError, match="header is not the published one"):
        read_edition(tmp_path)


def test_a_short_row_is_refused(draft: Draft, tmp_path: Path) -> None:
    values = draft.write(tmp_path) / "data" / "measure_values.csv"
    values.write_text(values.read_text(encoding="utf-8") + "rape_charges_crimes,national\n", encoding="utf-8")
    with pytest.raises(EditionError, match="2 cells, expected 20"):
        read_edition(tmp_path)


def test_a_missing_file_is_said_in_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert main([str(tmp_path)]) == 1
    assert "release.json: No such file or directory" in caplog.messages[-1]
    assert "\n" not in caplog.messages[-1]


def test_the_renderer_wants_one_folder(caplog: pytest.LogCaptureFixture) -> None:
    assert main([]) == 2
    assert "usage" in caplog.messages[-1]


@pytest.mark.parametrize(
    ("level", "name", "expected"),
    [
        ("national", "England and Wales", "national/index.html"),
        ("area", "West Midlands CPS Area", "areas/west-midlands/index.html"),
        ("area", "London (CPS London North and London South together)", "areas/london/index.html"),
        ("force", "West Midlands Police", "forces/west-midlands-police/index.html"),
        ("force", "../../etc/passwd", "forces/etc-passwd/index.html"),
        ("force", "Ynys M\u00f4n", "forces/ynys-mon/index.html"),
    ],
)
def test_every_area_has_its_address(draft: Draft, tmp_path: Path, level: str, name: str, expected: str) -> None:
    draft.areas.append(dict(draft.areas[0], area_level=level, area_code="X", area_name=name))
    edition = read_edition(draft.write(tmp_path))
    assert page_path(edition.areas[level, "X"]) == expected


def test_a_measure_has_its_address(draft: Draft, tmp_path: Path) -> None:
    measure = read_edition(draft.write(tmp_path)).measures["rape_charges_crimes"]
    assert page_path(measure) == "measures/rape-charges-crimes/index.html"


@pytest.mark.parametrize(
    ("origin", "target", "expected"),
    [
        ("index.html", "status/index.html", "status/index.html"),
        ("areas/a/index.html", "index.html", "../../index.html"),
        ("areas/a/index.html", "areas/a/measure_values.csv", "measure_values.csv"),
        ("status/index.html", "style.css", "../style.css"),
    ],
)
def test_links_are_relative(origin: str, target: str, expected: str) -> None:
    assert link(origin, target) == expected
