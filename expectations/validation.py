"""Running a contract's rules over staged rows, and saying which rows may not be loaded.

Row ids of failed rules go from SQL to the table ``failed_row`` without a value passing through Python.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from expectations.engine import table_asset
from expectations.suite import expectation_suite, rule_sql
from extracts.contract import Rule, all_contracts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extracts.contract import Contract

BATCH = "staged_batch"
FAILED = "failed_row"

# What is kept of a result: counts and row-id columns. Everything else may carry values (observed_value does).
_KEPT_FIELDS = ("element_count", "unexpected_count", "missing_count", "unexpected_percent")
_RESULT_FORMAT = {
    "result_format": "BASIC",  # COMPLETE would fetch the ids of every failed row
    "unexpected_index_column_names": ["file_id", "row_number"],
    "return_unexpected_index_query": True,
    "exclude_unexpected_values": True,
}


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule over one delivery: how many rows (or files) were tested and how many failed."""

    rule: Rule
    tested_count: int
    failed_count: int

    @property
    def has_failed(self) -> bool:
        """Whether anything failed."""
        return self.failed_count > 0


@dataclass(frozen=True, slots=True)
class Validation:
    """A contract's rules over the rows of one delivery.

    ``evidence`` is what Great Expectations returned, reduced to an allow-list of counts.
    """

    kind: str
    results: tuple[RuleResult, ...]
    evidence: Mapping[str, Any]


class ValidationError(Exception):
    """A rule could not be run: the contract or the library is at fault, not the delivery."""


class Validator:
    """Validates the table ``staged_batch`` of one connection against contracts; made once per process."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._asset: Any = None
        self._suites: dict[str, Any] = {}

    def validate(self, kind: str, declared_rows: Mapping[int, int | None]) -> Validation:
        """Run every rule of a contract over ``staged_batch`` and fill ``failed_row``.

        Args:
            kind: the contract's kind.
            declared_rows: rows that the manifest declares, by file id; None where it declares none.

        Raises:
            ValidationError: a rule could not be run.
        """
        contract = all_contracts()[kind]
        self._connection.execute(
            f"create or replace temp table {FAILED} (rule_id varchar, file_id integer, row_number bigint)"
        )
        answers = self._run_suite(contract)
        results = {rule_id: self._result(contract, rule_id, answer) for rule_id, answer in answers.items()}
        for rule in contract.rules:
            if rule.engine == "rasso":
                results[rule.rule_id] = self._own_check(contract, rule, declared_rows)
        evidence = {rule_id: _evidence(answer) for rule_id, answer in answers.items()}
        return Validation(kind, tuple(results[rule.rule_id] for rule in contract.rules), evidence)

    def _run_suite(self, contract: Contract) -> dict[str, Any]:
        if self._asset is None:
            self._asset = table_asset(self._connection, BATCH)
        if contract.kind not in self._suites:
            self._suites[contract.kind] = expectation_suite(contract)
        batch = self._asset.get_batch(self._asset.build_batch_request())
        try:
            outcome = batch.validate(self._suites[contract.kind], result_format=_RESULT_FORMAT)
        finally:
            self._asset.datasource.get_execution_engine().leave_transaction()
            with suppress(duckdb.TransactionException):  # there is none, as it should be
                self._connection.rollback()
        answers = {answer.expectation_config.meta["rule_id"]: answer for answer in outcome.results}
        for rule_id, answer in answers.items():
            if answer.exception_info and _has_raised(answer.exception_info):
                raise ValidationError(f"rule {rule_id} of {contract.kind} could not be run; mend the contract")
        return answers

    def _result(self, contract: Contract, rule_id: str, answer: Any) -> RuleResult:  # noqa: ANN401 - untyped library
        rule = next(rule for rule in contract.rules if rule.rule_id == rule_id)
        if answer.success:
            return RuleResult(rule, self._tested(answer), 0)
        # The library's index query names the failing column after the row ids; only the ids are taken.
        sql = rule_sql(contract, rule) or answer.result["unexpected_index_query"].rstrip().rstrip(";")
        self._connection.execute(
            f"insert into {FAILED} select '{rule_id}', file_id, row_number from ({sql.replace('{batch}', BATCH)})"
        )
        # Row 0 stands for a file as a whole. Anything else that is no row of the batch may be a value in disguise.
        strangers = f"{FAILED} anti join {BATCH} using (file_id, row_number) where rule_id = '{rule_id}'"
        if self._count(f"{strangers} and row_number <> 0"):
            raise ValidationError(f"rule {rule_id} of {contract.kind} selects what is no row id; mend the contract")
        return RuleResult(rule, self._tested(answer), self._count(f"{FAILED} where rule_id = '{rule_id}'"))

    def _tested(self, answer: Any) -> int:  # noqa: ANN401 - untyped library
        return int(answer.result.get("element_count") or self._count(BATCH))

    def _own_check(self, contract: Contract, rule: Rule, declared_rows: Mapping[int, int | None]) -> RuleResult:
        found = dict(self._connection.execute(f"select file_id, count(*) from {BATCH} group by all").fetchall())
        if rule.check == "declared_rows":
            declared = {file_id: rows for file_id, rows in declared_rows.items() if rows is not None}
            wrong = [file_id for file_id, rows in declared.items() if found.get(file_id, 0) != rows]
            return RuleResult(rule, len(declared), len(wrong))
        if rule.check == "quarantined_share":
            limit = float(rule.arguments["max_share"])
            quarantined = self._quarantined_by_file(contract)
            above = [file_id for file_id, rows in quarantined.items() if rows > limit * found[file_id]]
            return RuleResult(rule, len(found), len(above))
        raise ValidationError(f"rule {rule.rule_id} of {contract.kind}: there is no check {rule.check}")

    def _quarantined_by_file(self, contract: Contract) -> dict[int, int]:
        rule_ids = [rule.rule_id for rule in contract.rules if rule.severity == "row"]
        rows = self._connection.execute(
            f"select file_id, count(distinct row_number) from {FAILED} where list_contains(?, rule_id) group by all",
            [rule_ids],
        ).fetchall()
        return {int(file_id): int(count) for file_id, count in rows}

    def _count(self, relation: str) -> int:
        row = self._connection.execute(f"select count(*) from {relation}").fetchone()
        assert row is not None  # an aggregate without groups has one row
        return int(row[0])


def _has_raised(exception_info: Mapping[str, Any]) -> bool:
    if "raised_exception" in exception_info:
        return bool(exception_info["raised_exception"])
    return any(info.get("raised_exception") for info in exception_info.values() if isinstance(info, dict))


def _evidence(answer: Any) -> dict[str, Any]:  # noqa: ANN401 - untyped library
    result = {name: answer.result[name] for name in _KEPT_FIELDS if answer.result.get(name) is not None}
    return {"expectation": answer.expectation_config.type, "success": bool(answer.success), "result": result}
