"""`/live`, `/ready` and `/metrics` of a process, on its own port.

Live: the process answers. Ready: every check passes; the answer names all that do not, not only the first.
A check returns None when all is well, else a short reason without any data about people.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

log = logging.getLogger(__name__)
Check = Callable[[], str | None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asks may hang up; the library would print a traceback."""
        log.warning("a question about health was not answered", exc_info=True)


class HealthServer:
    """Serves a process's health on `host`:`port` from a background thread (a greenlet where threads are green)."""

    def __init__(self, host: str, port: int, checks: Mapping[str, Check]) -> None:
        handler = type("Handler", (_Handler,), {"checks": checks})
        self._server = _Server((host, port), handler)
        self._thread = threading.Thread(target=self._serve, name="health", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def _serve(self) -> None:
        while True:  # not serve_forever: that one wakes twice a second for nothing
            self._server.handle_request()


def failures(checks: Mapping[str, Check]) -> dict[str, str]:
    """Every check that fails, with its reason; a check that raises fails with the error's type."""
    found: dict[str, str] = {}
    for name, check in checks.items():
        try:
            reason = check()
        except Exception as error:
            reason = type(error).__name__
        if reason is not None:
            found[name] = reason
    return found


class _Handler(BaseHTTPRequestHandler):
    checks: ClassVar[Mapping[str, Check]]

    def do_GET(self) -> None:
        if self.path == "/live":
            self._answer(200, "application/json", b'{"live": true}')
        elif self.path == "/ready":
            failed = failures(self.checks)
            body = json.dumps({"ready": not failed, "failed": failed}).encode()
            self._answer(503 if failed else 200, "application/json", body)
        elif self.path == "/metrics":
            self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
        else:
            self._answer(404, "text/plain", b"")

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are not worth a line each."""
