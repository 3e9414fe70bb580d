"""A receiver that is a process of its own is woken by the portal's."""

import contextlib
import select
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from services.node import receiver, serving
from services.node.opening import init_home
from services.node.waking import Bell, ring
from shared.journal import signedrequests
from shared.journal.carrier import MANIFEST
from shared.ops.clock import utcnow
from shared.ops.settings import Home
from tests.carriers.kit import NODE_KEY, Directory
from tests.journal.exchange_kit import STREAM


@pytest.fixture
def lead(tmp_path: Path) -> Home:
    deep = tmp_path / ("a-folder-with-a-long-name" * 4)
    deep.mkdir()
    return init_home(deep / "lead", "lead")


def is_rung(bell: Bell) -> bool:
    return bool(select.select([bell.fileno()], [], [], 0)[0])


def test_whoever_rings_is_heard_once_also_after_a_restart(lead: Home) -> None:
    ring(lead)  # nobody listens
    for _ in range(2):
        with contextlib.closing(Bell(lead)) as bell:
            assert not is_rung(bell)
            for _ in range(600):  # more than any queue of the system's
                ring(lead)
            assert is_rung(bell)
            bell.hush()
            assert not is_rung(bell)


def test_an_upload_wakes_the_receiver_of_the_full_footing(lead: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    lead_full = Home(**{name: getattr(lead, name) for name in Home.__slots__} | {"bus": "amqp://127.0.0.1:1/x"})
    monkeypatch.setattr(serving, "serve", lambda app, *_: made.append(app))
    monkeypatch.setattr(serving.signal, "signal", lambda *_: None)
    monkeypatch.setattr(serving, "RpcClient", lambda _url: _Rpc())
    monkeypatch.setattr(serving, "HealthServer", lambda *_: _Rpc())
    serving.run_portal(lead_full)
    body, path = b"{}", f"{STREAM}/{MANIFEST}"
    header = signedrequests.signed(NODE_KEY, "PUT", path, body, utcnow())

    woken: list[bool] = []

    def rounds(_home: Home, round_: Callable[..., float], *_: Any, watched: Callable[[], list[int]], **__: Any) -> None:
        assert not select.select(watched(), [], [], 0)[0]
        answer = Client(made[0].wsgi_app).put(f"/carrier/{path}", data=body, headers={"Authorization": header})
        assert answer.status_code == 204
        woken.append(bool(select.select(watched(), [], [], 5)[0]))
        round_(utcnow())
        woken.append(bool(select.select(watched(), [], [], 0)[0]))

    monkeypatch.setattr(receiver, "run_rounds", rounds)
    receiver.run_receiver(lead, child=False)
    assert woken == [True, False]


class _Rpc(Directory):
    """Reporting, as the portal's client reaches it."""

    def close(self) -> None: ...

    def start(self) -> None: ...
