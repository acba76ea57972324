"""Canaries: ordinary rows that a test can look for where they must not be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from written_extracts import Written


def _files_with(written: Written, text: str) -> set[str]:
    paths = written.folder.rglob("*.csv")
    return {str(path.relative_to(written.folder)) for path in paths if text in path.read_text(encoding="utf-8")}


def test_the_canary_references_are_in_rows_of_police_and_cps(small: Written) -> None:
    canaries = small.answer_key["canaries"]
    suppliers = {name.partition("/")[0] for name in _files_with(small, canaries["urn"])}
    assert suppliers == {canaries["force_supplier"], canaries["area_supplier"]}
    kinds = {name.rpartition("/")[2].split("_20")[0] for name in _files_with(small, canaries["crime_reference"])}
    assert kinds >= {"police_crimes", "police_referrals"}


def test_a_surname_stands_once_in_a_column_that_no_contract_names(small: Written) -> None:
    planted = small.answer_key["canaries"]["undeclared_column"]
    name = f"{planted['delivery']}/{planted['file']}"
    assert _files_with(small, planted["surname"]) == {name}
    header, first, *rest = (small.folder / name).read_text(encoding="utf-8").splitlines()
    assert header.endswith(f",{planted['header']}")
    assert first.endswith(f",{planted['surname']}")
    assert all(line.endswith(",") for line in rest)
