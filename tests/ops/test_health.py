"""A process answers whether it lives, what keeps it from being ready, and its figures."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from prometheus_client import REGISTRY, Counter

from shared.ops.health import Check, HealthServer, failures
from shared.ops.metrics import DECLARED, counter
from shared.testing.private import free_port
from shared.testing.wait import until


def _raises() -> str | None:
    raise ConnectionError("Matti Meikäläinen")


def test_every_check_that_fails_is_listed_and_one_that_raises_by_its_type() -> None:
    checks: dict[str, Check] = {
        "database": lambda: None,
        "journal": lambda: "cannot go on: intake at 3",
        "bus": _raises,
        "child": lambda: "has ended",
    }
    assert failures(checks) == {"journal": "cannot go on: intake at 3", "bus": "ConnectionError", "child": "has ended"}
    assert failures({}) == {}


@pytest.fixture
def checks() -> dict[str, Check]:
    return {"database": lambda: None}


@pytest.fixture
def ask(checks: dict[str, Check]) -> Callable[[str], tuple[int, bytes]]:
    port = free_port()
    HealthServer("127.0.0.1", port, checks).start()

    def get(path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    get.port = port  # type: ignore[attr-defined]
    return get


def test_ready_says_all_that_is_missing_and_recovers(
    ask: Callable[[str], tuple[int, bytes]], checks: dict[str, Check]
) -> None:
    assert ask("/live") == (200, b'{"live": true}')
    assert ask("/ready") == (200, b'{"ready": true, "failed": {}}')
    checks |= {"journal": lambda: "cannot go on", "bus": _raises}
    status, body = ask("/ready")
    assert status == 503
    assert json.loads(body) == {"ready": False, "failed": {"journal": "cannot go on", "bus": "ConnectionError"}}
    assert ask("/live")[0] == 200, "who is not ready lives"
    del checks["journal"], checks["bus"]
    assert ask("/ready")[0] == 200


@pytest.fixture
def made() -> Iterator[Counter]:
    """A metric that is there for this test only."""
    metric = counter("polku_test_health_total", "For this test.", "service")
    yield metric
    del DECLARED["polku_test_health_total"]
    REGISTRY.unregister(metric)


def test_metrics_are_prometheus_text_and_nothing_else_is_served(
    ask: Callable[[str], tuple[int, bytes]], made: Counter
) -> None:
    made.labels("intake").inc()
    status, body = ask("/metrics")
    assert status == 200
    assert b'polku_test_health_total{service="intake"} 1.0' in body
    assert DECLARED["polku_test_health_total"].labels == ("service",)
    for path in ("/", "/admin", "/ready/x", "/live/../ready"):
        assert ask(path) == (404, b"")


def test_who_hangs_up_or_talks_nonsense_disturbs_nobody(
    ask: Callable[[str], tuple[int, bytes]], capfd: pytest.CaptureFixture[str]
) -> None:
    port: int = ask.port  # type: ignore[attr-defined]
    for sent in (b"", b"\x00\xff\r\n\r\n", b"GET /metrics HTTP/1.1\r\n\r\n", b"GET /live"):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(sent)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    until(lambda: ask("/live")[0] == 200)
    assert "Traceback" not in capfd.readouterr().err


def test_a_metric_of_another_name_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="polku_"):
        counter("requests_total", "No.")
