"""Rows that references are looked up in: those of the lake and of the group, of the scopes that can be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extracts.contract import all_contracts
from warehouse.lake import attached
from warehouse.loading import make_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from rasso.settings import Settings

CRIMES = all_contracts()["police_crimes"]


@pytest.fixture
def connection(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A lake with a crime of each of two forces, and a batch that refers to crimes."""
    with attached(settings) as connection:
        connection.execute(
            "insert into lake.extracts.police_crimes (crime_reference_token, force_code)"
            " values ('a', '16'), ('b', '20')"
        )
        connection.execute("create temp table batch (force_code varchar)")
        yield connection


def tokens(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Tokens of the crimes that are known."""
    return [token for (token,) in connection.execute("select crime_reference_token from known order by all").fetchall()]


def test_without_a_scope_every_row_of_the_lake_is_known(connection: duckdb.DuckDBPyConnection) -> None:
    make_known(connection, "known", CRIMES, [], None)
    assert tokens(connection) == ["a", "b"]


def test_with_a_scope_only_rows_that_can_be_meant_are_known(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("insert into batch values ('20'), ('20'), (null)")
    make_known(connection, "known", CRIMES, [], ("force_code", "batch"))
    assert tokens(connection) == ["b"]


def test_a_batch_that_names_no_scope_means_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("insert into batch values (null)")
    make_known(connection, "known", CRIMES, [], ("force_code", "batch"))
    assert tokens(connection) == []


@pytest.mark.parametrize(
    ("kind", "referred_to", "scope"),
    [
        ("police_referrals", "police_crimes", "force_code"),
        ("early_discussions", "police_crimes", "force_code"),
        ("cps_decisions", "cps_receipts", None),  # a URN has no force that both services agree on
        ("police_crimes", "cps_receipts", None),  # refers to none of them
    ],
)
def test_a_scope_is_shared_where_both_ends_of_every_reference_have_it(
    kind: str, referred_to: str, scope: str | None
) -> None:
    assert all_contracts()[kind].scope_shared_with(all_contracts()[referred_to]) == scope
