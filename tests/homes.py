"""Homes that tests begin with: copies of one that was made once, for to make one takes longer than most tests."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from rasso.settings import Settings
from tests.made_once import made_once
from transforms.build import build
from warehouse.lake import transaction, writing
from warehouse.schema import prepare_home

if TYPE_CHECKING:
    from pathlib import Path


def prepared_home(home: Path, **changes: Any) -> Settings:  # noqa: ANN401 - fields of Settings
    """A new home as ``prepare_home`` leaves it; one whose catalogue lies elsewhere is made and not copied."""
    settings = Settings(home=home, **changes)
    if settings.catalog:
        prepare_home(settings)
    else:
        shutil.copytree(made_once("prepared", _prepare), settings.root, dirs_exist_ok=True)
    return settings


def built_home(home: Path, **changes: Any) -> Settings:  # noqa: ANN401 - fields of Settings
    """A new home whose marts were built once, of nothing: its next build makes what deliveries change."""
    settings = Settings(home=home, **changes)
    shutil.copytree(made_once("built", _build), settings.root, dirs_exist_ok=True)
    return settings


def _prepare(home: Path) -> None:
    """With tables that have all held a row.

    DuckLake keeps in mind what it knows of such a table; of others it asks its catalogue at each query. That is three
    times as slow, and in a small test most tables are empty; in service they are not.
    """
    settings = Settings(home=home)
    prepare_home(settings)
    with writing(settings) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name, any_value(column_name) from duckdb_columns()"
            " where database_name = 'lake' and schema_name in ('ledger', 'linkage', 'extracts') group by all"
        ).fetchall()
        for change in ("insert into lake.{table} ({column}) values (null)", "delete from lake.{table}"):
            with transaction(connection):
                for table, column in tables:
                    connection.execute(change.format(table=table, column=column))


def _build(home: Path) -> None:
    build(prepared_home(home)).checked()
