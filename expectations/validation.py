"""Running a contract's rules over staged rows, and saying which rows may not be loaded.

Row ids of failed rules go from SQL to the table ``failed_row`` without a value passing through Python.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from expectations.engine import table_asset
from expectations.suite import expectation_suite, is_expectation, rule_sql
from extracts.contract import Rule, all_contracts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
class TestedFile:
    """What is known of a file before its rows are tested.

    ``months`` is the length of its period. ``declared_rows`` is what the manifest says, None where it says nothing.
    ``usual_rows_per_month`` is what the supplier's earlier files of this kind brought on average; None where there are
    too few to compare with.
    """

    months: int
    declared_rows: int | None = None
    usual_rows_per_month: float | None = None


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule over some files: how many rows (or files) were tested and how many failed."""

    rule: Rule
    tested_count: int
    failed_count: int

    @property
    def has_failed(self) -> bool:
        """Whether anything failed."""
        return self.failed_count > 0


@dataclass(frozen=True, slots=True)
class Validation:
    """A contract's rules over the files of one kind of one delivery.

    ``evidence`` is what Great Expectations returned for the run that tested them, reduced to an allow-list of counts; a
    run may have tested the files of several deliveries.
    """

    kind: str
    results: tuple[RuleResult, ...]
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run of a contract's rules over ``staged_batch``: rows by file, failures by rule and file.

    ``assessed`` names the files that a check of our own could judge: without history no volume is unusual.
    """

    contract: Contract
    rows: Mapping[int, int]
    failed: Mapping[str, Mapping[int, int]]
    assessed: Mapping[str, frozenset[int]]
    evidence: Mapping[str, Any]

    def of(self, file_ids: Iterable[int]) -> Validation:
        """The share of these files in the run."""
        ids = set(file_ids)
        results = tuple(self._result(rule, ids) for rule in self.contract.rules)
        return Validation(self.contract.kind, results, self.evidence)

    def _result(self, rule: Rule, file_ids: set[int]) -> RuleResult:
        failed = sum(count for file_id, count in self.failed[rule.rule_id].items() if file_id in file_ids)
        assessed = self.assessed.get(rule.rule_id)
        rows = sum(self.rows.get(file_id, 0) for file_id in file_ids)
        return RuleResult(rule, rows if assessed is None else len(assessed & file_ids), failed)


class ValidationError(Exception):
    """A rule could not be run: the contract or the library is at fault, not the delivery."""


class Validator:
    """Validates the table ``staged_batch`` of one connection against contracts; made once per process."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._asset: Any = None
        self._suites: dict[str, Any] = {}

    def validate(self, kind: str, files: Mapping[int, TestedFile]) -> RunResult:
        """Run every rule of a contract over ``staged_batch`` and fill ``failed_row``.

        Files of several deliveries are tested in one run: what a run costs before it looks at a row is more than what a
        month of one supplier's rows costs.

        Args:
            kind: the contract's kind.
            files: what is known of each file in the batch, by file id.

        Raises:
            ValidationError: a rule could not be run.
        """
        contract = all_contracts()[kind]
        self._connection.execute(
            f"create or replace temp table {FAILED} (rule_id varchar, file_id integer, row_number bigint)"
        )
        rows = self._counts(f"{BATCH} group by all")
        answers = self._run_suite(contract)
        for rule_id, answer in answers.items():
            if not answer.success:
                self._note_failed_rows(contract, rule_id, answer)
        failed: dict[str, Mapping[int, int]] = {
            rule.rule_id: self._counts(f"{FAILED} where rule_id = '{rule.rule_id}' group by all")
            if rule.rule_id in answers and not answers[rule.rule_id].success
            else {}
            for rule in contract.rules
        }
        assessed: dict[str, frozenset[int]] = {}
        for rule in (rule for rule in contract.rules if not is_expectation(rule)):
            verdicts = self._own_check(contract, rule, files, rows)
            assessed[rule.rule_id] = frozenset(verdicts)
            failed[rule.rule_id] = {file_id: 1 for file_id, has_passed in verdicts.items() if not has_passed}
        evidence = {rule_id: _evidence(answer) for rule_id, answer in answers.items()}
        return RunResult(contract, rows, failed, assessed, evidence)

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

    def _note_failed_rows(self, contract: Contract, rule_id: str, answer: Any) -> None:  # noqa: ANN401 - untyped library
        rule = next(rule for rule in contract.rules if rule.rule_id == rule_id)
        # The library's index query names the failing column after the row ids; only the ids are taken.
        sql = rule_sql(contract, rule) or answer.result["unexpected_index_query"].rstrip().rstrip(";")
        self._connection.execute(
            f"insert into {FAILED} select '{rule_id}', file_id, row_number from ({sql.replace('{batch}', BATCH)})"
        )
        # Row 0 stands for a file as a whole. Anything else that is no row of the batch may be a value in disguise.
        strangers = f"{FAILED} anti join {BATCH} using (file_id, row_number) where rule_id = '{rule_id}'"
        row = self._connection.execute(f"select count(*) from {strangers} and row_number <> 0").fetchone()
        if row and row[0]:
            raise ValidationError(f"rule {rule_id} of {contract.kind} selects what is no row id; mend the contract")

    def _own_check(
        self, contract: Contract, rule: Rule, files: Mapping[int, TestedFile], rows: Mapping[int, int]
    ) -> dict[int, bool]:
        """Whether each file that can be judged passes one of our own checks."""
        if rule.check == "declared_rows":
            declared = {file_id: file.declared_rows for file_id, file in files.items()}
            return {file_id: count == rows.get(file_id, 0) for file_id, count in declared.items() if count is not None}
        if rule.check == "quarantined_share":
            least, share = int(rule.arguments.get("min_rows", 0)), float(rule.arguments["max_share"])
            quarantined = self._quarantined_by_file(contract)
            return {
                file_id: quarantined.get(file_id, 0) <= max(least, share * rows.get(file_id, 0)) for file_id in files
            }
        if rule.check == "volume_against_history":
            usual = {file_id: file for file_id, file in files.items() if file.usual_rows_per_month is not None}
            return {file_id: not _is_unusual(rule, file, rows.get(file_id, 0)) for file_id, file in usual.items()}
        raise ValidationError(f"rule {rule.rule_id} of {contract.kind}: there is no check {rule.check}")

    def _quarantined_by_file(self, contract: Contract) -> dict[int, int]:
        rule_ids = [rule.rule_id for rule in contract.rules if rule.severity == "row"]
        rows = self._connection.execute(
            f"select file_id, count(distinct row_number) from {FAILED} where list_contains(?, rule_id) group by all",
            [rule_ids],
        ).fetchall()
        return {int(file_id): int(count) for file_id, count in rows}

    def _counts(self, relation: str) -> dict[int, int]:
        """Rows of a relation that is grouped by file id."""
        return dict(self._connection.execute(f"select file_id, count(*) from {relation}").fetchall())


def _is_unusual(rule: Rule, file: TestedFile, rows: int) -> bool:
    """Whether a volume lies outside what the supplier's own history lets expect; small numbers vary freely."""
    expected = (file.usual_rows_per_month or 0.0) * file.months
    least = float(rule.arguments["min_rows"])
    is_too_few = rows < float(rule.arguments["low"]) * expected and expected >= least
    is_too_many = rows > float(rule.arguments["high"]) * expected and rows >= least
    return is_too_few or is_too_many


def _has_raised(exception_info: Mapping[str, Any]) -> bool:
    if "raised_exception" in exception_info:
        return bool(exception_info["raised_exception"])
    return any(info.get("raised_exception") for info in exception_info.values() if isinstance(info, dict))


def _evidence(answer: Any) -> dict[str, Any]:  # noqa: ANN401 - untyped library
    result = {name: answer.result[name] for name in _KEPT_FIELDS if answer.result.get(name) is not None}
    return {"expectation": answer.expectation_config.type, "success": bool(answer.success), "result": result}
