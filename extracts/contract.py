"""Contracts: what an extract of a kind must look like, read from ``extracts/contracts/*.yaml`` (ODCS).

Belongs here: turning a contract file into plain records and refusing a contract that says something that we would not
keep. Does not belong here: running rules (``expectations``), reading suppliers' files (``extracts.staging``).

What is ours within the standard, all as ``customProperties``: ``suppliers`` who may send it (ids or groups of
``extracts.suppliers``), ``periodFromFileName``, ``nullMarkers``, ``nilMarkers`` (written for zero),
``thousandsSeparator``, ``percentSign``, ``letterCase``, ``separator`` (between several codes in one column),
``ignoredHeaders`` (known, not read, not reported). ``caseReference`` (``urn`` or ``crime``) marks a column whose text
is replaced by a token while staging and stored as ``<name>_token``; ``referenceScope`` names the column within whose
value the reference is unique. ``physicalName`` is the header as published today; ``synonyms`` are headers that other
releases used, and their use is reported as drift. ``transformLogic`` is DuckDB SQL over the other columns, the columns
that every staged batch has (``extracts.staging``) and its functions; it may read a case reference, a rule never can.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import jsonschema_rs
import yaml
from open_data_contract_standard.model import (
    CustomProperty,
    DataQuality,
    OpenDataContractStandard,
    SchemaObject,
    SchemaProperty,
)

from extracts.suppliers import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CONTRACTS = Path(__file__).parent / "contracts"
PLACE_ALIASES = Path(__file__).parent / "place_aliases.csv"
SEVERITIES = ("row", "delivery", "warning")
ROW_ID = ("file_id", "row_number")
CASE_REFERENCES = ("urn", "crime")
# Checks that look another extract up. The order of dates is held against the earliest date of the references there.
REFERENCE_CHECKS = ("reference", "reference_order")
# Our own checks, with the arguments that each needs.
OWN_CHECKS: Mapping[str, frozenset[str]] = {
    "declared_rows": frozenset(),
    "quarantined_share": frozenset({"max_share"}),
    "reference": frozenset({"columns", "kind", "references"}),
    "reference_order": frozenset({"columns", "kind", "references", "date", "reference_date"}),
    "volume_against_history": frozenset({"low", "high", "min_rows"}),
}
TYPES = {"string": "varchar", "integer": "bigint", "number": "double", "boolean": "boolean", "date": "date"}

REFERENCE_FUNCTIONS = ("urn_form", "urn_suffix", "urn_force_code")
_TELLS_FORM_ONLY = re.compile(rf"\b({'|'.join(REFERENCE_FUNCTIONS)})\(\s*[a-z][a-z0-9_]*\s*\)")
_RULE_ID = re.compile(r"[A-Z]{2}-\d{3}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class ContractError(ValueError):
    """A contract that cannot be kept; the message names the file and what to mend."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation of a contract.

    ``check`` is a metric of the standard's library (``nullValues``, ``invalidValues``, ``duplicateValues``), the type
    of a Great Expectations expectation, or one of our own checks of a whole delivery (``quarantined_share``,
    ``declared_rows``). ``column`` is None where the rule speaks of the row or of the file.
    """

    rule_id: str
    description: str
    rationale: str
    dimension: str
    severity: str
    owner: str
    since: str
    engine: str
    check: str
    column: str | None
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: of the file where it has headers, derived where it has ``derivation`` (SQL)."""

    name: str
    sql_type: str
    description: str
    is_required: bool
    headers: tuple[str, ...]
    derivation: str | None
    allowed: tuple[str, ...]
    null_markers: tuple[str, ...]
    nil_markers: tuple[str, ...]
    thousands_separator: str
    has_percent_sign: bool
    is_upper_case: bool
    separator: str
    case_reference: str | None
    reference_scope: str | None

    @property
    def stored_as(self) -> str:
        """Name of the column in staged files and in the lake: a case reference is stored as its token only."""
        return f"{self.name}_token" if self.case_reference else self.name

    @property
    def is_checked_on_reading(self) -> bool:
        """Whether its text can fail to be a value of its type or code list."""
        return self.derivation is None and (self.sql_type != "varchar" or bool(self.allowed))


