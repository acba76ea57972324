"""Suites: each metric of a contract becomes an expectation that finds what it should; what we do not run is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb
import pytest

from expectations.suite import COLUMN_EXPECTATIONS, expectation_suite, rule_sql
from extracts.contract import Contract, ContractError, Rule, all_contracts

if TYPE_CHECKING:
    from collections.abc import Iterator

CRIME = all_contracts()["home_office_recorded_crime"]

# file_id, row_number, unparsed columns, FY, quarter, force, place, start of the quarter, code
STAGED = (
    (1, 1, None, "2017/18", 1, "Kent", "46", "2017-04-01", "19C"),
    (1, 2, "financial_quarter", "2017/18", None, "Kent", "46", None, "19C"),
    (1, 3, None, "2017/18", None, "Kent", "46", None, "19C"),
    (1, 4, None, "2017/18", 1, "Atlantis", None, "2017-04-01", "19C"),
    (1, 5, None, "2017/18", 1, None, None, "2017-04-01", "19C"),
    (1, 6, None, "2017/18", 1, "Kent", "46", "2017-04-01", "19C"),
    (1, 7, "recorded_count|financial_quarter_of_another", "2017/18", 1, "Kent", "46", "2017-04-01", "20A"),
    (2, 8, None, "2017/18", 1, "Kent", "46", "2017-04-01", "19C"),  # the same key in another delivery
)


@pytest.fixture(scope="module")
def staged() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            """
            create table staged (
                file_id integer, row_number bigint, unparsed_columns varchar, financial_year varchar,
                financial_quarter bigint, force_name varchar, place_code varchar, period_start date,
                offence_code varchar
            )
            """
        )
        connection.executemany(f"insert into staged values ({', '.join('?' * len(STAGED[0]))})", STAGED)
        connection.execute("alter table staged add column delivery_number integer")
        connection.execute("update staged set delivery_number = file_id")
        for name in ("file_period_start", "file_period_end"):
            connection.execute(f"alter table staged add column {name} date default date '2017-04-01'")
        yield connection


def _rule(rule_id: str) -> Rule:
    return next(rule for rule in CRIME.rules if rule.rule_id == rule_id)


def _with_rule(rule: Rule) -> Contract:
    return replace(CRIME, rules=(rule,))


@pytest.mark.parametrize(
    ("rule_id", "row_numbers"),
    [
        pytest.param("RC-002", [3], id="nullValues of a typed column: not where a text did not parse"),
        pytest.param("RC-003", [2], id="invalidValues: where a text of this column did not parse"),
        pytest.param("RC-011", [4], id="nullValues with a condition: where the condition holds"),
        pytest.param(
            "RC-013", [1, 6], id="duplicateValues: every row of a repeated key that is whole, within its delivery"
        ),
    ],
)
def test_a_metric_selects_the_rows_at_fault(
    staged: duckdb.DuckDBPyConnection, rule_id: str, row_numbers: list[int]
) -> None:
    sql = rule_sql(CRIME, _rule(rule_id))
    assert sql is not None

    found = staged.execute(sql.replace("{batch}", "staged")).fetchall()

    assert sorted(row[1] for row in found) == row_numbers


def test_sql_of_a_contract_is_run_as_it_stands() -> None:
    assert rule_sql(CRIME, _rule("RC-014")) == _rule("RC-014").arguments["unexpected_rows_query"]


@pytest.mark.parametrize(
    ("rule_id", "expectation"),
    [
        ("RC-001", "expect_column_values_to_not_be_null"),
        ("RC-002", "unexpected_rows_expectation"),
        ("RC-003", "unexpected_rows_expectation"),
        ("RC-004", "expect_column_values_to_be_between"),
        ("RC-013", "unexpected_rows_expectation"),
        ("RC-014", "unexpected_rows_expectation"),
    ],
)
def test_a_rule_becomes_an_expectation_that_carries_its_id(rule_id: str, expectation: str) -> None:
    (made,) = expectation_suite(_with_rule(_rule(rule_id))).expectations

    assert (made.expectation_type, made.meta) == (expectation, {"rule_id": rule_id})


@pytest.mark.parametrize("check", COLUMN_EXPECTATIONS)
def test_every_column_expectation_that_we_name_is_the_library_s(check: str) -> None:
    wanted: dict[str, dict[str, object]] = {"in_set": {"value_set": ["a"]}, "be_between": {"min_value": 1}}
    arguments = next((given for ending, given in wanted.items() if check.endswith(ending)), {})
    rule = replace(_rule("RC-004"), check=check, arguments=arguments)

    (made,) = expectation_suite(_with_rule(rule)).expectations

    assert (made.expectation_type, made.column) == (check, "financial_quarter")


@pytest.mark.parametrize("kind", all_contracts())
def test_a_suite_has_every_rule_of_its_contract_but_our_own_checks(kind: str) -> None:
    contract = all_contracts()[kind]

    suite = expectation_suite(contract)

    assert sorted(made.meta["rule_id"] for made in suite.expectations) == sorted(
        rule.rule_id
        for rule in contract.rules
        if rule.engine != "rasso" or rule.check in ("reference", "reference_order")
    )


@pytest.mark.parametrize(
    "check", ["expect_column_values_to_match_regex", "expect_table_row_count_to_equal", "expect_miracles", ""]
)
def test_an_expectation_that_we_do_not_run_is_refused(check: str) -> None:
    with pytest.raises(ContractError, match="RC-004"):
        expectation_suite(_with_rule(replace(_rule("RC-004"), check=check)))


def test_a_column_expectation_without_a_column_is_refused() -> None:
    with pytest.raises(ContractError, match="RC-004"):
        expectation_suite(_with_rule(replace(_rule("RC-004"), column=None)))
