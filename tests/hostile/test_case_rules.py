"""Every rule of every case contract: one hostile change to a good small extract trips that rule and no other.

All changes to extracts of one kind are deliveries of one batch, as deliveries that arrive together are: what one of
them does wrong must be found in it, in the row where it is, and nowhere else.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

import duckdb
import pytest
from case_rows import MANY
from case_rows_cps_decisions import DECIDED
from case_rows_cps_receipts import RECEIVED
from case_rows_panels import PANELS
from case_rows_police import POLICE
from small_extracts import CPS as CPS_STATISTICS
from small_extracts import CRIME, OUTCOMES

from expectations.suite import known
from expectations.validation import BATCH, FAILED, TestedFile, Validator
from extracts.contract import all_contracts
from extracts.encrypted import KEY_BYTES, EncryptedWriter
from extracts.reader import FileToRead, Reader, ReadingKeys
from tests.homes import prepared_home
from warehouse.loading import stage_batch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from case_rows import CaseRows, Hostile
    from small_extracts import SmallExtract

AS_OF = date(2021, 1, 15)
GOOD = "the good extract"
PARTS = "a case in two parts"
WHOLE_PLAN = "a plan in which little is new"
WITHDRAWN = "rows of another month that are withdrawn"
CASES: dict[str, CaseRows] = {case.kind: case for case in (*POLICE, *RECEIVED, *DECIDED, *PANELS)}
CASE_KINDS = [kind for kind in all_contracts() if kind not in (CRIME, OUTCOMES, CPS_STATISTICS)]
SPLIT = [kind for kind in CASES if "urn" in CASES[kind].good_extract().header]
# The rule of each kind that finds a file of another month.
OF_ANOTHER_MONTH = {
    kind: rule.rule_id
    for kind in CASES
    for rule in all_contracts()[kind].rules
    if "having" in str(rule.arguments.get("unexpected_rows_query"))
}
HOSTILE = [(kind, rule_id) for kind, case in CASES.items() for rule_id in case.hostile]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one file: the rules that it failed, and the rows that each of them names."""

    tripped: frozenset[str]
    rows: Mapping[str, tuple[int, ...]]


class Bench:
    """Stages all extracts of a kind, good and hostile, and validates them in one run."""

    def __init__(self, folder: Path, connection: duckdb.DuckDBPyConnection, reader: Reader, keys: ReadingKeys) -> None:
        self._folder, self._connection, self._reader, self._keys = folder, connection, reader, keys
        self._validator = Validator(connection)
        self._verdicts: dict[str, dict[str, Verdict]] = {}

    def verdict(self, kind: str, rule_id: str) -> Verdict:
        """What came of the extract that was changed for this rule, or of the good one."""
        if kind not in self._verdicts:
            self._verdicts[kind] = self._judged(CASES[kind])
        return self._verdicts[kind][rule_id]

    def _judged(self, case: CaseRows) -> dict[str, Verdict]:
        extracts = {GOOD: case.good_extract()} | {rule_id: _changed(case, rule_id) for rule_id in case.hostile}
        if case.kind in SPLIT:
            extracts[PARTS] = _with_parts(case)
        if case.kind == "local_action_plan":
            extracts[WHOLE_PLAN] = _whole_plan(case)
        if case.kind in OF_ANOTHER_MONTH:
            extracts[WITHDRAWN] = _withdrawn(_changed(case, OF_ANOTHER_MONTH[case.kind]))
        staged = [self._staged(extract, number) for number, extract in enumerate(extracts.values(), start=1)]
        stage_batch(self._connection, BATCH, staged)
        for kind in case.refers_to:
            self._make_known(kind)
        files = {
            number: _tested_file(extract, case.hostile.get(rule_id))
            for number, (rule_id, extract) in enumerate(extracts.items(), start=1)
        }
        run = self._validator.validate(case.kind, files)
        return {
            rule_id: Verdict(
                tripped=frozenset(result.rule.rule_id for result in run.of([number]).results if result.has_failed),
                rows=self._named_rows(number),
            )
            for number, rule_id in enumerate(extracts, start=1)
        }

    def _staged(self, extract: SmallExtract, number: int) -> Path:
        source = self._folder / f"{extract.kind}-{number}"
        with source.open("wb") as target, EncryptedWriter(target, self._keys.archive, source.name) as writer:
            writer.write(extract.text().encode())
        staged = source.with_suffix(".parquet")
        contract = all_contracts()[extract.kind]
        file = FileToRead(source, staged, contract, number, extract.period, extract.supplier, delivery_number=number)
        self._reader.stage(file)
        return staged

    def _make_known(self, kind: str) -> None:
        """What the lake would hold of another kind: its good extract."""
        staged = self._staged(CASES[kind].good_extract(), 0)
        self._connection.execute(f"create or replace temp table {known(kind)} as from read_parquet('{staged}')")

    def _named_rows(self, number: int) -> dict[str, tuple[int, ...]]:
        rows = self._connection.execute(
            f"select rule_id, list(row_number order by row_number) from {FAILED} where file_id = ? group by all",
            [number],
        ).fetchall()
        return {rule_id: tuple(numbers) for rule_id, numbers in rows}


def _with_parts(case: CaseRows) -> SmallExtract:
    """The good extract with its first row twice more, for both parts of a case that was split."""
    extract = case.good_extract()
    urn = extract.rows[0][extract.header.index("urn")]
    for part in (1, 2):
        extract.rows.append(list(extract.rows[0]))
        extract.put("urn", f"{urn}/{part}", len(extract.rows) - 1)
    return extract


