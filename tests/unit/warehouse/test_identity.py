"""What a delivery is: the same one again, another one, one that contradicts itself; every row is accounted for.

One history of hand-overs is received, one after the other; the tests only read what became of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conftest import Home


class Step(NamedTuple):
    """One hand-over: files as (sample, period) by name; the verdict it must get, and rows of each file.

    Rows are in, loaded, duplicate, quarantined.
    """

    files: Mapping[str, tuple[int, str]]
    state: str
    code: str | None
    rows: Sequence[tuple[int, int, int, int]]
    is_synthetic: bool = True


LOADED, DUPLICATE, NOTHING = (43, 43, 0, 0), (43, 0, 43, 0), (0, 0, 0, 0)
WITH_ONE_BAD_ROW = (43, 42, 0, 1)
BAD_SAMPLE = 9

# In the order in which they are received; numbers name the samples, 0 to 23.
HISTORY: dict[str, Step] = {
    "first": Step({"a.csv": (0, "2016-01")}, "accepted", None, [LOADED]),
    "same bytes, same period": Step({"a.csv": (0, "2016-01")}, "duplicate", "SAME_DELIVERY", [DUPLICATE]),
    "same bytes under another name": Step({"b.csv": (0, "2016-01")}, "duplicate", "SAME_DELIVERY", [DUPLICATE]),
    "same period in longer words": Step({"a.csv": (0, "2016-01..2016-01")}, "duplicate", "SAME_FILES", [DUPLICATE]),
    "same bytes, other period": Step(
        {"a.csv": (0, "2016-02")}, "held", "SAME_BYTES_OTHER_PERIOD", [NOTHING]
    ),
    "same bytes, other period, again": Step(
        {"a.csv": (0, "2016-02")}, "held", "SAME_BYTES_OTHER_PERIOD", [NOTHING]
    ),
    "same bytes for two periods": Step(
        {"a.csv": (1, "2016-03"), "b.csv": (1, "2016-04")}, "held", "SAME_BYTES_OTHER_PERIOD", [NOTHING, NOTHING]
    ),
    "one period of those two": Step({"a.csv": (1, "2016-03")}, "accepted", None, [LOADED]),
    "an old file and a new one": Step(
        {"a.csv": (1, "2016-03"), "b.csv": (2, "2016-05")}, "accepted", None, [DUPLICATE, LOADED]
    ),
    "two old files": Step(
        {"a.csv": (0, "2016-01"), "b.csv": (2, "2016-05")}, "duplicate", "SAME_FILES", [DUPLICATE, DUPLICATE]
    ),
    "resupplied": Step({"a.csv": (3, "2016-01")}, "accepted", None, [LOADED]),
    "name contradicts manifest": Step(
        {"march_2014.csv": (4, "2016-06")}, "held", "PERIOD_CONTRADICTS_NAME", [NOTHING]
    ),
    "name agrees with manifest": Step({"june_2016.csv": (5, "2016-06")}, "accepted", None, [LOADED]),
    "same bytes twice for one period": Step(
        {"a.csv": (6, "2016-07"), "b.csv": (6, "2016-07")}, "held", "PO-019", [NOTHING, NOTHING]
    ),
    "real among synthetic": Step({"a.csv": (7, "2016-08")}, "held", "MIXES_SYNTHETIC", [NOTHING], is_synthetic=False),
    "unknown area": Step({"a.csv": (BAD_SAMPLE, "2016-09")}, "accepted", None, [WITH_ONE_BAD_ROW]),
    "in the future": Step({"a.csv": (8, "2998-01")}, "held", "PERIOD_IN_FUTURE", [NOTHING]),
}  # fmt: skip


@dataclass(frozen=True)
class History:
    """The home after all hand-overs; verdicts and row counts of files by the name of the step."""

    home: Home
    verdicts: Mapping[str, list[tuple[str, str | None]]]
    rows: Mapping[str, list[tuple[int, ...]]]


def _folder(name: str) -> str:
    """Folders are numbered, because they are received in the order of their names."""
    return f"{list(HISTORY).index(name):02d} {name}"


@pytest.fixture(scope="module")
def history(shared_home: Home, months: list[bytes]) -> History:
    contents = [*months]
    contents[BAD_SAMPLE] = months[BAD_SAMPLE].replace(b"Lancashire", b"Atlantis")
    for name, step in HISTORY.items():
        files = {file: (contents[sample], period) for file, (sample, period) in step.files.items()}
        shared_home.land(_folder(name), files, is_synthetic=step.is_synthetic)
    shared_home.receive()
    verdicts: dict[str, list[tuple[str, str | None]]] = {}
    for folder, state, code in shared_home.rows("select delivery_name, state, reason_code from lake.ledger.delivery"):
        verdicts.setdefault(folder[3:], []).append((state, code))
    rows: dict[str, list[tuple[int, ...]]] = {}
    for folder, *counts in shared_home.rows(
        """
        select
            delivery.delivery_name, file.rows_in, file.rows_loaded, file.rows_duplicate, file.rows_quarantined
        from lake.ledger.delivery_file as file
        inner join lake.ledger.delivery as delivery on file.hand_over_id = delivery.hand_over_id
        """
    ):
        rows.setdefault(folder[3:], []).append(tuple(counts))
    return History(shared_home, verdicts, rows)


@pytest.mark.parametrize("name", HISTORY)
def test_a_delivery_gets_its_one_verdict(history: History, name: str) -> None:
    assert history.verdicts[name] == [(HISTORY[name].state, HISTORY[name].code)]


@pytest.mark.parametrize("name", HISTORY)
def test_a_file_s_rows_are_accounted_for(history: History, name: str) -> None:
    assert sorted(history.rows[name]) == sorted(HISTORY[name].rows)


def test_rows_in_are_rows_loaded_quarantined_or_duplicate(history: History) -> None:
    assert (
        history.home.rows(
            """
        select * from lake.ledger.delivery_file where rows_in <> rows_loaded + rows_quarantined + rows_duplicate
        """
        )
        == []
    )


def test_the_lake_holds_as_many_rows_as_the_ledger_says_were_loaded(history: History) -> None:
    (held,) = history.home.rows("select count(*) from lake.extracts.cps_principal_offence_outcomes")

    assert history.home.rows("select sum(rows_loaded)::bigint from lake.ledger.delivery_file") == [held]


def test_a_resupplied_delivery_stands_beside_the_earlier_one(history: History) -> None:
    standing = history.home.rows(
        """
        select delivery.delivery_name, count(*)
        from lake.extracts.cps_principal_offence_outcomes as loaded
        inner join lake.ledger.delivery as delivery
            on loaded.delivery_id = delivery.delivery_id and delivery.state = 'accepted'
        where loaded.period_start = date '2016-01-01'
        group by all
        order by all
        """
    )

    assert standing == [(_folder("first"), 43), (_folder("resupplied"), 43)]


def test_a_file_that_came_before_is_not_loaded_again_with_a_new_one(history: History) -> None:
    loaded = history.home.rows(
        """
        select period_start::varchar, count(*)
        from lake.extracts.cps_principal_offence_outcomes
        group by all
        order by all
        """
    )

    assert loaded == [
        ("2016-01-01", 86),
        ("2016-03-01", 43),
        ("2016-05-01", 43),
        ("2016-06-01", 43),
        ("2016-09-01", 42),
    ]


def test_a_stage_of_a_file_is_recorded_once(history: History) -> None:
    repeated = history.home.rows(
        "select hand_over_id, file_id, stage from lake.ledger.stage_outcome group by all having count(*) > 1"
    )

    assert repeated == []


def test_a_quarantined_row_is_known_by_its_number_and_rule(history: History, months: list[bytes]) -> None:
    lines = months[BAD_SAMPLE].splitlines()
    row_number = next(number for number, line in enumerate(lines) if line.startswith(b"Lancashire"))

    assert history.home.rows("select row_number, rule_ids from lake.ledger.quarantined_row") == [(row_number, "PO-014")]


def test_synthetic_figures_are_held_where_real_ones_are(home: Home, months: list[bytes]) -> None:
    home.land("1 real", {"a.csv": (months[0], "2016-01")}, is_synthetic=False)
    home.land("2 synthetic", {"a.csv": (months[1], "2016-02")})

    home.receive()

    assert home.verdict("1 real") == ("accepted", None)
    assert home.verdict("2 synthetic") == ("held", "MIXES_SYNTHETIC")
