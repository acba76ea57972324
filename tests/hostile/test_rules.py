"""Every rule of every contract: one hostile change to a good small extract trips that rule and no other.

Staged rows are validated directly, without the rest of the intake, because there are some sixty rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
from small_extracts import CPS, CRIME, NATIONAL, NIL_AREAS, OUTCOMES, SmallExtract, cps_row, good_extract

from expectations.validation import BATCH, TestedFile, Validation, Validator
from extracts.contract import all_contracts
from extracts.period import Period
from extracts.reader import FileToRead, Reader
from rasso.settings import Settings
from warehouse.loading import stage_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Change = Callable[[SmallExtract], None]

# "At most so many rows are quarantined" cannot fail unless rows are quarantined by another rule.
CANNOT_FAIL_ALONE = {"HO-022": {"HO-009"}, "RC-017": {"RC-007"}, "PO-019": {"PO-002"}}

CONVICTIONS = "Number of Sexual Offences Convictions"
CONVICTIONS_SHARE = "Percentage of Sexual Offences Convictions"
UNSUCCESSFUL = "Number of Sexual Offences Unsuccessful"
UNSUCCESSFUL_SHARE = "Percentage of Sexual Offences Unsuccessful"
CLOSED = "force_outcomes_recorded_in_quarter"


def _cell(header: str, text: str) -> Change:
    """Another text in the first row."""
    return lambda extract: extract.put(header, text)


def _nil_area(header: str, text: str) -> Change:
    """Another text in an area without a case, so that the national sum still fits."""
    return lambda extract: extract.put(header, text, extract.row_of(NIL_AREAS[0]))


def _period(text: str) -> Change:
    """Another period in the manifest."""

    def change(extract: SmallExtract) -> None:
        extract.period = Period.parse(text)

    return change


def _first_row_twice(extract: SmallExtract) -> None:
    extract.rows.append(list(extract.rows[0]))


def _nil_area_twice(extract: SmallExtract) -> None:
    extract.rows.append(list(extract.rows[extract.row_of(NIL_AREAS[0])]))


def _three_counts_missing(header: str) -> Change:
    def change(extract: SmallExtract) -> None:
        for row in range(3):
            extract.put(header, "NA", row)

    return change


def _three_nil_counts_missing(extract: SmallExtract) -> None:
    for name in NIL_AREAS:
        extract.put(CONVICTIONS, "NA", extract.row_of(name))


def _one_row_too_many_declared(extract: SmallExtract) -> None:
    extract.declared_rows = len(extract.rows) + 1


def _negative(header: str, share: str) -> Change:
    """One person fewer than none in an area, and as many fewer in the national row; no share is published."""

    def change(extract: SmallExtract) -> None:
        extract.put(header, "-1", extract.row_of(NIL_AREAS[0]))
        national = extract.row_of(NATIONAL)
        position = extract.header.index(header)
        extract.put(header, str(int(extract.rows[national][position].replace(",", "")) - 1), national)
        extract.put(share, "-", national)

    return change


def _area_without_name(extract: SmallExtract) -> None:
    extract.rows.append(cps_row("", 0, 0))


def _city_in_place_of_nation(extract: SmallExtract) -> None:
    extract.rows[extract.row_of(NATIONAL)] = cps_row("City of London", 0, 0)


def _one_more_convicted_nationally(extract: SmallExtract) -> None:
    national = extract.row_of(NATIONAL)
    extract.put(CONVICTIONS, str(int(extract.rows[national][1].replace(",", "")) + 1), national)


def _area_left_out(extract: SmallExtract) -> None:
    del extract.rows[extract.row_of(NIL_AREAS[0])]


HOSTILE: dict[str, tuple[str, Change]] = {
    "HO-001": (OUTCOMES, _cell("financial_year", "NA")),
    "HO-002": (OUTCOMES, _cell("financial_quarter", "NA")),
    "HO-003": (OUTCOMES, _cell("financial_quarter", "first")),
    "HO-004": (OUTCOMES, _cell("financial_quarter", "400000000")),
    "HO-005": (OUTCOMES, _cell("force_name", "")),
    "HO-006": (OUTCOMES, _cell("offence_code", "NA")),
    "HO-007": (OUTCOMES, _cell("outcome_type", "")),
    "HO-008": (OUTCOMES, _cell("outcome_type", "99")),
    "HO-009": (OUTCOMES, _cell("offences", "NA")),
    "HO-010": (OUTCOMES, _cell("offences", "1.5")),
    "HO-011": (OUTCOMES, _cell("offences", "-1")),
    "HO-012": (OUTCOMES, _cell(CLOSED, "many")),
    "HO-013": (OUTCOMES, _cell(CLOSED, "-1")),
    "HO-014": (OUTCOMES, _cell("force_name", "Atlantis")),
    "HO-015": (OUTCOMES, _cell("financial_year", "last year")),
    "HO-016": (OUTCOMES, _first_row_twice),
    "HO-017": (OUTCOMES, _cell(CLOSED, "NA")),
    "HO-018": (OUTCOMES, _cell("outcome_type", "6")),
    "HO-019": (OUTCOMES, _cell("outcome_type", "1a")),
    "HO-020": (OUTCOMES, _cell("financial_year", "2018/19")),
    "HO-021": (OUTCOMES, _period("2017-04..2017-09")),
    "HO-022": (OUTCOMES, _three_counts_missing("offences")),
    "HO-023": (OUTCOMES, _one_row_too_many_declared),
    "RC-001": (CRIME, _cell("FY", "NA")),
    "RC-002": (CRIME, _cell("Financial Quarter", "NA")),
    "RC-003": (CRIME, _cell("Financial Quarter", "first")),
    "RC-004": (CRIME, _cell("Financial Quarter", "5")),
    "RC-005": (CRIME, _cell("Force", "")),
    "RC-006": (CRIME, _cell("Offence Code", "NA")),
    "RC-007": (CRIME, _cell("n", "NA")),
    "RC-008": (CRIME, _cell("n", "1.5")),
    "RC-009": (CRIME, _cell("n", "-1")),
    "RC-010": (CRIME, _cell("territorial", "perhaps")),
    "RC-011": (CRIME, _cell("Force", "Atlantis")),
    "RC-012": (CRIME, _cell("FY", "last year")),
    "RC-013": (CRIME, _first_row_twice),
    "RC-014": (CRIME, _cell("FY", "2018/19")),
    "RC-015": (CRIME, _period("2017-04..2017-09")),
    "RC-016": (CRIME, _cell("Offence Description", "Another offence")),
    "RC-017": (CRIME, _three_counts_missing("n")),
    "RC-018": (CRIME, _one_row_too_many_declared),
    "PO-001": (CPS, _area_without_name),
    "PO-002": (CPS, _nil_area(CONVICTIONS, "NA")),
    "PO-003": (CPS, _nil_area(CONVICTIONS, "none")),
    "PO-004": (CPS, _negative(CONVICTIONS, CONVICTIONS_SHARE)),
    "PO-005": (CPS, _nil_area(CONVICTIONS_SHARE, "half")),
    "PO-006": (CPS, _nil_area(UNSUCCESSFUL, "NA")),
    "PO-007": (CPS, _nil_area(UNSUCCESSFUL, "0.5")),
    "PO-008": (CPS, _negative(UNSUCCESSFUL, CONVICTIONS_SHARE)),
    "PO-009": (CPS, _city_in_place_of_nation),
    "PO-010": (CPS, _one_more_convicted_nationally),
    "PO-011": (CPS, _nil_area(UNSUCCESSFUL_SHARE, "half")),
    "PO-012": (CPS, _nil_area("Number of Admin Finalised Unsuccessful", "some")),
    "PO-013": (CPS, _nil_area("Percentage of Admin Finalised Unsuccessful", "inf")),
    "PO-014": (CPS, _nil_area("", "Atlantis")),
    "PO-015": (CPS, _nil_area_twice),
    "PO-016": (CPS, lambda extract: extract.put(CONVICTIONS_SHARE, "1.0%", extract.row_of("Lancashire"))),
    "PO-017": (CPS, _period("2017-03..2017-04")),
    "PO-018": (CPS, _area_left_out),
    "PO-019": (CPS, _three_nil_counts_missing),
    "PO-020": (CPS, _one_row_too_many_declared),
}


class Bench:
    """Stages and validates small extracts, one at a time, on one connection."""

    def __init__(self, folder: Path, reader: Reader, connection: duckdb.DuckDBPyConnection) -> None:
        self._folder, self._reader, self._connection = folder, reader, connection
        self._validator = Validator(connection)

    def validation(self, extract: SmallExtract) -> Validation:
        """Run the rules of the extract's contract over it."""
        path = extract.write(self._folder / "extract.csv")
        staged = self._folder / "staged.parquet"
        contract = all_contracts()[extract.kind]
        self._reader.stage(FileToRead(path, staged, contract, 1, extract.period, contract.suppliers[0]))
        stage_batch(self._connection, BATCH, [staged])
        file = TestedFile(extract.period.month_count, extract.declared_rows)
        return self._validator.validate(extract.kind, {1: file}).of([1])

    def tripped(self, extract: SmallExtract) -> set[str]:
        """Ids of the rules that the extract fails."""
        return {result.rule.rule_id for result in self.validation(extract).results if result.has_failed}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("rules")
    with Reader(Settings(home=folder / "home")) as reader, duckdb.connect() as connection:
        yield Bench(folder, reader, connection)


