"""Contract pages: what a supplier is sent, so that it knows what to send.

Belongs here: turning contracts into pages that can be sent or printed, one file each and nothing beside it. Does not
belong here: what a contract is (``extracts.contract``), what a delivery must look like (``extracts.delivery``). A page
is made from its contract and the register of suppliers: the same of both gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from open_data_contract_standard.model import OpenDataContractStandard

from extracts.contract import CONTRACTS, all_contracts
from extracts.delivery import MANIFEST
from extracts.suppliers import all_suppliers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extracts.contract import Column, Contract, Rule
    from extracts.suppliers import Supplier

_TEMPLATES = Path(__file__).parent / "templates"
_PUBLISHER = "publisher"
_GROUPS = {"force": "police force", "cps_area": "CPS Area", "joint_panel": "joint panel"}
_UNITS = {"d": "day", "m": "month", "y": "year"}
_FORMS = {
    "date": "date, such as 2020-11-30",
    "bigint": "whole number",
    "double": "number",
    "boolean": "true or false",
    "varchar": "text",
}
_WHOLE_FILE_CHECKS = ("declared_rows", "quarantined_share", "volume_against_history")
_IN_SHORT = {"row": "row kept out", "delivery": "delivery held", "warning": "warning"}
_CONSEQUENCES = {
    "row": "The row is kept out and named in the feedback; the other rows are loaded.",
    "delivery": "The whole delivery is held: nothing is loaded until a person decides.",
    "warning": "Nothing is kept out; the rows are named in the feedback.",
}


@dataclass(frozen=True, slots=True)
class _SentColumn:
    """One column as a supplier sees it."""

    header: str
    other_headers: tuple[str, ...]
    description: str
    form: str
    notes: tuple[str, ...]
    is_required: bool
    is_key: bool
    codes: tuple[str, ...]
    separator: str
    stored_as: str
    is_case_reference: bool


@dataclass(frozen=True, slots=True)
class _DerivedColumn:
    """One column that we work out."""

    name: str
    description: str
    origin: str


@dataclass(frozen=True, slots=True)
class _ShownRule:
    """One rule in plain words."""

    rule: Rule
    header: str | None
    speaks_of: str
    consequence: str


@dataclass(frozen=True, slots=True)
class _Example:
    """One delivery that could be sent: made up, but every part of it is as it should be."""

    supplier: str
    period: str
    file_name: str
    manifest: str


@dataclass(frozen=True, slots=True)
class _Page:
    """Everything that the page of one contract says."""

    contract: Contract
    usage: str
    one_row: str
    frequency: str
    is_statistics: bool
    suppliers: tuple[Supplier, ...]
    senders: str
    sent: tuple[_SentColumn, ...]
    derived: tuple[_DerivedColumn, ...]
    rules: tuple[_ShownRule, ...]
    null_markers: tuple[str, ...]
    has_dates: bool
    example: _Example


def write_contract_pages(folder: Path, contracts: Path = CONTRACTS) -> list[Path]:
    """Write ``<kind>.html`` for each contract and ``index.html``; returns them, the index last.

    Raises:
        ContractError: a contract is broken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages = [_page(contract, contracts) for contract in all_contracts(contracts).values()]
    written = [
        _written(
            folder / f"{page.contract.kind}.html",
            "contract.html",
            page=page,
            consequences=_CONSEQUENCES,
            in_short=_IN_SHORT,
        )
        for page in pages
    ]
    return [*written, _written(folder / "index.html", "contracts.html", pages=pages)]


def _written(path: Path, template: str, **context: object) -> Path:
    path.write_text(_environment().get_template(template).render(manifest_name=MANIFEST, **context), encoding="utf-8")
    return path


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["counted"] = _counted
    return environment