def _whole_plan(case: CaseRows) -> SmallExtract:
    """The good extract with actions that were agreed long ago and are due long after."""
    extract = case.good_extract()
    for number in range(1, MANY + 1):
        extract.rows.append(list(extract.rows[-1]))
        texts = {"action_id": f"A2019-9{number:02d}", "due_date": "2021-06-30", "status": "open", "completed_date": ""}
        for header, text in texts.items():
            extract.put(header, text, len(extract.rows) - 1)
    return extract


def _withdrawn(extract: SmallExtract) -> SmallExtract:
    """The same extract with every row withdrawn."""
    for row in range(len(extract.rows)):
        extract.put("is_withdrawn", "true", row)
    return extract


def _changed(case: CaseRows, rule_id: str) -> SmallExtract:
    extract = case.good_extract()
    case.hostile[rule_id].change(extract)
    return extract


def _tested_file(extract: SmallExtract, hostile: Hostile | None) -> TestedFile:
    usual = hostile.usual_rows if hostile else None
    return TestedFile(extract.period.month_count, extract.declared_rows, usual)


def _rules_without_hostile_row(kind: str, cases: Mapping[str, CaseRows]) -> list[str]:
    known_rules = cases[kind].hostile if kind in cases else {}
    return [rule.rule_id for rule in all_contracts()[kind].rules if rule.rule_id not in known_rules]


@cache
def _checks() -> dict[str, str]:
    return {rule.rule_id: rule.check for contract in all_contracts().values() for rule in contract.rules}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("case_rules")
    settings = prepared_home(folder / "home", as_of=AS_OF)
    keys = ReadingKeys(*(secrets.token_bytes(KEY_BYTES) for _ in range(3)))
    with Reader(settings, keys) as reader, duckdb.connect() as connection:
        yield Bench(folder, connection, reader, keys)


@pytest.mark.parametrize("kind", CASES)
def test_a_good_extract_trips_no_rule(bench: Bench, kind: str) -> None:
    assert bench.verdict(kind, GOOD).tripped == frozenset()


@pytest.mark.parametrize("kind", SPLIT)
def test_the_same_suspect_number_in_two_parts_of_a_split_case_is_no_repetition(bench: Bench, kind: str) -> None:
    assert bench.verdict(kind, PARTS).tripped == frozenset()


def test_a_plan_that_is_sent_in_full_trips_no_rule(bench: Bench) -> None:
    assert bench.verdict("local_action_plan", WHOLE_PLAN).tripped == frozenset()


@pytest.mark.parametrize("kind", OF_ANOTHER_MONTH)
def test_what_is_withdrawn_is_of_the_month_in_which_that_is_said(bench: Bench, kind: str) -> None:
    # Only what the copies refer to is not there.
    companions = CASES[kind].hostile[OF_ANOTHER_MONTH[kind]].companions

    assert bench.verdict(kind, WITHDRAWN).tripped == companions


@pytest.mark.parametrize(("kind", "rule_id"), HOSTILE, ids=[rule_id for _, rule_id in HOSTILE])
def test_a_hostile_change_trips_its_rule_and_no_other(bench: Bench, kind: str, rule_id: str) -> None:
    assert bench.verdict(kind, rule_id).tripped == {rule_id} | CASES[kind].hostile[rule_id].companions


@pytest.mark.parametrize(("kind", "rule_id"), HOSTILE, ids=[rule_id for _, rule_id in HOSTILE])
def test_a_rule_names_the_rows_at_fault_and_no_others(bench: Bench, kind: str, rule_id: str) -> None:
    assert bench.verdict(kind, rule_id).rows.get(rule_id, ()) == CASES[kind].hostile[rule_id].rows


@pytest.mark.parametrize("kind", CASE_KINDS)
def test_every_rule_of_a_case_contract_has_a_hostile_row(kind: str) -> None:
    assert _rules_without_hostile_row(kind, CASES) == []
    assert list(CASES[kind].hostile) == [rule.rule_id for rule in all_contracts()[kind].rules]


@pytest.mark.parametrize("kind", CASE_KINDS)
def test_a_rule_without_a_hostile_row_is_found(kind: str) -> None:
    first, *others = CASES[kind].hostile
    poorer = replace(CASES[kind], hostile={rule_id: CASES[kind].hostile[rule_id] for rule_id in others})

    assert _rules_without_hostile_row(kind, CASES | {kind: poorer}) == [first]


@pytest.mark.parametrize(("kind", "rule_id"), HOSTILE, ids=[rule_id for _, rule_id in HOSTILE])
def test_only_our_checks_of_whole_files_name_no_row(kind: str, rule_id: str) -> None:
    is_of_whole_files = _checks()[rule_id] in ("declared_rows", "quarantined_share", "volume_against_history")

    assert (CASES[kind].hostile[rule_id].rows == ()) == is_of_whole_files


@pytest.mark.parametrize(("kind", "rule_id"), HOSTILE, ids=[rule_id for _, rule_id in HOSTILE])
def test_only_a_share_of_quarantined_rows_and_references_keep_company(kind: str, rule_id: str) -> None:
    companions = CASES[kind].hostile[rule_id].companions

    if _checks()[rule_id] == "quarantined_share":
        assert len(companions) == 1
    else:
        assert {_checks()[companion] for companion in companions} <= {"reference"}