@pytest.mark.parametrize("kind", [CRIME, OUTCOMES, CPS])
def test_a_good_extract_trips_no_rule(bench: Bench, kind: str) -> None:
    assert bench.tripped(good_extract(kind)) == set()


@pytest.mark.parametrize("kind", [CRIME, OUTCOMES, CPS])
def test_every_rule_of_a_contract_is_run(bench: Bench, kind: str) -> None:
    run = [result.rule for result in bench.validation(good_extract(kind)).results]

    assert run == list(all_contracts()[kind].rules)


@pytest.mark.parametrize("rule_id", HOSTILE)
def test_a_hostile_change_trips_its_rule_and_no_other(bench: Bench, rule_id: str) -> None:
    kind, change = HOSTILE[rule_id]
    extract = good_extract(kind)

    change(extract)

    assert bench.tripped(extract) == {rule_id} | CANNOT_FAIL_ALONE.get(rule_id, set())


@pytest.mark.parametrize("kind", [CRIME, OUTCOMES, CPS])
def test_every_rule_of_a_contract_has_a_hostile_change(kind: str) -> None:
    assert {rule_id for rule_id, (of_kind, _) in HOSTILE.items() if of_kind == kind} == {
        rule.rule_id for rule in all_contracts()[kind].rules
    }


def test_only_a_share_of_quarantined_rows_cannot_fail_alone() -> None:
    checks = {rule.rule_id: rule.check for contract in all_contracts().values() for rule in contract.rules}

    assert {checks[rule_id] for rule_id in CANNOT_FAIL_ALONE} == {"quarantined_share"}
