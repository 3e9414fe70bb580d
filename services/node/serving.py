"""`polku up portal` in the full footing: the portal as a plain process of its own, threads instead of greenlets."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import text
from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask

from services.node.mailing import EVERY_SECONDS, notices
from services.node.opening import listening, open_database
from services.node.portal import portal_app, refuse_clear_text
from services.node.rounds import assert_plain
from services.node.waking import ring
from services.portal.context import directly
from shared.bus.client import RpcClient
from shared.contracts.errors import InvalidInput
from shared.journal.carrier import refused_total
from shared.journal.httpcarrier import PREFIX
from shared.journal.items import MAX_ITEM
from shared.ops.health import HealthServer
from shared.ops.logging import setup_logging
from shared.ops.settings import Home

log = logging.getLogger(__name__)

THREADS = 8
"""Requests answered at once; below the database pool's size."""

STOP_SECONDS = 8.0
"""How long requests under way may take to end once the process is told to stop."""

TICK = 0.5


def run_portal(home: Home, health_port: int | None = None) -> None:
    """Serve this home's portal until SIGTERM or SIGINT; what has been asked by then is answered."""
    assert_plain()
    if home.embedded:
        raise InvalidInput(field="SERVICE", reason="the embedded bus lives in one process: run all of the home")
    refuse_clear_text(home, own_tls=False)
    setup_logging("portal")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    engine, rpc = open_database(home), RpcClient(home.bus_url)

    def database() -> str | None:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        return None

    port = health_port or home.health_port
    with listening(port):
        HealthServer(home.health_host, port, {"database": database}).start()
    if (look := notices(home, engine, rpc)) is not None:
        threading.Thread(target=_tell, args=(look, stopping), daemon=True).start()
    serve(portal_app(home, engine, rpc, directly, lambda: ring(home)), home.host, home.port, stopping)
    rpc.close()
    engine.dispose()


def _tell(look: Callable[[], int], stopping: threading.Event) -> None:
    """The timer of notices by e-mail."""
    while not stopping.is_set():
        look()
        stopping.wait(EVERY_SECONDS)


def serve(app: Flask, host: str, port: int, stopping: threading.Event) -> None:
    """Serve `app` until `stopping` is set, then until nothing is under way or `STOP_SECONDS` have passed."""
    sockets: dict[int, Any] = {}
    with listening(port):
        create_server(
            app,
            sockets,
            host=host,
            port=port,
            threads=THREADS,
            max_request_body_size=MAX_ITEM + 1,  # waitress refuses what is as long
            channel_timeout=30,
            ident=None,
        )
    for listening_socket in list(sockets.values()):
        listening_socket.channel_class = _Channel
    while not stopping.is_set():
        wasyncore.loop(TICK, use_poll=True, map=sockets, count=1)
    deadline = time.monotonic() + STOP_SECONDS
    while any(_busy(channel) for channel in sockets.values()) and time.monotonic() < deadline:
        wasyncore.loop(TICK, use_poll=True, map=sockets, count=1)


class _Refusal(ErrorTask):  # type: ignore[misc]
    """What is answered before the application is asked; a node's item that is too long counts as one there."""

    def execute(self) -> None:
        if self.request.error.code == 413 and self.request.path.startswith(PREFIX):
            refused_total.labels("oversized").inc()
        super().execute()


class _Channel(HTTPChannel):  # type: ignore[misc]
    error_task_class = _Refusal


def _busy(channel: Any) -> bool:
    return isinstance(channel, HTTPChannel) and bool(channel.request or channel.requests or channel.total_outbufs_len)