@dataclass(frozen=True, slots=True)
class Contract:
    """What an extract of one kind must look like."""

    kind: str
    version: str
    title: str
    description: str
    limitations: str
    source: str
    suppliers: tuple[str, ...]
    period_patterns: tuple[str, ...]
    ignored_headers: tuple[str, ...]
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]

    @property
    def holds_case_references(self) -> bool:
        """Whether staging it needs the key of the tokens."""
        return any(column.case_reference for column in self.columns)

    @property
    def key(self) -> tuple[str, ...]:
        """Columns, as they are stored, that tell the rows of one extract apart; empty where no rule names them."""
        rule = next((rule for rule in self.rules if rule.check == "duplicateValues"), None)
        return tuple(rule.arguments["properties"]) if rule else ()

    @property
    def holds_whole_periods(self) -> bool:
        """Whether a later extract replaces all that was said of its periods; else it adds what changed in them."""
        return "period_start" in self.key

    @property
    def referenced_kinds(self) -> tuple[str, ...]:
        """Kinds that its rules look references up in."""
        kinds = {str(rule.arguments["kind"]) for rule in self.rules if rule.check in REFERENCE_CHECKS}
        return tuple(sorted(kinds))

    def scope_shared_with(self, other: Contract) -> str | None:
        """The column that scopes both ends of every reference to another kind, such as ``force_code``.

        Tokens that are equal then have the same scope. None where a reference to that kind has no such column.
        """
        ours, theirs = ({column.stored_as: column.reference_scope for column in one.columns} for one in (self, other))
        found = set()
        for rule in self.rules:
            if rule.check in REFERENCE_CHECKS and rule.arguments["kind"] == other.kind:
                ends = zip(rule.arguments["columns"], rule.arguments["references"], strict=True)
                found.add(next((ours[one] for one, end in ends if ours[one] and ours[one] == theirs[end]), None))
        return found.pop() if len(found) == 1 else None


@cache
def all_contracts(folder: Path = CONTRACTS) -> Mapping[str, Contract]:
    """Every contract by its kind.

    Raises:
        ContractError: a contract is broken, or a rule id occurs twice.
    """
    contracts = [read_contract(path) for path in sorted(folder.glob("*.yaml"))]
    if not contracts:
        raise ContractError(f"no contract in {folder.name}/")
    _refuse_repeats(rule.rule_id for contract in contracts for rule in contract.rules)
    by_kind = {contract.kind: contract for contract in contracts}
    for contract in contracts:
        _check_references(contract, by_kind)
    return by_kind


def read_contract(path: Path) -> Contract:
    """Read and check one contract.

    Raises:
        ContractError: the file is not ODCS, or says something that we would not keep.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        _odcs_validator().validate(document)
        contract = _contract(OpenDataContractStandard(**document))
    except (yaml.YAMLError, jsonschema_rs.ValidationError, ContractError, ValueError) as error:
        reason = error.message if isinstance(error, jsonschema_rs.ValidationError) else str(error)
        raise ContractError(f"{path.name}: {reason.splitlines()[0]}") from error
    if contract.kind != path.stem:
        raise ContractError(f"{path.name}: its id is {contract.kind!r}; name the file after its id")
    return contract


@cache
def place_aliases() -> Mapping[str, str]:
    """Place codes by the names that publishers use."""
    with PLACE_ALIASES.open(encoding="utf-8", newline="") as lines:
        return {row["name"]: row["place_code"] for row in csv.DictReader(lines)}


@cache
def _odcs_validator() -> jsonschema_rs.Draft201909Validator:
    schema: dict[str, Any] = json.loads(OpenDataContractStandard.json_schema())  # type: ignore[no-untyped-call]
    return jsonschema_rs.Draft201909Validator(schema)


@cache
def _sql_parser() -> duckdb.DuckDBPyConnection:
    """A connection that parses rules' SQL and runs none of it."""
    return duckdb.connect()


def _contract(document: OpenDataContractStandard) -> Contract:
    if document.schema_ is None or len(document.schema_) != 1:
        raise ContractError("it needs exactly one schema object")
    table = document.schema_[0]
    ours = _ours(document.customProperties)
    columns = tuple(_column(item, _ours(table.customProperties)) for item in table.properties or [])
    rules = tuple(_rules(document, table))
    _refuse_repeats(column.name for column in columns)
    _refuse_repeats(rule.rule_id for rule in rules)
    _check_required_are_tested(columns, rules)
    _check_references_stay_hidden(columns)
    description = document.description
    definitions = document.authoritativeDefinitions or []
    return Contract(
        kind=document.id or "",
        version=document.version or "",
        title=document.name or "",
        description=(description and description.purpose) or "",
        limitations=(description and description.limitations) or "",
        source=next((item.url for item in definitions if item.url), ""),
        suppliers=_suppliers(tuple(_needed(ours, "suppliers"))),
        period_patterns=tuple(ours.get("periodFromFileName", ())),
        ignored_headers=_texts(_ours(table.customProperties).get("ignoredHeaders", ())),
        columns=columns,
        rules=rules,
    )


