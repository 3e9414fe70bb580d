"""The two ends of every carrier there is, as a node and its lead have them: a folder, a real portal, a real broker."""

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from services.node.opening import open_database
from services.node.portal import portal_app
from services.node.serving import serve
from services.portal.context import directly
from shared.contracts.commands import load
from shared.contracts.partners import AskMayCarry
from shared.journal import crypto
from shared.journal.amqpcarrier import AmqpCarrier, box_of, definitions
from shared.journal.brokerlink import Broker
from shared.journal.carrier import Carrier, Found
from shared.journal.filecarrier import FileCarrier
from shared.journal.httpcarrier import HttpCarrier
from shared.ops.settings import load_home
from shared.testing.broker import Broker as BrokerUnderTest
from shared.testing.private import free_port
from shared.testing.wait import until
from tests.journal.exchange_kit import OTHER, STREAM, make_key

NODE_KEY, OTHER_KEY = make_key("signing"), make_key("signing")


@dataclass
class Directory:
    """Stands in for reporting: whose keys are admitted for which stream, and which invites are open."""

    keys: dict[str, crypto.Key] = field(default_factory=lambda: {STREAM: NODE_KEY})
    invites: set[str] = field(default_factory=set)
    expelled: bool = False

    def call(self, service: str, method: str, /, *, timeout: float = 10, **command: Any) -> Any:
        assert (service, method) == ("reporting", "may_carry")
        asked = load(AskMayCarry, command)
        key = self.keys.get(f"{asked['node']}/{asked['programme']}")
        signing = [key.public.hex()] if key is not None and key.public is not None else []
        return {"signing_keys": signing, "invited": asked["token_digest"] in self.invites, "expelled": self.expelled}


@dataclass
class Ends:
    """A carrier's two ends. `at_once`: what one end wrote, the other sees without waiting."""

    kind: str
    node: Carrier
    lead: FileCarrier | AmqpCarrier
    woken: list[None] = field(default_factory=list)
    directory: Directory = field(default_factory=Directory)
    inbox: Path | None = None
    url: str = ""

    def arrives(self, channel: str, name: str, data: bytes) -> None:
        """Wait until the reading end reads exactly this."""
        end = self.node if (name == "receipt") != channel.startswith("lead/") else self.lead
        until(lambda: end.read(channel, name, 2_000_000) == data)

    def listed(self, end: Carrier, channel: str, count: int) -> list[Found]:
        """The segments there, once there are as many."""
        found: list[list[Found]] = []

        def as_many() -> bool:
            found[:] = [end.list_segments(channel) or []]
            return len(found[0]) == count

        until(as_many)
        return found[0]


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an application as the full footing does; its URL."""
    port, stopping = free_port(), threading.Event()
    thread = threading.Thread(target=serve, args=(app, "127.0.0.1", port, stopping))
    thread.start()
    until(lambda: _listens(port))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stopping.set()
        _listens(port)  # or it would look up from its sockets by itself, in half a second
        thread.join(20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def folder_ends(folder: Path) -> Iterator[Ends]:
    yield Ends("file", FileCarrier(folder / "inbox"), FileCarrier(folder / "inbox"), inbox=folder / "inbox")


@contextmanager
def portal_ends(folder: Path, made: Path) -> Iterator[Ends]:
    """The portal of a lead whose home is a copy of `made`, with reporting stood in; the node's end signs with
    `NODE_KEY`."""
    home = load_home(Path(shutil.copytree(made, folder / "lead")))
    directory, woken = Directory(), list[None]()
    app = portal_app(home, open_database(home), directory, directly, lambda: woken.append(None))
    with served(app) as url:
        yield Ends("https", HttpCarrier(url, NODE_KEY), FileCarrier(home.inbox), woken, directory, home.inbox, url)


BOX = box_of("lahde", "yhdistys")


@contextmanager
def broker_ends(broker: BrokerUnderTest) -> Iterator[Ends]:
    """A lead's broker; the node's end is a user with a partner's rights and no others."""
    url = broker.new_vhost()
    rights = definitions(BOX, "-", "-")["permissions"][0]
    partner = broker.new_user(url, rights["configure"], rights["write"], rights["read"])
    lead = AmqpCarrier(as_broker(url), {STREAM: BOX, OTHER: OTHER_BOX}, at_lead=True)
    node = AmqpCarrier(as_broker(partner), {STREAM: BOX})
    lead.list_segments(STREAM)  # makes the boxes
    try:
        yield Ends("amqp", node, lead, url=url)
    finally:
        node.close()
        lead.close()
        broker.drop_vhost(url)


OTHER_BOX = box_of("lahde", "opisto")


def as_broker(url: str) -> Broker:
    """The broker at a URL with a password in it."""
    parts = urlsplit(url)
    return Broker(url.replace(f":{parts.password}@", "@"), parts.password or "")
