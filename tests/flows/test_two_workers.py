"""Two processes of one service work side by side; who records what another has recorded is told."""

import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from shared.contracts.errors import PolkuError
from shared.storage import open_engine
from shared.testing.broker import Broker
from tests.bench.commanding import Commander
from tests.flows.full import FullSite, full_pair
from tests.services import kit

ROUNDS = 60


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, rabbitmq: Broker, postgres: int) -> Iterator[FullSite]:
    with full_pair(tmp_path_factory.mktemp("two"), rabbitmq, postgres) as pair:
        assert isinstance(pair.node, FullSite)
        pair.node.another("activities")
        yield pair.node


@pytest.fixture
def commander(node: FullSite) -> Iterator[Commander]:
    made = Commander(node)
    yield made
    made.close()


def at_once(*commands: Any) -> list[dict[str, Any]]:
    """The answers of commands that are sent at the same moment."""
    answers: list[dict[str, Any]] = [{} for _ in commands]
    start = threading.Barrier(len(commands))

    def send(place: int) -> None:
        start.wait(20)
        answers[place] = commands[place]()

    threads = [threading.Thread(target=send, args=(place,)) for place in range(len(commands))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def test_the_same_at_the_same_moment_is_recorded_once_and_both_are_told_what(commander: Commander) -> None:
    for number in range(ROUNDS):
        one, other = at_once(*[lambda name=f"same {number}": commander.hold(name, after=commander.begun)] * 2)
        assert one["session"] == other["session"]
        assert sorted([one["new"], other["new"]]) == [False, True]


def test_another_content_at_the_same_moment_is_refused_with_the_reason(commander: Commander) -> None:
    for number in range(ROUNDS):
        name = f"other {number}"
        answers = at_once(
            lambda name=name: commander.hold(name, 60, commander.begun),
            lambda name=name: commander.hold(name, 90, commander.begun),
        )
        refused = [answer for answer in answers if "error" in answer]
        assert len(refused) == 1
        assert "already recorded with other content" in str(PolkuError.from_wire(refused[0]["error"]))


def test_both_processes_have_worked_and_no_line_is_missing_or_double(node: FullSite, commander: Commander) -> None:
    engine = open_engine(node.database)
    sessions = [line.body["session"] for line in kit.lines(engine) if line.kind == "activities.session_held"]
    assert len(sessions) == len(set(sessions)) == 2 * ROUNDS
    answered = [asked(node, name) for name in ("activities", "activities2")]
    assert all(count > 0 for count in answered), answered
    engine.dispose()


def asked(node: FullSite, name: str) -> float:
    """How many commands to record sessions the process says it has answered."""
    port = node.running[name].health_port
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
        lines = page.read().decode().splitlines()
    wanted = [line for line in lines if line.startswith("polku_bus_rpc_requests_total") and "record_sessions" in line]
    return sum(float(line.rsplit(" ", 1)[1]) for line in wanted)
