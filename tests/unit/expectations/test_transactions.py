"""The connection belongs to the intake: validation leaves no transaction open, invents no row ids, fetches no row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb
import pytest

from expectations import validation
from expectations.engine import DuckDBExecutionEngine
from expectations.suite import rule_sql
from expectations.validation import BATCH, TestedFile, ValidationError, Validator
from extracts.contract import Contract, all_contracts

if TYPE_CHECKING:
    from collections.abc import Iterator

CPS = "cps_principal_offence_outcomes"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """One staged row of the CPS contract."""
    with duckdb.connect() as opened:
        columns = ", ".join(f"null::{column.sql_type} as {column.name}" for column in all_contracts()[CPS].columns)
        opened.execute(
            f"create temp table {BATCH} as select 1 as delivery_number, 1 as file_id, 1::bigint as row_number, "
            f"{columns}, date '2014-03-01' as file_period_start, date '2014-03-31' as file_period_end, "
            "null::varchar as unparsed_columns"
        )
        yield opened


@pytest.mark.parametrize("_turn", range(12))  # the library resolves its metrics in a varying order
def test_no_transaction_is_left_open(connection: duckdb.DuckDBPyConnection, _turn: int) -> None:
    Validator(connection).validate(CPS, {1: TestedFile(months=1)})
    connection.execute("begin")
    connection.execute("rollback")


def test_a_transaction_left_open_would_be_noticed(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("begin")
    with pytest.raises(duckdb.TransactionException):
        connection.execute("begin")


def test_a_value_that_a_rule_passes_off_as_a_row_number_is_refused(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = all_contracts()[CPS]
    (first, *others) = (rule for rule in contract.rules if rule.check == "unexpected_rows_expectation")
    disguised = "with x as (select file_id, 4711 as row_number from {batch}) select file_id, row_number from x"
    rules = (replace(first, arguments={"unexpected_rows_query": disguised}), *others)
    monkeypatch.setattr(validation, "all_contracts", lambda: {CPS: _with_rules(contract, rules)})
    with pytest.raises(ValidationError, match="no row id"):
        Validator(connection).validate(CPS, {1: TestedFile(months=1)})


def test_of_the_rows_that_a_rule_selects_only_the_number_is_fetched(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: list[str] = []
    run_query = DuckDBExecutionEngine.execute_query
    monkeypatch.setattr(
        DuckDBExecutionEngine, "execute_query", lambda self, query: run.append(str(query)) or run_query(self, query)
    )
    rules = [rule.rule_id for rule in all_contracts()[CPS].rules if rule_sql(all_contracts()[CPS], rule)]
    Validator(connection).validate(CPS, {1: TestedFile(months=1)})
    queries = [query for query in run if "row_number" in query]
    assert len(queries) == len(rules)
    assert all(query.startswith("SELECT COUNT(*) as unexpected_row_count FROM (") for query in queries)


def _with_rules(contract: Contract, rules: tuple[object, ...]) -> Contract:
    return replace(contract, rules=rules)  # type: ignore[arg-type]
