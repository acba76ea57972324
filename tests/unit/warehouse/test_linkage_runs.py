"""Runs of the linkage in a real home: what they write and log, and that nothing but tokens leaves the vault."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest
from linkage_records import Crime, LinkHome, Receipt, Referral

from warehouse.lake import reading, transaction, writing
from warehouse.linkage import LinkError, run

if TYPE_CHECKING:
    from pathlib import Path

    from rasso.settings import Settings

CRIME = Crime("20DV/140586/19")
RECEIPT = Receipt("20AB0123520")
REFERRAL = Referral("20AB0123520", "20DV/140586/19")
# The rape flag is missing: no repair, but nothing else speaks against the case.
UNCERTAIN = (CRIME, replace(RECEIPT, monitoring_flags=None), replace(REFERRAL, urn="20AB0132520"))
LATER = datetime(2020, 5, 8, tzinfo=UTC)


@pytest.fixture
def home(settings: Settings) -> LinkHome:
    """An empty home."""
    return LinkHome.of(settings)


def test_rows_that_are_no_longer_accepted_lose_their_links(home: LinkHome) -> None:
    gone = home.deliver(CRIME, RECEIPT, REFERRAL)
    home.deliver(CRIME, RECEIPT, replace(REFERRAL, suspect_number=1), sent_at=LATER)
    home.link()
    with writing(home.settings) as connection, transaction(connection):
        connection.execute(f"update lake.ledger.delivery set state = 'withdrawn' where delivery_id <> '{gone}'")
        for kind in ("police_crimes", "police_referrals", "cps_receipts"):
            connection.execute(f"delete from lake.extracts.{kind}")

    home.link()

    assert home.bridge() == []
    assert home.rows("select distinct delivery_id from lake.linkage.linked_delivery") == [(gone,)]


def test_a_delivery_that_is_withdrawn_after_it_was_linked_has_everything_linked_anew(home: LinkHome) -> None:
    kept = home.deliver(CRIME, RECEIPT, REFERRAL)
    second = Receipt("20AB0777720"), Crime("20DV/777777/19"), Referral("20AB0777720", "20DV/777777/19")
    gone = home.deliver(*second, sent_at=LATER)
    home.link()
    assert len(home.links()) == 2
    with writing(home.settings) as connection, transaction(connection):
        connection.execute(f"update lake.ledger.delivery set state = 'withdrawn' where delivery_id = '{gone}'")

    home.link()

    assert home.links() == {home.pair(CRIME, RECEIPT)}
    assert home.rows("select is_full, delivery_count from lake.linkage.link_run order by started_at") == [
        (True, 2),
        (True, 1),
    ]
    assert home.rows("select delivery_id from lake.linkage.linked_delivery") == [(kept,)]
    assert home.link().run_id is None


@pytest.mark.parametrize("change", ["model", "splink"])
def test_other_weights_or_another_splink_link_everything_anew(
    home: LinkHome, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: str
) -> None:
    home.deliver(CRIME, RECEIPT, REFERRAL)
    home.link()
    if change == "model":
        changed = tmp_path / "model.yaml"
        changed.write_text(run.MODEL.read_text(encoding="utf-8") + "# reviewed\n", encoding="utf-8")
        monkeypatch.setattr(run, "MODEL", changed)
    else:
        monkeypatch.setattr(run, "version", lambda _package: "99.0")

    home.link()

    assert home.rows("select is_full from lake.linkage.link_run") == [(True,), (True,)]
    assert home.link().run_id is None


def test_a_home_whose_tables_have_no_suffix_yet_is_linked_anew(home: LinkHome) -> None:
    home.deliver(CRIME, RECEIPT, REFERRAL)
    home.link()
    with writing(home.settings) as connection, transaction(connection):
        for table in ("crime_case_link", "unlinked_referral"):
            connection.execute(f"alter table lake.linkage.{table} drop column referral_urn_suffix")
        connection.execute("update lake.linkage.link_run set method_version = '1'")

    home.link()

    assert home.rows("select referral_urn_suffix from lake.linkage.crime_case_link") == [("",)]


def test_a_page_that_a_failure_left_behind_is_written_by_the_next_call(
    home: LinkHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = home.settings.reports / "linkage.html"
    home.deliver(CRIME, RECEIPT, REFERRAL)
    home.link()
    home.deliver(replace(CRIME, victim_age_band="16_to_17"), sent_at=LATER)
    with monkeypatch.context() as broken:
        broken.setattr(run, "write_page", failing_to_write)
        with pytest.raises(OSError, match="no space"):
            home.link()
    ((newest,),) = home.rows("select run_id from lake.linkage.link_run order by started_at desc limit 1")
    assert newest not in page.read_text(encoding="utf-8")

    assert home.link().run_id is None

    assert newest in page.read_text(encoding="utf-8")


def failing_to_write(*_arguments: object) -> None:
    raise OSError("no space left")


def test_nothing_is_done_and_the_vault_stays_shut_when_nothing_came(home: LinkHome) -> None:
    home.deliver(CRIME, RECEIPT, REFERRAL)
    home.link()
    logged = home.rows("select count(*) from lake.ledger.processing_log")

    outcome = home.link()

    assert (outcome.run_id, outcome.referrals) == (None, 0)
    assert home.rows("select count(*) from lake.ledger.processing_log") == logged
    assert home.rows("select count(*) from lake.linkage.link_run") == [(1,)]


# ---- nothing but tokens leaves the vault

ORIGINALS = ("20AB0123520", "20AB0132520", "20DV14058619", "20DV/140586/19", "140586")


def places_of_originals(home: LinkHome) -> set[str]:
    """Tables of the lake and files of the home, but for the vault, in which an original can be read."""
    found = set()
    with reading(home.settings) as lake:
        tables = lake.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'lake'"
        ).fetchall()
        for schema, table in tables:
            rows = repr(lake.execute(f"from lake.{schema}.{table}").fetchall())
            if any(original in rows for original in ORIGINALS):
                found.add(f"{schema}.{table}")
    for path in home.settings.root.rglob("*"):
        if path.is_file() and home.settings.vault not in path.parents:
            content = path.read_bytes()
            if any(original.encode() in content for original in ORIGINALS):
                found.add(path.name)
    return found


def test_nothing_but_tokens_is_written(home: LinkHome, caplog: pytest.LogCaptureFixture) -> None:
    home.deliver(*UNCERTAIN, replace(REFERRAL, suspect_number=2, crime_reference="20DV/104586/19"))

    home.link()

    assert places_of_originals(home) == set()
    assert not any(original in caplog.text for original in ORIGINALS)


def test_the_search_for_originals_finds_one_that_is_planted(home: LinkHome) -> None:
    home.deliver(*UNCERTAIN)
    home.link()
    with writing(home.settings) as connection, transaction(connection):
        connection.execute("update lake.linkage.crime_case_link set method = '20AB0123520'")
    (home.settings.logs / "link.log").write_text("compared 20DV14058619", encoding="utf-8")

    assert {"linkage.crime_case_link", "link.log"} <= places_of_originals(home)


def test_a_fault_quotes_nothing_and_changes_nothing(home: LinkHome, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_arguments: object, **_settings: object) -> None:
        raise duckdb.ConversionException("could not convert 20AB0123520")

    home.deliver(*UNCERTAIN)
    monkeypatch.setattr(run, "compare", failing)

    with pytest.raises(LinkError) as caught:
        home.link()

    assert "20AB" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert home.rows("select count(*) from lake.linkage.linked_delivery") == [(0,)]


# ---- runs


def test_a_run_is_recorded_and_logged_as_a_combination(home: LinkHome) -> None:
    home.deliver(*UNCERTAIN, replace(REFERRAL, suspect_number=3, crime_reference="20XX/999999/19"))

    outcome = home.link()

    assert home.rows(
        """
        select run_id, delivery_count, referral_count, exact_count, repaired_count, probabilistic_count, unlinked_count,
            threshold, splink_version
        from lake.linkage.link_run
        """
    ) == [(outcome.run_id, 1, 2, 0, 0, 1, 1, 0.9, "5.0.0")]
    assert home.rows("select data_set, row_count from lake.ledger.processing_log where operation = 'combination'") == [
        ("linkage.crime_case_link", 2)
    ]


TRY_THE_LOCK = """
import sys
import fasteners
print(fasteners.InterProcessLock(sys.argv[1]).acquire(blocking=False))
"""


def test_nobody_else_writes_while_a_run_compares(home: LinkHome, monkeypatch: pytest.MonkeyPatch) -> None:
    tried, compare = [], run.compare

    def comparing(connection: duckdb.DuckDBPyConnection, threshold: float, *, is_full: bool) -> None:
        command = [sys.executable, "-c", TRY_THE_LOCK, str(home.settings.lake / "writer.lock")]
        tried.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
        compare(connection, threshold, is_full=is_full)

    home.deliver(CRIME, RECEIPT, REFERRAL)
    monkeypatch.setattr(run, "compare", comparing)

    home.link()

    assert tried == ["False"]
    assert home.methods() == ["exact"]


def test_splink_is_not_imported_where_nothing_is_left_to_weigh(home: LinkHome) -> None:
    home.deliver(CRIME, RECEIPT, REFERRAL, replace(REFERRAL, urn="20AB0132520"))
    program = """
import sys
from rasso.settings import Settings
from warehouse.keys import read_keys
from warehouse.linkage import link
settings = Settings()
print(link(settings, read_keys(settings)).repaired, "splink" in sys.modules)
"""
    environment = os.environ | {"RASSO_HOME": str(home.settings.home)}

    done = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["1", "False"]


def test_the_page_for_auditors_counts_and_names_nothing(home: LinkHome) -> None:
    home.deliver(*UNCERTAIN, replace(REFERRAL, suspect_number=3, crime_reference="20XX/999999/19"))
    home.link()

    page = (home.settings.reports / "linkage.html").read_text(encoding="utf-8")

    assert "Synthetic figures" in page
    assert "West Midlands Police" in page
    assert "West Midlands CPS Area" in page
    tokens = {value for row in home.bridge() for value in row if isinstance(value, str) and len(value) == 32}
    assert tokens
    assert not any(token in page for token in tokens)