def _column(item: SchemaProperty, table: Mapping[str, Any]) -> Column:
    name = item.name or ""
    if not _NAME.fullmatch(name) or item.logicalType not in TYPES:
        raise ContractError(f"column {name!r} needs a plain name and a type out of {', '.join(TYPES)}")
    ours = _ours(item.customProperties)
    synonyms = tuple(synonym.synonym or "" for synonym in item.synonyms or [])
    is_derived = item.transformLogic is not None
    nil_markers = _texts(ours.get("nilMarkers", ()))
    null_markers = _texts(ours.get("nullMarkers", table.get("nullMarkers", ())))
    return Column(
        name=name,
        sql_type=TYPES[item.logicalType],
        description=item.description or "",
        is_required=bool(item.required),
        headers=() if is_derived else (item.physicalName if item.physicalName is not None else name, *synonyms),
        derivation=item.transformLogic,
        allowed=tuple(str(entry.value) for entry in item.enum or []),
        null_markers=tuple(marker for marker in null_markers if marker not in nil_markers),
        nil_markers=nil_markers,
        thousands_separator=str(ours.get("thousandsSeparator", "")),
        has_percent_sign=bool(ours.get("percentSign", False)),
        is_upper_case=ours.get("letterCase") == "upper",
        separator=str(ours.get("separator", "")),
        case_reference=_case_reference(item, ours),
        reference_scope=ours.get("referenceScope"),
    )


def _case_reference(item: SchemaProperty, ours: Mapping[str, Any]) -> str | None:
    reference = ours.get("caseReference")
    if reference is None:
        return None
    if reference not in CASE_REFERENCES or item.logicalType != "string" or item.transformLogic is not None:
        raise ContractError(f"column {item.name}: a case reference is a text of the file, one of {CASE_REFERENCES}")
    if reference == "crime" and not ours.get("referenceScope"):
        raise ContractError(
            f"column {item.name}: a crime reference is unique within its force only; name the referenceScope"
        )
    return str(reference)


def _suppliers(names: tuple[str, ...]) -> tuple[str, ...]:
    strangers = [name for name in names if not named((name,))]
    if strangers:
        raise ContractError(f"{strangers[0]} is no supplier and no group of suppliers (extracts/suppliers.csv)")
    return named(names)


def _rules(document: OpenDataContractStandard, table: SchemaObject) -> Iterable[Rule]:
    members = (document.team.members if document.team and not isinstance(document.team, list) else None) or []
    owner = next((member.username for member in members if member.role == "owner" and member.username), "")
    for item in table.properties or []:
        for quality in item.quality or []:
            yield _rule(quality, item.name, owner)
    for quality in table.quality or []:
        yield _rule(quality, None, owner)


def _rule(quality: DataQuality, column: str | None, contract_owner: str) -> Rule:
    rule_id = quality.id or ""
    if not _RULE_ID.fullmatch(rule_id):
        raise ContractError(f"rule id {rule_id!r} is not of the form AB-012")
    ours = _ours(quality.customProperties)
    owner = str(ours.get("owner", contract_owner))
    wanted = {"description": quality.description, "businessImpact": quality.businessImpact, "owner": owner}
    missing = [name for name, value in wanted.items() if not value]
    if missing or quality.severity not in SEVERITIES or not quality.dimension:
        raise ContractError(f"{rule_id} needs {', '.join(missing) or 'a dimension and a severity of ours'}")
    engine, check, arguments = _check(rule_id, quality)
    return Rule(
        rule_id=rule_id,
        description=quality.description or "",
        rationale=quality.businessImpact or "",
        dimension=quality.dimension,
        severity=quality.severity,
        owner=owner,
        since=str(ours.get("since", "1.0.0")),
        engine=engine,
        check=check,
        column=column,
        arguments=arguments,
    )


def _check(rule_id: str, quality: DataQuality) -> tuple[str, str, Mapping[str, Any]]:
    """Engine, check and arguments of a rule."""
    if quality.type == "library":
        if quality.metric not in ("nullValues", "invalidValues", "duplicateValues") or quality.mustBe != 0:
            raise ContractError(f"{rule_id}: we keep nullValues, invalidValues and duplicateValues that must be 0")
        return "library", quality.metric, quality.arguments or {}
    implementation = quality.implementation
    if quality.engine not in ("greatExpectations", "rasso") or not isinstance(implementation, dict):
        raise ContractError(f"{rule_id} needs the engine greatExpectations or rasso, with type and kwargs")
    check, arguments = str(implementation.get("type")), dict(implementation.get("kwargs") or {})
    if check == "unexpected_rows_expectation":
        _check_selects_row_ids(rule_id, str(arguments.get("unexpected_rows_query")))
    if quality.engine == "rasso":
        _check_own(rule_id, check, arguments)
    return quality.engine, check, arguments


