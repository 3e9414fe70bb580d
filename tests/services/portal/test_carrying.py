"""The HTTPS carrier's edge: who may do what to which item, and what is refused before it is read."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from werkzeug.test import Client, TestResponse

from services.portal.carrying import CarrierEdge
from services.portal.context import directly
from shared.contracts.errors import ServiceAbsent
from shared.journal import crypto, signedrequests
from shared.journal.carrier import EXPELLED, JOIN, MANIFEST, RECEIPT, Place
from shared.journal.filecarrier import FileCarrier
from shared.journal.joining import MAX_JOIN
from shared.journal.segment import MAX_SEGMENT
from shared.journal.statements import MAX_STATEMENT
from tests.carriers.kit import NODE_KEY, OTHER_KEY, Directory
from tests.journal.exchange_kit import OTHER, START, STREAM

SEGMENT = Place(1, 1, 3).name
TO_NODE = "lead/lahde/pori-0a1b2c3d"
TOKEN = "ab" * 32


class Edge:
    """An edge over a folder, asked without a network."""

    def __init__(self, folder: Path) -> None:
        self.carrier, self.directory = FileCarrier(folder / "inbox"), Directory({STREAM: NODE_KEY, OTHER: OTHER_KEY})
        self.woken: list[None] = []
        self.now = START
        edge = CarrierEdge(self.carrier, self.directory, directly, lambda: self.now, lambda: self.woken.append(None))
        self.client = Client(edge)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        key: crypto.Key = NODE_KEY,
        header: str | None = None,
        **more: Any,
    ) -> TestResponse:
        if header is None:
            header = signedrequests.signed(key, method, path, body, START)
        return self.client.open(f"/carrier/{path}", method=method, data=body, headers={"Authorization": header}, **more)


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    return Edge(tmp_path)


def refused(reason: str) -> float:
    return REGISTRY.get_sample_value("polku_carrier_refused_total", {"reason": reason}) or 0.0


@pytest.mark.parametrize("path", [f"{STREAM}/{SEGMENT}", f"{STREAM}/{MANIFEST}", f"{TO_NODE}/{RECEIPT}"])
def test_a_node_writes_what_is_its_own(edge: Edge, path: str) -> None:
    assert edge.ask("PUT", path, b"bytes").status_code == 204
    assert (edge.carrier.root / path).read_bytes() == b"bytes"


def test_a_node_deletes_its_own_segment(edge: Edge) -> None:
    edge.carrier.write(STREAM, SEGMENT, b"bytes")
    assert edge.ask("DELETE", f"{STREAM}/{SEGMENT}").status_code == 204
    assert edge.carrier.list_segments(STREAM) == []


@pytest.mark.parametrize("path", [f"{STREAM}/{RECEIPT}", f"{TO_NODE}/{SEGMENT}", f"{TO_NODE}/{MANIFEST}"])
def test_a_node_reads_what_is_for_it(edge: Edge, path: str) -> None:
    assert edge.ask("GET", path).status_code == 404
    channel, name = path.rsplit("/", 1)
    edge.carrier.write(channel, name, b"for the node")
    assert edge.ask("GET", path).data == b"for the node"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", f"{STREAM}/{RECEIPT}"),
        ("DELETE", f"{STREAM}/{RECEIPT}"),
        ("GET", f"{STREAM}/{SEGMENT}"),
        ("GET", f"{STREAM}/{MANIFEST}"),
        ("GET", f"{STREAM}/{JOIN}"),
        ("PUT", f"{TO_NODE}/{SEGMENT}"),
        ("PUT", f"{TO_NODE}/{MANIFEST}"),
        ("DELETE", f"{TO_NODE}/{SEGMENT}"),
        ("PUT", f"{TO_NODE}/{JOIN}"),
    ],
)
def test_the_other_sides_items_are_neither_written_nor_read(edge: Edge, method: str, path: str) -> None:
    before = refused("foreign")
    channel, name = path.rsplit("/", 1)
    edge.carrier.write(channel, name, b"the other side's")
    assert edge.ask(method, path, b"x" if method == "PUT" else b"").status_code == 403
    assert edge.carrier.read(channel, name, 100) == b"the other side's"
    assert refused("foreign") == before + 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", f"{STREAM}/{SEGMENT}"),
        ("PUT", f"{STREAM}/{MANIFEST}"),
        ("GET", f"{STREAM}/"),
        ("GET", f"{TO_NODE}/{SEGMENT}"),
    ],
)
def test_another_admitted_node_is_not_let_at_a_nodes_channels(edge: Edge, method: str, path: str) -> None:
    before = refused("unauthenticated")
    assert edge.ask(method, path, b"x" if method == "PUT" else b"", key=OTHER_KEY).status_code == 401
    assert not (edge.carrier.root / STREAM).exists()
    assert refused("unauthenticated") == before + 1


@pytest.mark.parametrize(
    "path",
    [
        "pori-0a1b2c3d/lahde/../x",
        "pori-0a1b2c3d/",
        f"{STREAM}/secret",
        f"{STREAM}/{SEGMENT}.part",
        f"{STREAM}/a/b",
        "x/y/z",
    ],
)
def test_what_is_no_item_of_a_channel_is_not_found(edge: Edge, path: str) -> None:
    assert edge.ask("PUT", path, b"x").status_code == 404
    assert not edge.carrier.root.exists()


def test_a_changed_body_path_method_or_header_is_refused(edge: Edge) -> None:
    path = f"{STREAM}/{SEGMENT}"
    good = signedrequests.signed(NODE_KEY, "PUT", path, b"bytes", START)
    assert edge.ask("PUT", path, b"other", header=good).status_code == 401
    assert edge.ask("PUT", f"{STREAM}/{MANIFEST}", b"bytes", header=good).status_code == 401
    assert edge.ask("DELETE", path, b"", header=good).status_code == 401
    assert edge.ask("PUT", path, b"bytes", header=good.replace(NODE_KEY.id, OTHER_KEY.id)).status_code == 401
    assert edge.ask("PUT", path, b"bytes", header=good[:-1] + ("0" if good[-1] != "0" else "1")).status_code == 401
    for header in ("", "Polku", "Basic YTpi", good + " ", "Polku-Invite " + "0" * 64):
        assert edge.ask("PUT", path, b"bytes", header=header).status_code == 401
    assert not edge.carrier.root.exists()
    assert edge.ask("PUT", path, b"bytes", header=good).status_code == 204


@pytest.mark.parametrize("off", [timedelta(days=1, seconds=1), -timedelta(days=1, seconds=1)])
def test_a_request_of_another_day_is_refused(edge: Edge, off: timedelta) -> None:
    edge.now = START + off
    assert edge.ask("PUT", f"{STREAM}/{MANIFEST}", b"x").status_code == 401


def test_a_request_repeated_changes_nothing(edge: Edge) -> None:
    for _ in range(3):
        assert edge.ask("PUT", f"{STREAM}/{MANIFEST}", b"x").status_code == 204
    assert [path.name for path in (edge.carrier.root / STREAM).iterdir()] == [MANIFEST]


@pytest.mark.parametrize(
    ("name", "limit"),
    [(SEGMENT, MAX_SEGMENT), (MANIFEST, MAX_STATEMENT), (JOIN, MAX_JOIN), (SEGMENT, 17 * 1024 * 1024)],
)
def test_what_is_too_long_is_refused_unread(edge: Edge, name: str, limit: int) -> None:
    before = refused("oversized")

    class Unread(BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("it was read")

    answer = edge.client.open(
        f"/carrier/{STREAM}/{name}",
        method="PUT",
        input_stream=Unread(),
        environ_overrides={"CONTENT_LENGTH": str(limit + 1)},
    )
    assert answer.status_code == 413
    assert refused("oversized") == before + 1


def test_a_body_of_no_stated_length_is_refused(edge: Edge) -> None:
    answer = edge.client.open(f"/carrier/{STREAM}/{MANIFEST}", method="PUT", headers={"Transfer-Encoding": "chunked"})
    assert answer.status_code == 411


def test_an_invite_lets_its_holder_write_a_join_and_nothing_else(edge: Edge) -> None:
    edge.directory.invites.add(TOKEN)
    edge.directory.keys.clear()
    header = f"Polku-Invite {TOKEN}"
    assert edge.ask("PUT", f"{STREAM}/{JOIN}", b"sealed", header=header).status_code == 204
    assert edge.carrier.read(STREAM, JOIN, 100) == b"sealed"
    assert edge.ask("PUT", f"{STREAM}/{SEGMENT}", b"x", header=header).status_code == 401
    assert edge.ask("GET", f"{STREAM}/{RECEIPT}", header=header).status_code == 401
    assert edge.ask("PUT", f"{STREAM}/{JOIN}", b"x", header=f"Polku-Invite {'cd' * 32}").status_code == 401


def test_an_expelled_node_reads_that_it_is_and_nothing_else(edge: Edge) -> None:
    for name in (EXPELLED, MANIFEST):
        edge.carrier.write(TO_NODE, name, b"for the node")
    edge.directory.expelled = True
    assert edge.ask("GET", f"{TO_NODE}/{EXPELLED}").data == b"for the node"
    assert edge.ask("GET", f"{TO_NODE}/{EXPELLED}", key=OTHER_KEY).status_code == 401
    for method, path in (("GET", f"{TO_NODE}/{MANIFEST}"), ("PUT", f"{STREAM}/{MANIFEST}"), ("GET", f"{TO_NODE}/")):
        assert edge.ask(method, path, b"x" if method == "PUT" else b"").status_code == 403
    assert edge.carrier.read(STREAM, MANIFEST, 9) is None


def test_statements_and_joins_wake_the_receiver_segments_do_not(edge: Edge) -> None:
    edge.ask("PUT", f"{STREAM}/{SEGMENT}", b"x")
    assert edge.woken == []
    edge.ask("PUT", f"{STREAM}/{MANIFEST}", b"x")
    edge.ask("PUT", f"{TO_NODE}/{RECEIPT}", b"x")
    assert len(edge.woken) == 2


def test_when_reporting_is_away_the_node_is_told_to_come_again(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ServiceAbsent(service="reporting")

    monkeypatch.setattr(edge.directory, "call", absent)
    assert edge.ask("PUT", f"{STREAM}/{MANIFEST}", b"x").status_code == 503


def test_no_answer_repeats_what_was_asked_for(edge: Edge) -> None:
    answer = edge.ask("GET", f"{STREAM}/<script>", header="Polku secret")
    assert (answer.status_code, answer.data) == (404, b"")
