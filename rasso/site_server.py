"""A web server for one's own machine: the published site, and the validation reports under ``/reports/``.

Belongs here: serving files on 127.0.0.1. In service a web server with sign-in stands in front (docker-compose.yml).
Restricted editions are served from a home of synthetic samples only: anyone on this machine can ask for a page.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from typing import BinaryIO

    from rasso.settings import Settings


class _Handler(SimpleHTTPRequestHandler):
    """Serves two folders; says nothing of its own, lists no folder."""

    def __init__(self, *arguments: object, site: Path, reports: Path, with_restricted: bool) -> None:
        self._site, self._reports, self._with_restricted = site, reports, with_restricted
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        if self.path in ("", "/"):
            self.send_response(302)
            self.send_header("Location", "/public/")
            self.end_headers()
            return
        super().do_GET()

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        # Judged on the file that would be sent, however the address is spelt.
        current = (self._site / "current").resolve()
        wanted = Path(self.translate_path(self.path)).resolve()
        if wanted.is_relative_to(current) and not self._is_served(wanted.relative_to(current).parts):
            self.send_error(404)
            return None
        return super().send_head()

    def _is_served(self, parts: tuple[str, ...]) -> bool:
        return not parts or parts[0] == "public" or (parts[0] == "restricted" and self._with_restricted)

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
def serving(settings: Settings, port: int, *, with_restricted: bool = False) -> Iterator[str]:
    """Serve site and reports on 127.0.0.1 in a thread; yields the address."""
    handler = partial(_Handler, site=settings.site, reports=settings.reports, with_restricted=with_restricted)
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
