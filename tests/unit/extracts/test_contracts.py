"""Contracts: the real ones load, and each guard refuses the contract that breaks it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from extracts.contract import CONTRACTS, SEVERITIES, ContractError, all_contracts, read_contract
from extracts.staging import normalised_header

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Document = dict[str, Any]
    Defect = Callable[[Document], object]

GOOD: dict[str, Any] = {
    "apiVersion": "v3.2.0",
    "kind": "DataContract",
    "id": "small_extract",
    "name": "A small extract",
    "version": "1.0.0",
    "status": "active",
    "team": {"members": [{"username": "somebody", "role": "owner"}]},
    "customProperties": [{"property": "suppliers", "value": ["home-office"]}],
    "schema": [
        {
            "name": "small_extract",
            "logicalType": "object",
            "properties": [
                {
                    "name": "code",
                    "logicalType": "string",
                    "required": True,
                    "quality": [
                        {
                            "id": "SM-001",
                            "type": "library",
                            "metric": "nullValues",
                            "mustBe": 0,
                            "dimension": "completeness",
                            "severity": "row",
                            "description": "The code is given.",
                            "businessImpact": "Without it the row cannot be counted.",
                        }
                    ],
                },
                {"name": "remark", "logicalType": "string"},
            ],
            "quality": [
                {
                    "id": "SM-002",
                    "type": "custom",
                    "engine": "greatExpectations",
                    "dimension": "consistency",
                    "severity": "warning",
                    "description": "The code is not its remark.",
                    "businessImpact": "It shows a slip.",
                    "implementation": {
                        "type": "unexpected_rows_expectation",
                        "kwargs": {
                            "unexpected_rows_query": "select file_id, row_number from {batch} where code = remark"
                        },
                    },
                }
            ],
        }
    ],
}


def _table(document: Document) -> Document:
    table: Document = document["schema"][0]
    return table


def _first_rule(document: Document) -> Document:
    rule: Document = _table(document)["properties"][0]["quality"][0]
    return rule


def _row_rule(document: Document) -> Document:
    rule: Document = _table(document)["quality"][0]
    return rule


def _with_query(query: str) -> Defect:
    return lambda document: _row_rule(document)["implementation"]["kwargs"].update(unexpected_rows_query=query)


def _with_reference(reference: str, **more: str) -> Defect:
    ours = [{"property": "caseReference", "value": reference}]
    return lambda document: _table(document)["properties"][1].update(customProperties=ours, **more)


def _with_derived_from_reference(sql: str) -> Defect:
    def spoil(document: Document) -> None:
        _with_reference("urn")(document)
        _table(document)["properties"].append({"name": "derived", "logicalType": "string", "transformLogic": sql})

    return spoil


def _with_own_check(check: str) -> Defect:
    implementation = {"type": check, "kwargs": {}}
    return lambda document: _row_rule(document).update(engine="rasso", implementation=implementation)


def _write(folder: Path, document: Document, name: str = "small_extract.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


DEFECTS: dict[str, tuple[Defect, str]] = {
    "not ODCS": (lambda document: document.pop("apiVersion"), "apiVersion"),
    "no schema": (lambda document: document.pop("schema"), "exactly one schema object"),
    "two schema objects": (lambda document: document["schema"].append(_table(GOOD)), "exactly one schema object"),
    "no supplier": (lambda document: document.pop("customProperties"), "suppliers"),
    "supplier that nobody knows": (
        lambda document: document["customProperties"][0].update(value=["somebody"]), "somebody is no supplier"
    ),
    "case reference of another sort": (_with_reference("passport"), "a case reference is a text of the file"),
    "case reference that is no text": (_with_reference("urn", logicalType="integer"), "is a text of the file"),
    "case reference that is derived": (_with_reference("urn", transformLogic="code"), "is a text of the file"),
    "crime reference without its force": (_with_reference("crime"), "name the referenceScope"),
    "derived column that shows a case reference": (
        _with_derived_from_reference("left(remark, 8)"), "derived from remark by other means"
    ),
    "derived column that shows one beside its form": (
        _with_derived_from_reference("urn_form(remark) || remark"), "derived from remark by other means"
    ),
    "check of our own that there is none of": (_with_own_check("sunshine"), "there is no check sunshine"),
    "check of our own without its limits": (_with_own_check("quarantined_share"), "needs max_share"),
    "column name with capitals": (
        lambda document: _table(document)["properties"][1].update(name="Remark"), "plain name"
    ),
    "column of a type of ours that is none": (
        lambda document: _table(document)["properties"][1].update(logicalType="timestamp"), "plain name and a type"
    ),
    "column twice": (
        lambda document: _table(document)["properties"].append({"name": "remark", "logicalType": "string"}),
        "remark occurs twice",
    ),
    "required column without a rule of nullValues": (
        lambda document: _table(document)["properties"][1].update(required=True), "column remark is required"
    ),
    "typed column without a rule of invalidValues": (
        lambda document: _table(document)["properties"][1].update(logicalType="integer"), "no rule of invalidValues"
    ),
    "code list without a rule of invalidValues": (
        lambda document: _table(document)["properties"][1].update(enum=[{"value": "a"}]), "no rule of invalidValues"
    ),
    "rule id of another form": (lambda document: _first_rule(document).update(id="SM-1"), "not of the form AB-012"),
    "rule without an id": (lambda document: _first_rule(document).pop("id"), "not of the form AB-012"),
    "rule without a description": (lambda document: _first_rule(document).pop("description"), "needs description"),
    "rule without a rationale": (
        lambda document: _first_rule(document).pop("businessImpact"), "SM-001 needs businessImpact"
    ),
    "rule without an owner": (lambda document: document.pop("team"), "SM-001 needs owner"),
    "rule without a dimension": (lambda document: _first_rule(document).pop("dimension"), "a dimension"),
    "rule without a severity": (lambda document: _first_rule(document).pop("severity"), "a severity of ours"),
    "rule of an unknown severity": (
        lambda document: _first_rule(document).update(severity="error"), "a severity of ours"
    ),
    "metric that we do not keep": (
        lambda document: _first_rule(document).update(metric="missingValues"), "nullValues, invalidValues"
    ),
    "metric with a tolerance": (lambda document: _first_rule(document).update(mustBe=1), "must be 0"),
    "engine that we do not run": (
        lambda document: _row_rule(document).update(engine="soda"), "engine greatExpectations or rasso"
    ),
    "implementation in words": (
        lambda document: _row_rule(document).update(implementation="look at it"), "with type and kwargs"
    ),
    "SQL that selects a value": (
        _with_query("select file_id, row_number, remark from {batch}"), "must select file_id, row_number"
    ),
    "SQL that selects everything": (_with_query("select * from {batch}"), "must select file_id, row_number"),
    "SQL that selects values instead of row ids": (
        _with_query("select code, remark from {batch}"), "must select file_id, row_number"
    ),
    "SQL that selects row ids the wrong way round": (
        _with_query("select row_number, file_id from {batch}"), "must select file_id, row_number"
    ),
    "SQL that selects values after a common table expression": (
        _with_query("with\nbad as (\n    select file_id, row_number from {batch}\n)\nselect code from bad"),
        "must select file_id, row_number",
    ),
    "SQL that renames a value to a row id": (
        _with_query("select code as file_id, row_number from {batch}"), "must select file_id, row_number"
    ),
    "SQL whose second half selects values": (
        _with_query("select file_id, row_number from {batch} union all select file_id, code from {batch}"),
        "must select file_id, row_number",
    ),
    "SQL that does not read the batch": (_with_query("select file_id, row_number from other"), "from {batch}"),
    "rule without SQL": (
        lambda document: _row_rule(document)["implementation"].update(kwargs={}), "must select file_id, row_number"
    ),
}  # fmt: skip


@pytest.fixture
def good() -> Document:
    """A contract that is kept as it stands, to be spoilt."""
    return copy.deepcopy(GOOD)


def test_a_good_contract_is_read(tmp_path: Path, good: Document) -> None:
    contract = read_contract(_write(tmp_path, good))

    assert (contract.kind, contract.suppliers) == ("small_extract", ("home-office",))
    assert [rule.rule_id for rule in contract.rules] == ["SM-001", "SM-002"]


@pytest.mark.parametrize("name", DEFECTS)
def test_a_contract_that_we_would_not_keep_is_refused(tmp_path: Path, good: Document, name: str) -> None:
    spoil, reason = DEFECTS[name]
    spoil(good)

    with pytest.raises(ContractError) as refusal:
        read_contract(_write(tmp_path, good))

    assert str(refusal.value).startswith("small_extract.yaml: ")
    assert reason in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("text", ["{", "a: [", "\tid: x", "- a list", "just words", ""])
def test_a_file_that_is_no_contract_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "small_extract.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ContractError, match=r"^small_extract\.yaml: "):
        read_contract(path)


def test_a_contract_under_another_name_than_its_id_is_refused(tmp_path: Path, good: Document) -> None:
    with pytest.raises(ContractError, match="name the file after its id"):
        read_contract(_write(tmp_path, good, "other_extract.yaml"))


def test_a_rule_id_that_two_contracts_use_is_refused(tmp_path: Path, good: Document) -> None:
    _write(tmp_path, good)
    _write(tmp_path, good | {"id": "other_extract"}, "other_extract.yaml")

    with pytest.raises(ContractError, match="SM-001 occurs twice"):
        all_contracts(tmp_path)


@pytest.mark.parametrize(
    ("kind", "columns", "references"),
    [
        ("atlantis", ["code"], ["code"]),
        ("small_extract", ["code"], ["sunken"]),
        ("small_extract", ["sunken"], ["code"]),
        ("small_extract", ["code", "remark"], ["code"]),
        ("small_extract", [], []),
    ],
)
def test_a_reference_to_what_does_not_exist_is_refused(
    tmp_path: Path, good: Document, kind: str, columns: list[str], references: list[str]
) -> None:
    arguments = {"kind": kind, "columns": columns, "references": references}
    _row_rule(good).update(engine="rasso", implementation={"type": "reference", "kwargs": arguments})
    _write(tmp_path, good)

    with pytest.raises(ContractError, match="SM-002 names a kind or columns that do not exist"):
        all_contracts(tmp_path)


@pytest.mark.parametrize(("date", "reference_date"), [("sunken", "remark"), ("remark", "sunken")])
def test_an_order_of_dates_that_do_not_exist_is_refused(
    tmp_path: Path, good: Document, date: str, reference_date: str
) -> None:
    names = {"kind": "small_extract", "columns": ["code"], "references": ["code"]}
    arguments = names | {"date": date, "reference_date": reference_date}
    _row_rule(good).update(engine="rasso", implementation={"type": "reference_order", "kwargs": arguments})
    _write(tmp_path, good)

    with pytest.raises(ContractError, match="SM-002 names a kind or columns that do not exist"):
        all_contracts(tmp_path)


def test_a_derived_column_may_tell_the_form_of_a_case_reference(tmp_path: Path, good: Document) -> None:
    _with_derived_from_reference("urn_form(remark)")(good)
    contract = read_contract(_write(tmp_path, good))
    assert [column.stored_as for column in contract.columns] == ["code", "remark_token", "derived"]


def test_a_rule_id_that_one_contract_uses_twice_is_refused(tmp_path: Path, good: Document) -> None:
    _row_rule(good)["id"] = "SM-001"
    _write(tmp_path, good)

    with pytest.raises(ContractError, match="SM-001 occurs twice"):
        all_contracts(tmp_path)


def test_a_folder_without_contracts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no contract"):
        all_contracts(tmp_path)


def test_every_real_contract_is_read() -> None:
    assert set(all_contracts()) == {path.stem for path in CONTRACTS.glob("*.yaml")}
    assert len(all_contracts()) >= 3


@pytest.mark.parametrize("kind", all_contracts())
def test_a_real_contract_says_what_people_need_to_know(kind: str) -> None:
    contract = all_contracts()[kind]

    assert all((contract.title, contract.description, contract.limitations, contract.source, contract.suppliers))
    assert all(column.description for column in contract.columns)
    assert {rule.severity for rule in contract.rules} <= set(SEVERITIES)


@pytest.mark.parametrize("kind", all_contracts())
def test_a_real_contract_has_a_rule_of_rows_and_one_of_deliveries(kind: str) -> None:
    assert {"row", "delivery"} <= {rule.severity for rule in all_contracts()[kind].rules}


@pytest.mark.parametrize("kind", all_contracts())
def test_headers_of_a_real_contract_are_different_columns_headers(kind: str) -> None:
    headers = [normalised_header(name) for column in all_contracts()[kind].columns for name in column.headers]

    assert len(headers) == len(set(headers))


@pytest.mark.parametrize(
    ("header", "normalised"),
    [
        ("Financial Year", "financial_year"),
        ("financial_year", "financial_year"),
        ("  Force  Name ", "force_name"),
        ("Offence-Code", "offence_code"),
        ("Number of 'Rape' (all)", "number_of_rape_all"),
        ("", ""),
    ],
)
def test_a_header_is_compared_without_case_and_punctuation(header: str, normalised: str) -> None:
    assert normalised_header(header) == normalised
