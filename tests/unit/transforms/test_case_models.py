"""The models of case extracts keep to their contracts: one staging model and one current view for each kind."""

from __future__ import annotations

import csv
import re

import pytest

from extracts.contract import all_contracts
from transforms.catalogue import ROOM

MODELS = ROOM / "models"
_CALL = re.compile(r"\{\{ current_rows\('(\w+)', \[([^\]]+)\]\) \}\}\n")
# Each panel numbers its items and actions for itself, so its CPS Area is part of the key.
OF_ONE_AREA = ("panel_findings", "joint_meetings", "local_action_plan")
CASE_KINDS = [kind for kind, contract in all_contracts().items() if contract.holds_case_references] + [*OF_ONE_AREA]


def _current(kind: str) -> tuple[str, list[str]]:
    """Staging model and keys that the current view of a kind is made of."""
    text = (MODELS / "intermediate" / "case_extracts" / f"int_{kind}__current.sql").read_text(encoding="utf-8")
    call = _CALL.fullmatch(text)
    assert call is not None
    return call[1], re.findall(r"\w+", call[2])


def test_there_are_twelve_kinds() -> None:
    assert len(set(CASE_KINDS)) == 12


def test_every_contract_names_a_key_and_those_of_statistics_hold_their_period() -> None:
    with (ROOM / "seeds" / "extract_kinds.csv").open(encoding="utf-8", newline="") as lines:
        is_case_level = {row["kind"]: row["is_case_level"] == "true" for row in csv.DictReader(lines)}

    assert all(contract.key for contract in all_contracts().values())
    assert {kind: not contract.holds_whole_periods for kind, contract in all_contracts().items()} == is_case_level


@pytest.mark.parametrize("kind", CASE_KINDS)
def test_a_current_row_is_told_by_the_key_of_its_contract(kind: str) -> None:
    model, keys = _current(kind)
    own = {"cps_area_code"} if kind in OF_ONE_AREA else set()

    assert set(keys) - own == set(all_contracts()[kind].key) - own
    assert own <= set(keys)
    assert f"source('extracts', '{kind}')" in (MODELS / "staging" / f"{model}.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", CASE_KINDS)
def test_no_part_of_a_key_is_missing_in_an_accepted_row(kind: str) -> None:
    columns = {column.stored_as: column for column in all_contracts()[kind].columns}
    tested = {
        rule.column for rule in all_contracts()[kind].rules if rule.check == "nullValues" and rule.severity == "row"
    }
    # The supplier is known, and a URN that is there has a suffix, be it an empty one.
    whole = {"supplier_code"} | ({"urn_suffix(urn)"} if "urn" in tested else set())
    own = {name for name, column in columns.items() if column.derivation in whole}

    missing = [key for key in _current(kind)[1] if columns[key].name not in tested and key not in own]

    assert missing == []


@pytest.mark.parametrize("kind", CASE_KINDS)
def test_several_codes_in_one_column_are_staged_as_a_list(kind: str) -> None:
    model, _ = _current(kind)
    sql = (MODELS / "staging" / f"{model}.sql").read_text(encoding="utf-8")

    lists = {column.name for column in all_contracts()[kind].columns if column.separator}

    assert set(re.findall(r"codes\('(\w+)'\)", sql)) == lists