def _check_own(rule_id: str, check: str, arguments: Mapping[str, Any]) -> None:
    if check not in OWN_CHECKS:
        raise ContractError(f"{rule_id}: there is no check {check}; there are {', '.join(sorted(OWN_CHECKS))}")
    missing = OWN_CHECKS[check] - arguments.keys()
    if missing:
        raise ContractError(f"{rule_id}: {check} needs {', '.join(sorted(missing))}")


def _check_selects_row_ids(rule_id: str, query: str) -> None:
    """A rule's SQL must return row ids and nothing else: values would reach results and reports."""
    text = query.replace("{batch}", "staged_batch")
    row = _sql_parser().execute("select json_serialize_sql(?)", [text]).fetchone()
    statements = json.loads(row[0] if row else "{}").get("statements", [])
    node = statements[0]["node"] if len(statements) == 1 else {}
    # A union is no plain selection, and its second half could select anything.
    selected = node.get("select_list", []) if node.get("type") == "SELECT_NODE" else []
    if tuple(_selected_name(item) for item in selected) != ROW_ID or "{batch}" not in query:
        raise ContractError(f"{rule_id}: its SQL must select {', '.join(ROW_ID)} from {{batch}} and nothing else")


def _selected_name(item: Mapping[str, Any]) -> str | None:
    """Name of a selected column that is not renamed, or of a constant (0 as row_number: the file as a whole)."""
    if item.get("class") == "COLUMN_REF":
        name = item["column_names"][-1]
        return str(name) if item.get("alias", "") in ("", name) else None
    return str(item.get("alias")) if item.get("class") == "CONSTANT" else None


def _check_required_are_tested(columns: tuple[Column, ...], rules: tuple[Rule, ...]) -> None:
    tested = {(rule.column, rule.check) for rule in rules}
    for column in columns:
        if column.is_required and (column.name, "nullValues") not in tested:
            raise ContractError(f"column {column.name} is required and no rule of nullValues says so")
        if column.is_checked_on_reading and (column.name, "invalidValues") not in tested:
            raise ContractError(f"column {column.name} has a type or a code list and no rule of invalidValues")


def _check_references(contract: Contract, by_kind: Mapping[str, Contract]) -> None:
    """Rules that look references up name columns that exist, on both sides."""
    own = {column.stored_as for column in contract.columns}
    for rule in (rule for rule in contract.rules if rule.check in REFERENCE_CHECKS):
        other = by_kind.get(str(rule.arguments["kind"]))
        theirs = {column.stored_as for column in other.columns} if other else set()
        columns, references = rule.arguments["columns"], rule.arguments["references"]
        is_pairwise = len(columns) == len(references) > 0
        if rule.check == "reference_order":
            columns, references = [*columns, rule.arguments["date"]], [*references, rule.arguments["reference_date"]]
        if not (own.issuperset(columns) and theirs.issuperset(references) and is_pairwise):
            raise ContractError(f"{contract.kind}: {rule.rule_id} names a kind or columns that do not exist")


def _check_references_stay_hidden(columns: tuple[Column, ...]) -> None:
    """What is derived from a case reference tells its form, never the reference or a part that could identify it."""
    names = [column.name for column in columns if column.case_reference]
    for column in (column for column in columns if column.derivation):
        rest = _TELLS_FORM_ONLY.sub("", column.derivation or "")
        shown = [name for name in names if re.search(rf"\b{name}\b", rest)]
        if shown:
            functions = ", ".join(REFERENCE_FUNCTIONS)
            raise ContractError(f"column {column.name} is derived from {shown[0]} by other means than {functions}")


def _ours(properties: list[CustomProperty] | None) -> Mapping[str, Any]:
    return {item.property: item.value for item in properties or [] if item.property}


def _needed(ours: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - whatever YAML holds
    if not ours.get(name):
        raise ContractError(f"it needs the custom property {name}")
    return ours[name]


def _texts(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(str(item) for item in value)  # type: ignore[attr-defined]


def _refuse_repeats(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ContractError(f"{name} occurs twice")
        seen.add(name)
