"""The bench's TCP proxy does to bytes and connections what it says."""

import random
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from shared.testing.wait import until
from tests.faults.bench.proxy import TORN_AFTER, Mode, Proxy


@dataclass
class Echo:
    """Answers with what it is sent, and remembers it."""

    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    heard: bytes = b""

    def run(self) -> None:
        while True:
            try:
                end, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(end,), daemon=True).start()

    def _answer(self, end: socket.socket) -> None:
        try:
            while data := end.recv(65536):
                self.heard += data
                end.sendall(data)
        except OSError:
            return


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    threading.Thread(target=made.run, daemon=True).start()
    yield made
    made.listener.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    made = Proxy(echo.listener.getsockname()[1], random.Random(1))
    yield made
    made.close()


def connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), 10)


def is_turned_away(proxy: Proxy) -> bool:
    try:
        return connected(proxy).recv(1) == b""
    except ConnectionError:
        return True


def answered(end: socket.socket, data: bytes, seconds: float = 10) -> bytes:
    end.settimeout(seconds)
    try:
        end.sendall(data)
        return end.recv(65536)
    except TimeoutError:
        return b"nothing"
    except OSError:
        return b"reset"


def test_what_is_open_passes(proxy: Proxy) -> None:
    assert answered(connected(proxy), b"x") == b"x"


def test_what_is_cut_is_reset_and_so_are_new_connections_until_it_is_over(proxy: Proxy) -> None:
    old = connected(proxy)
    assert answered(old, b"x") == b"x"
    proxy.set(Mode.CUT)
    assert answered(old, b"x") in (b"", b"reset")
    assert is_turned_away(proxy)
    proxy.set(Mode.OPEN)
    assert answered(connected(proxy), b"x") == b"x"


@pytest.mark.parametrize(("mode", "arrives"), [(Mode.HALF_OPEN, b"before"), (Mode.ONE_WAY, b"beforeafter")])
def test_what_is_not_answered_is_not_answered_later_either(
    proxy: Proxy, echo: Echo, mode: Mode, arrives: bytes
) -> None:
    end = connected(proxy)
    assert answered(end, b"before") == b"before"
    proxy.set(mode)
    assert answered(end, b"after", 0.2) == b"nothing"
    until(lambda: echo.heard == arrives)
    proxy.set(Mode.OPEN)
    assert answered(end, b"") in (b"", b"reset")


def test_what_is_stalled_goes_on_later(proxy: Proxy) -> None:
    end = connected(proxy)
    proxy.set(Mode.STALLED)
    assert answered(end, b"x", 0.2) == b"nothing"
    proxy.set(Mode.OPEN)
    assert answered(end, b"") == b"x"


@pytest.mark.parametrize("mode", [Mode.SLOW, Mode.DRIP])
def test_what_is_late_arrives_whole(proxy: Proxy, echo: Echo, mode: Mode) -> None:
    end, data = connected(proxy), bytes(range(256)) * 4
    proxy.set(mode)
    end.sendall(data)
    assert echo.heard != data
    proxy.set(Mode.OPEN)
    until(lambda: echo.heard == data)


def test_what_is_torn_ends_in_the_middle(proxy: Proxy, echo: Echo) -> None:
    end = connected(proxy)
    proxy.set(Mode.TORN)
    with pytest.raises(ConnectionError):
        end.sendall(bytes(64 * 1024 * 1024))
    until(lambda: TORN_AFTER[0] <= len(echo.heard) <= TORN_AFTER[1])
