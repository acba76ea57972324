"""Great Expectations on a DuckDB connection that somebody else opened.

Belongs here: the execution engine and the datasource that the library lacks for DuckDB. Does not belong here: which
expectations run (``expectations.suite``). Importing this module takes some seconds: once per process, never while a
DAG file is parsed.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import great_expectations as gx
import sqlalchemy as sa
from duckdb_engine import ConnectionWrapper
from great_expectations.compatibility import pydantic
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from sqlalchemy.pool import StaticPool

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator

    import duckdb


# It tells of temporary folders, in whatever a command prints; one of its modules sets a level of its own.
for _name in ("great_expectations", "great_expectations.data_context.types.base"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):  # type: ignore[misc]
    """Keeps one connection open: DuckDB's results are lost when the connection that made them closes."""

    _inspector: Any

    @contextmanager
    def get_connection(self) -> Iterator[sa.Connection]:
        """The one open connection."""
        if self._connection is None:
            self._connection: sa.Connection = self.engine.connect()
        yield self._connection

    def get_inspector(self) -> Any:  # noqa: ANN401 - the library is untyped
        """What the library asks for the columns of a batch."""
        if self._inspector is None:
            self._inspector = _Columns(super().get_inspector())
        return self._inspector

    def leave_transaction(self) -> None:
        """End the transaction that SQLAlchemy began unasked; the connection's owner begins its own."""
        if self._connection is not None and self._connection.in_transaction():
            self._connection.rollback()


class _Columns:
    """SQLAlchemy's inspector without primary keys: a batch has none, and all tables of the lake were looked through."""

    def __init__(self, inspector: sa.Inspector) -> None:
        self._inspector = inspector

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._inspector, name)

    def get_pk_constraint(self, **_table: object) -> dict[str, list[str]]:
        """None of the columns is part of a key."""
        return {"constrained_columns": []}


class DuckDBDatasource(SQLDatasource):  # type: ignore[misc]
    """Tables of a DuckDB connection that is handed in with ``use``; registers itself as ``add_duckdb``."""

    type: Literal["duckdb"] = "duckdb"
    connection_string: str = "duckdb:///:memory:"  # names the dialect; the connection itself comes from ``use``
    _execution_engine: Any = pydantic.PrivateAttr(None)
    _handed_in: Any = pydantic.PrivateAttr(None)

    def use(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Validate tables of this connection from now on."""
        self._handed_in = connection

    def test_connection(self, test_assets: bool = True) -> None:
        """Nothing to test: the library asks before ``use`` could be called, and the connection is open already."""

    @property
    def execution_engine_type(self) -> builtins.type[DuckDBExecutionEngine]:
        """The engine that runs expectations."""
        return DuckDBExecutionEngine

    def get_execution_engine(self) -> DuckDBExecutionEngine:
        """One engine for the life of the datasource, and with it one connection."""
        if self._execution_engine is None:
            # Without temporary tables: the library would copy every batch once more.
            self._execution_engine = DuckDBExecutionEngine(engine=self.get_engine(), create_temp_table=False)
        engine: DuckDBExecutionEngine = self._execution_engine
        return engine

    def _create_engine(self) -> sa.Engine:
        return sa.create_engine(
            self.connection_string, creator=lambda: ConnectionWrapper(self._handed_in), poolclass=StaticPool
        )


def table_asset(connection: duckdb.DuckDBPyConnection, table: str) -> Any:  # noqa: ANN401 - the library is untyped
    """A Great Expectations asset over one table of the connection, in a context of its own."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    datasource = context.data_sources.add_duckdb(name="lake")
    datasource.use(connection)
    return datasource.add_table_asset(name=table, table_name=table)