def _page(contract: Contract, contracts: Path) -> _Page:
    document = OpenDataContractStandard(**yaml.safe_load((contracts / f"{contract.kind}.yaml").read_text("utf-8")))
    assert document.schema_ is not None  # reading the contract made sure of it
    table = document.schema_[0]
    properties = {item.name: item for item in table.properties or []}
    markers = _common_markers(contract)
    suppliers = tuple(all_suppliers()[supplier] for supplier in contract.suppliers)
    count, unit = _frequency(document)
    return _Page(
        contract=contract,
        usage=(document.description and document.description.usage) or "",
        one_row=table.description or "",
        frequency=f"every {_UNITS[unit]}" if count == 1 else f"every {_counted(count, _UNITS[unit])}",
        is_statistics=all(supplier.group == _PUBLISHER for supplier in suppliers),
        suppliers=suppliers,
        senders=_senders(suppliers),
        sent=tuple(
            _sent_column(column, markers, is_key=bool(properties[column.name].primaryKey))
            for column in contract.columns
            if column.derivation is None
        ),
        derived=tuple(
            _DerivedColumn(column.name, column.description, properties[column.name].transformDescription or "")
            for column in contract.columns
            if column.derivation is not None
        ),
        rules=tuple(_shown_rule(rule, contract) for rule in contract.rules),
        null_markers=markers,
        has_dates=any(column.headers and column.sql_type == "date" for column in contract.columns),
        example=_example(contract, suppliers[0].supplier_id, count, unit),
    )


def _senders(suppliers: tuple[Supplier, ...]) -> str:
    if len(suppliers) == 1:
        return suppliers[0].name
    groups = {supplier.group for supplier in suppliers}
    thing = _GROUPS.get(next(iter(groups)), "supplier") if len(groups) == 1 else "supplier"
    return _counted(len(suppliers), thing)


def _frequency(document: OpenDataContractStandard) -> tuple[int, str]:
    """How often it is sent: a number of days, months or years; monthly where the contract is silent."""
    for item in document.slaProperties or []:
        if item.property == "frequency" and item.unit in _UNITS:
            return int(str(item.value)), item.unit
    return 1, "m"


def _common_markers(contract: Contract) -> tuple[str, ...]:
    """What stands for an empty value in every column."""
    sent = [column for column in contract.columns if column.derivation is None]
    return tuple(marker for marker in sent[0].null_markers if all(marker in column.null_markers for column in sent[1:]))


def _sent_column(column: Column, common_markers: tuple[str, ...], *, is_key: bool) -> _SentColumn:
    return _SentColumn(
        header=column.headers[0],
        other_headers=column.headers[1:],
        description=column.description,
        form=_form(column),
        notes=tuple(_notes(column, common_markers)),
        is_required=column.is_required,
        is_key=is_key,
        codes=column.allowed,
        separator=column.separator,
        stored_as=column.stored_as,
        is_case_reference=column.case_reference is not None,
    )


def _form(column: Column) -> str:
    if column.case_reference:
        return "case reference"
    if column.allowed:
        return f"one or more codes, separated by {column.separator}" if column.separator else "one code"
    return _FORMS[column.sql_type]


def _notes(column: Column, common_markers: tuple[str, ...]) -> Iterable[str]:
    others = [marker for marker in column.null_markers if marker not in common_markers]
    if others:
        yield f"Also read as empty: {', '.join(others)}."
    if column.nil_markers:
        yield f"Read as zero: {', '.join(column.nil_markers)}."
    if column.thousands_separator:
        yield f"Thousands may be set apart by {column.thousands_separator}"
    if column.has_percent_sign:
        yield "A percent sign may follow."
    if column.is_upper_case:
        yield "Small letters are read as capitals."


def _shown_rule(rule: Rule, contract: Contract) -> _ShownRule:
    headers = {column.name: column.headers[0] for column in contract.columns if column.headers}
    header = None if rule.column is None else headers.get(rule.column, rule.column)
    is_of_file = rule.severity == "delivery" or rule.check in _WHOLE_FILE_CHECKS
    return _ShownRule(rule, header, "the file" if is_of_file else "the row", _IN_SHORT[rule.severity])


def _example(contract: Contract, supplier: str, count: int, unit: str) -> _Example:
    period = "2020-11" if (count, unit) == (1, "m") else "2020-04..2021-03" if unit == "y" else "2020-10..2020-12"
    file_name = f"{contract.kind.replace('_', '-')}-{period[:7]}.csv"
    document = {
        "supplier": supplier,
        "sent_at": "2021-04-12T09:00:00Z",
        "files": [
            {
                "name": file_name,
                "kind": contract.kind,
                "contract_version": contract.version,
                "period": period,
                "sha256": hashlib.sha256(b"the bytes of the file").hexdigest(),
                "rows": 120,
            }
        ],
    }
    return _Example(supplier, period, file_name, json.dumps(document, indent=2))


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
