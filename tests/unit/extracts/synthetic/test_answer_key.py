"""The answer key: every defect that was asked for is there, where it says, and nowhere that it must not be."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from written_extracts import write

from extracts.contract import all_contracts
from extracts.period import Period
from extracts.synthetic.defects import SAME_BYTES, injectable_rules
from extracts.synthetic.irregular import untouched_suppliers
from extracts.synthetic.plan import KINDS_BY_GROUP
from extracts.synthetic.recipes import DUPLICATE
from extracts.synthetic.request import Request, SynthesisError, defect_counts
from extracts.synthetic.synthesise import synthesise

if TYPE_CHECKING:
    from pathlib import Path

    from written_extracts import Written

CASE_KINDS = [kind for kinds in KINDS_BY_GROUP.values() for kind in kinds]
ROW_RULES = {
    rule.rule_id: rule for kind in CASE_KINDS for rule in all_contracts()[kind].rules if rule.severity == "row"
}


def _rows(written: Written, delivery: str, file: str) -> list[list[str]]:
    with (written.folder / delivery / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def test_every_row_level_rule_can_be_tripped() -> None:
    assert set(injectable_rules()) == set(ROW_RULES)


def test_as_many_defects_as_asked_for_are_listed(small: Written) -> None:
    key = small.answer_key
    row_defects = [defect for defect in key["defects"] if defect["level"] == "row"]
    duplicates = sum(ROW_RULES[defect["rule"]].check == DUPLICATE for defect in row_defects)
    assert len(row_defects) - duplicates // 2 + len(key["defects_not_placed"]) == 200
    assert len(key["defects_not_placed"]) <= 5
    assert len({defect["rule"] for defect in row_defects}) > 190


def test_each_listed_row_is_in_its_file(small: Written) -> None:
    for defect in small.answer_key["defects"]:
        rows = _rows(small, defect["delivery"], defect["file"])
        assert 0 <= defect["row"] < len(rows)
        assert (defect["row"] == 0) is (defect["level"] == "delivery")


def test_both_rows_of_a_repeated_key_are_listed(small: Written) -> None:
    listed: dict[tuple[str, str, str], list[int]] = {}
    for defect in small.answer_key["defects"]:
        if defect["level"] == "row" and ROW_RULES[defect["rule"]].check == DUPLICATE:
            listed.setdefault((defect["delivery"], defect["file"], defect["rule"]), []).append(defect["row"])
    assert listed
    for (delivery, file, _), (first, second) in listed.items():
        rows = _rows(small, delivery, file)
        assert rows[first] == rows[second]


def test_no_file_has_so_many_that_it_would_be_held(small: Written) -> None:
    files = Counter((d["delivery"], d["file"]) for d in small.answer_key["defects"] if d["level"] == "row")
    assert max(files.values()) <= 8


def test_the_yardsticks_area_and_its_forces_are_left_as_they_are(small: Written) -> None:
    touched = {defect["delivery"].partition("/")[0] for defect in small.answer_key["defects"]}
    touched |= {entry["delivery"].partition("/")[0] for entry in small.answer_key["irregular_deliveries"]}
    assert "cps-west-midlands" in untouched_suppliers()
    assert "west-midlands-police" in untouched_suppliers()
    assert touched.isdisjoint(untouched_suppliers())


def test_defects_of_a_whole_delivery_stand_on_extra_deliveries(small: Written) -> None:
    key = small.answer_key
    held = {defect["delivery"]: defect["rule"] for defect in key["defects"] if defect["level"] == "delivery"}
    extra = {entry["delivery"]: entry["purpose"] for entry in key["irregular_deliveries"]}
    assert {extra[delivery]: rule for delivery, rule in held.items()} == {
        "cut_off": "PC-035",
        "other_month": "PC-033",
        "same_bytes": SAME_BYTES,
    }


def test_rules_can_be_chosen(tmp_path: Path) -> None:
    chosen = {"CR-029": 3, "PC-034": 1}
    months = Period.parse("2019-10..2020-12")
    written = write(tmp_path / "chosen", months=months, scale=0.05, row_defects=0, delivery_defects=0, defects=chosen)
    assert Counter(defect["rule"] for defect in written.answer_key["defects"]) == chosen
    (held,) = (defect for defect in written.answer_key["defects"] if defect["level"] == "delivery")
    rows = _rows(written, held["delivery"], held["file"])
    assert sum("not_a_code" in row for row in rows) > max(10, 0.05 * len(rows))


def test_without_defects_none_is_listed(tmp_path: Path) -> None:
    months = Period.parse("2020-11..2020-12")
    key = write(tmp_path / "sound", months=months, scale=0.02, row_defects=0, delivery_defects=0).answer_key
    assert key["defects"] == key["defects_not_placed"] == []
    assert not key["yardstick"]["is_included"]


@pytest.mark.parametrize("area", ["8", "13"])  # the yardstick's Area has few suppliers whose rows may be spoiled
def test_of_some_areas_what_finds_no_place_is_listed(tmp_path: Path, area: str) -> None:
    months = Period.parse("2020-11..2020-12")
    written = write(tmp_path / "extracts", months=months, scale=0.05, areas=frozenset({area}))
    placed = [one for one in written.answer_key["defects"] if one["level"] != "delivery"]
    assert len(placed) + len(written.answer_key["defects_not_placed"]) == 200
    assert placed
    assert {one["delivery"].split("/")[0] for one in placed} <= {path.name for path in written.folder.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 0.0}, "not more than 0"),
        ({"damaged_references": 5.0}, "between 0 and 1"),
        ({"row_defects": -1}, "fewer than 0"),
        ({"areas": frozenset({"13", "99"})}, "no CPS Area has the code '99'; there are: 1 "),
        ({"defects": {"PC-999": 1}}, "no defect trips 'PC-999' alone; there are: PC-001, "),
    ],
    ids=["no_scale", "per_cent", "negative", "unknown_area", "unknown_rule"],
)
def test_arguments_that_make_no_sense_are_refused(
    tmp_path: Path, arguments: dict[str, float | dict[str, int] | frozenset[str]], message: str
) -> None:
    request = Request(into=tmp_path / "extracts", months=Period.parse("2020-12"), **arguments)  # type: ignore[arg-type]
    with pytest.raises(SynthesisError, match=message):
        synthesise(request)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SynthesisError, match="is not empty; name a new folder"):
        synthesise(Request(into=tmp_path, months=Period.parse("2020-12")))


@pytest.mark.parametrize("text", ["PC-026", "PC-026=", "=3", "PC-026=many", "PC-026=-1"])
def test_a_defect_without_a_count_is_refused(text: str) -> None:
    with pytest.raises(SynthesisError, match="PC-026=5"):
        defect_counts([text])


def test_a_defect_that_is_named_twice_counts_twice() -> None:
    assert defect_counts(["PC-026=5", "PC-001=1", "PC-026=2"]) == {"PC-026": 7, "PC-001": 1}
