"""The portal as a process of its own: threads, a graceful end, and what a proxy in front of it changes."""

import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask, request
from werkzeug.test import TestResponse

from services.node import serving
from services.node.opening import init_home, open_database
from services.node.portal import portal_app, refuse_clear_text
from services.node.serving import serve
from services.portal.context import directly
from shared.contracts.errors import HomeUnusable
from shared.ops.settings import Home, Role
from shared.testing.private import free_port
from shared.testing.wait import until
from tests.services.node.made import new_home
from tests.services.node.test_cli import run


class Served:
    """An application whose one page waits until it is let go, served in a thread."""

    def __init__(self) -> None:
        self.port, self.stopping = free_port(), threading.Event()
        self.reached, self.let_go = threading.Event(), threading.Event()
        app = Flask("waiting")
        app.add_url_rule("/", "page", self._page)
        self.thread = threading.Thread(target=serve, args=(app, "127.0.0.1", self.port, self.stopping))
        self.thread.start()
        until(self._listens)

    def _page(self) -> str:
        self.reached.set()
        assert self.let_go.wait(20)
        return "answered"

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, answers: list[str]) -> threading.Thread:
        def asking() -> None:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=20) as page:
                answers.append(page.read().decode())

        thread = threading.Thread(target=asking)
        thread.start()
        return thread


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.let_go.set()
    made.stopping.set()
    made.thread.join(20)


def test_a_request_under_way_when_told_to_stop_is_answered(served: Served) -> None:
    answers: list[str] = []
    asking = served.ask(answers)
    assert served.reached.wait(20)
    served.stopping.set()
    served.thread.join(1.5)
    assert served.thread.is_alive()
    served.let_go.set()
    asking.join(20)
    served.thread.join(20)
    assert answers == ["answered"]
    assert not served.thread.is_alive()


def test_requests_are_answered_side_by_side(served: Served) -> None:
    answers: list[str] = []
    asking = [served.ask(answers) for _ in range(4)]
    assert served.reached.wait(20)
    served.let_go.set()
    for thread in asking:
        thread.join(20)
    assert answers == ["answered"] * 4


def test_an_idle_portal_stops_at_once(served: Served) -> None:
    served.stopping.set()
    served.thread.join(3)
    assert not served.thread.is_alive()


def login_page(folder: Path) -> tuple[TestResponse, str | None]:
    """The login page as a browser gets it by a proxy, and from which address it was asked for."""
    home = new_home(folder / "lead", "lead", port=free_port())
    app = portal_app(home, open_database(home), None, directly)  # type: ignore[arg-type]
    seen: list[str | None] = []
    app.before_request(lambda: seen.append(request.remote_addr))
    page = app.test_client().get("/login", headers={"X-Forwarded-For": "198.51.100.7"})
    return page, seen[0]


def test_behind_a_proxy_cookies_are_for_https_and_the_address_is_the_browsers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLKU_BEHIND_TLS_PROXY", "1")
    page, address = login_page(tmp_path)
    assert address == "198.51.100.7"
    assert page.headers["Set-Cookie"].startswith("__Host-polku=")
    assert "Secure" in page.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in page.headers


def test_without_a_proxy_nobody_chooses_their_own_address(tmp_path: Path) -> None:
    page, address = login_page(tmp_path)
    assert address == "127.0.0.1"
    assert "Secure" not in page.headers["Set-Cookie"]


def test_an_embedded_home_has_no_portal_on_its_own(tmp_path: Path) -> None:
    init_home(tmp_path / "lead", "lead")
    done = run("up", "portal", home=tmp_path / "lead")
    assert (done.code, "run all of the home" in done.error) == (2, True)


@pytest.mark.parametrize(("said", "refused"), [("", True), ("0", True), ("1", False), ("loopback", False)])
@pytest.mark.parametrize("role", ["lead", "node"])
def test_no_home_is_served_in_clear_beyond_loopback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: Role, said: str, refused: bool
) -> None:
    monkeypatch.setenv("POLKU_BEHIND_TLS_PROXY", said)
    home = Home(tmp_path, role, role, 8400, "0.0.0.0")
    with pytest.raises(HomeUnusable, match="in clear") if refused else nullcontext():
        refuse_clear_text(home, own_tls=True)


def test_a_certificate_counts_only_where_it_is_used(tmp_path: Path) -> None:
    home = Home(tmp_path, "lead", "lead", 8400, "0.0.0.0", certificate="/c.pem")
    refuse_clear_text(home, own_tls=True)
    with pytest.raises(HomeUnusable, match="in clear"):
        refuse_clear_text(home, own_tls=False)


def test_the_health_of_a_portal_of_its_own_is_answered_on_loopback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Began(Exception):
        """That it would listen, and where."""

    def listen(host: str, port: int, _checks: object) -> None:
        raise Began(host, port)

    monkeypatch.setenv("POLKU_BEHIND_TLS_PROXY", "1")
    monkeypatch.setattr(serving, "HealthServer", listen)
    monkeypatch.setattr(serving, "RpcClient", lambda _url: None)
    monkeypatch.setattr(serving.signal, "signal", lambda *_: None)
    made = new_home(tmp_path / "lead", "lead")
    home = replace(made, host="0.0.0.0", bus="amqp://127.0.0.1:1/x")
    with pytest.raises(Began) as began:
        serving.run_portal(home)
    assert began.value.args == ("127.0.0.1", home.health_port)


def test_on_loopback_a_lead_needs_neither(tmp_path: Path) -> None:
    refuse_clear_text(Home(tmp_path, "lead", "lead", 8400), own_tls=False)
