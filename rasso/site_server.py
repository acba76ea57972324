"""A web server for one's own machine: the published site, and the validation reports under ``/reports/``.

Belongs here: serving files on 127.0.0.1. In service a web server with sign-in stands in front (docker-compose.yml).
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rasso.settings import Settings


class _Handler(SimpleHTTPRequestHandler):
    """Serves two folders; says nothing of its own, lists no folder."""

    def __init__(self, *arguments: object, site: Path, reports: Path) -> None:
        self._site, self._reports = site, reports
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        if self.path in ("", "/"):
            self.send_response(302)
            self.send_header("Location", "/public/")
            self.end_headers()
            return
        super().do_GET()

    def translate_path(self, path: str) -> str:
        # The site is looked up at each request: its pointer is swapped while we serve.
        is_report = path.startswith("/reports/")
        self.directory = str((self._reports if is_report else self._site / "current").resolve())
        return super().translate_path(path.removeprefix("/reports") if is_report else path)

    def list_directory(self, path: object) -> None:  # noqa: ARG002
        self.send_error(404)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        super().end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
        pass


@contextmanager
def serving(settings: Settings, port: int) -> Iterator[str]:
    """Serve site and reports on 127.0.0.1 in a thread; yields the address."""
    handler = partial(_Handler, site=settings.site, reports=settings.reports)
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
