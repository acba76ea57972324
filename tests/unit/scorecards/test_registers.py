"""The registers of events and public statements: read as written, and refused for what would mislead a reader."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from scorecards import registers
from scorecards.registers import RegisterError, read_claims, read_events
from transforms import catalogue

if TYPE_CHECKING:
    from pathlib import Path

EVENT: dict[str, Any] = {
    "id": "courts", "measures": ["convictions*", "charges_rasso"], "areas": ["13"], "from": date(2020, 3, 23),
    "to": date(2020, 5, 17), "sentence": "No new jury trial began.", "source": "Judiciary",
}  # fmt: skip
CLAIM: dict[str, Any] = {
    "id": "claim", "area_code": "13", "title": "A", "said": "B", "source": "C", "from": date(2018, 12, 31),
    "to": date(2020, 12, 31), "arithmetic": {"change_pct": 79.6, "first": 38.4, "second": 71.4, "compared_with": 33},
    "synthetic_note": "D",
    "parts": [{"name": "Referrals", "stated": {"change_pct": 79.6, "decimals": 1}, "readings": ["charges_rasso"]}],
}  # fmt: skip


def written(folder: Path, *entries: object) -> Path:
    file = folder / "register.yaml"
    file.write_text(yaml.safe_dump(list(entries)), encoding="utf-8")
    return file


def test_the_registers_of_the_project_name_measures_that_exist() -> None:
    ids = [measure.id for measure in catalogue.load()]
    for event in read_events():
        for name in event.measures:
            assert any(one.startswith(name[:-1]) if name.endswith("*") else one == name for one in ids), name
    for claim in read_claims():
        assert {reading for part in claim.parts for reading in part.readings} <= set(ids)


@pytest.mark.parametrize(
    ("measure", "areas", "days", "is_touched"),
    [
        ("convictions_rasso", ["13"], (date(2020, 1, 1), date(2020, 3, 31)), True),
        ("charges_rasso", ["20", "13"], (date(2020, 5, 1), date(2020, 5, 31)), True),
        ("charges_rasso_more", ["13"], (date(2020, 5, 1), date(2020, 5, 31)), False),
        ("convictions_rasso", ["8"], (date(2020, 1, 1), date(2020, 3, 31)), False),
        ("convictions_rasso", ["13"], (date(2020, 1, 1), date(2020, 3, 22)), False),
        ("convictions_rasso", ["13"], (date(2020, 5, 18), date(2020, 6, 30)), False),
    ],
)
def test_an_event_touches_its_measures_areas_and_days(
    tmp_path: Path, measure: str, areas: list[str], days: tuple[date, date], is_touched: bool
) -> None:
    (event,) = read_events(written(tmp_path, EVENT))
    assert event.touches(measure, areas, *days) == is_touched


@pytest.mark.parametrize(
    ("read", "entry", "complaint"),
    [
        (read_events, EVENT | {"to": date(2020, 1, 1)}, "an end not before its beginning"),
        (read_events, EVENT | {"measures": []}, "needs measures"),
        (read_events, {key: value for key, value in EVENT.items() if key != "source"}, "source"),
        (read_events, EVENT | {"cause": "nobody knows"}, "cause"),
        (read_claims, CLAIM | {"parts": [CLAIM["parts"][0] | {"readings": []}]}, "and readings"),
        (read_claims, CLAIM | {"parts": [CLAIM["parts"][0] | {"stated": {"decimals": 1}}]}, "state a change or two"),
    ],
)
def test_a_defective_entry_is_refused(tmp_path: Path, read: Any, entry: dict[str, Any], complaint: str) -> None:  # noqa: ANN401
    with pytest.raises(RegisterError, match=complaint):
        read(written(tmp_path, entry))


@pytest.mark.parametrize("read", [read_events, read_claims])
def test_an_id_stands_once(tmp_path: Path, read: Any) -> None:  # noqa: ANN401
    entry = EVENT if read is registers.read_events else CLAIM
    with pytest.raises(RegisterError, match="stands twice"):
        read(written(tmp_path, entry, entry))
