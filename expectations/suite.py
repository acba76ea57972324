"""Suites from contracts: each rule of a contract becomes one expectation.

Belongs here: the translation and nothing else. A rule's id travels in the expectation's ``meta``.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.compatibility import pydantic

from extracts.contract import REFERENCE_CHECKS, ContractError

if TYPE_CHECKING:
    from extracts.contract import Contract, Rule

_ONE_EXTRACT = ("delivery_number", "file_period_start", "file_period_end")


def _described_once(expectation: Any, **changes: Any) -> Any:  # noqa: ANN401 - the library is untyped
    """An expectation, under its own name, that describes itself once, with whatever else is changed of it.

    The library has each described two dozen times in a run, in which it does not change: a third of the time that a run
    over few rows took.
    """

    def configuration(self: Any) -> Any:  # noqa: ANN401
        if self._description is None:
            self._description = expectation.configuration.fget(self)
        return self._description

    registry = logging.getLogger("great_expectations.expectations.registry")
    level = registry.level
    registry.setLevel(logging.ERROR)  # it warns of a name that is taken, which is meant
    members = {"_description": pydantic.PrivateAttr(None), "configuration": property(configuration), **changes}
    try:
        return type(expectation)(expectation.__name__, (expectation,), {"__module__": __name__, **members})
    finally:
        registry.setLevel(level)


_ROWS, _ROW_COUNT = "unexpected_rows_query.table", "unexpected_rows_query.row_count"


def _counted(self: Any, metrics: dict[str, Any], *arguments: Any, **named: Any) -> Any:  # noqa: ANN401
    """Of the rows at fault the number alone: the library would run each query twice, to fetch the first rows."""
    return gxe.UnexpectedRowsExpectation._validate(self, {**metrics, _ROWS: []}, *arguments, **named)


_UnexpectedRows = _described_once(gxe.UnexpectedRowsExpectation, metric_dependencies=(_ROW_COUNT,), _validate=_counted)

# Single-column expectations that work on DuckDB and return an index query. Patterns and composite keys do not work on
# the dialect: they are rules with SQL of their own.
COLUMN_EXPECTATIONS = {
    "expect_column_values_to_be_between": _described_once(gxe.ExpectColumnValuesToBeBetween),
    "expect_column_values_to_be_in_set": _described_once(gxe.ExpectColumnValuesToBeInSet),
    "expect_column_values_to_not_be_in_set": _described_once(gxe.ExpectColumnValuesToNotBeInSet),
    "expect_column_values_to_not_be_null": _described_once(gxe.ExpectColumnValuesToNotBeNull),
}


def expectation_suite(contract: Contract) -> Any:  # noqa: ANN401 - the library is untyped
    """The suite of a contract's rules, without our own checks of whole deliveries.

    Raises:
        ContractError: a rule names an expectation that we do not run.
    """
    expectations = [_expectation(contract, rule) for rule in contract.rules if is_expectation(rule)]
    return gx.ExpectationSuite(name=f"{contract.kind}-{contract.version}", expectations=expectations)


def is_expectation(rule: Rule) -> bool:
    """Whether Great Expectations runs it; the others look at a delivery as a whole and at what came before."""
    return rule.engine != "rasso" or rule.check in REFERENCE_CHECKS


def known(kind: str) -> str:
    """Name of the relation with every row of a kind that the lake and the delivery hold."""
    return f"known__{kind}"


def rule_sql(contract: Contract, rule: Rule) -> str | None:
    """SQL with ``{batch}`` that selects the row ids at fault; None for a rule that is a column expectation."""
    if rule.check == "unexpected_rows_expectation":
        return str(rule.arguments["unexpected_rows_query"])
    if rule.check == "nullValues":
        return _null_values_sql(contract, rule)
    if rule.check == "invalidValues":
        return f"select file_id, row_number from {{batch}} where {_is_unparsed(rule.column)}"
    if rule.check == "duplicateValues":
        # Within one delivery and period: a run may test several deliveries, and a record that was created in one month
        # and changed in the next stands in both.
        keys = ", ".join((*_ONE_EXTRACT, *rule.arguments["properties"]))
        complete = " and ".join(f"{key} is not null" for key in rule.arguments["properties"])
        repeated = f"select {keys} from {{batch}} where {complete} group by all having count(*) > 1"
        # A semi join and not a window: half of the time of all rules went into sorting.
        return f"select file_id, row_number from {{batch}} semi join ({repeated}) as repeated using ({keys})"
    if rule.check in REFERENCE_CHECKS:
        return _reference_order_sql(rule) if rule.check == "reference_order" else _reference_sql(rule)
    return None


def _reference_sql(rule: Rule) -> str:
    complete = " and ".join(f"{column} is not null" for column in rule.arguments["columns"])
    return (
        f"select file_id, row_number from {{batch}} as batch"
        f" anti join {known(str(rule.arguments['kind']))} as known on {_matches(rule)} where {complete}"
    )


def _reference_order_sql(rule: Rule) -> str:
    """Rows dated before the earliest date of what they refer to; what is not there is another rule's matter."""
    keys = ", ".join(rule.arguments["references"])
    earliest = (
        f"select {keys}, min({rule.arguments['reference_date']}) as earliest"
        f" from {known(str(rule.arguments['kind']))} group by {keys}"
    )
    return (
        f"select file_id, row_number from {{batch}} as batch"
        f" inner join ({earliest}) as known on {_matches(rule)} where batch.{rule.arguments['date']} < known.earliest"
    )


def _matches(rule: Rule) -> str:
    pairs = zip(rule.arguments["columns"], rule.arguments["references"], strict=True)
    return " and ".join(f"batch.{column} = known.{reference}" for column, reference in pairs)


def _expectation(contract: Contract, rule: Rule) -> Any:  # noqa: ANN401 - the library is untyped
    meta = {"rule_id": rule.rule_id}
    sql = rule_sql(contract, rule)
    if sql is not None:
        return _UnexpectedRows(unexpected_rows_query=sql, meta=meta)
    check = "expect_column_values_to_not_be_null" if rule.check == "nullValues" else rule.check
    if check not in COLUMN_EXPECTATIONS or rule.column is None:
        raise ContractError(f"{rule.rule_id}: {check} is not among the expectations that we run")
    return COLUMN_EXPECTATIONS[check](column=rule.column, meta=meta, **rule.arguments)


def _null_values_sql(contract: Contract, rule: Rule) -> str | None:
    """None where a plain column expectation says it; SQL where a condition is needed.

    A text that did not parse is null, too, but it is reported by its own rule and not as missing.
    """
    column = next(column for column in contract.columns if column.name == rule.column)
    conditions = [f"({rule.arguments['where']})"] if "where" in rule.arguments else []
    if column.is_checked_on_reading:
        conditions.append(f"not {_is_unparsed(column.name)}")
    if not conditions and column.stored_as == column.name:
        return None
    conditions.insert(0, f"{column.stored_as} is null")
    return f"select file_id, row_number from {{batch}} where {' and '.join(conditions)}"


def _is_unparsed(column: str | None) -> str:
    return f"coalesce(list_contains(string_split(unparsed_columns, '|'), '{column}'), false)"
