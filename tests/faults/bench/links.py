"""How a partner's node reaches the lead, and how the bench reaches what lies between them: one class per carrier.

`mode` is what a fault does to the link; a folder can only be away. The rest is the lead's end of the node's channel:
what lies there unread, taking it out, putting something there as if it had come by the carrier.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import amqp

from shared.journal.amqpcarrier import box_of, up
from shared.journal.carrier import MANIFEST, place_named
from shared.testing.broker import Broker
from shared.testing.wait import until
from tests.faults.bench.marks import PROGRAMME
from tests.faults.bench.proxy import Mode, Proxy
from tests.faults.test_kills import is_running

TAPE = 60
"""How many segments are kept for a replay."""
VHOST = "carrier"
MADE_SECONDS = 60
"""How long the lead may take to make a box that is gone."""
CARRIERS = ("file", "https", "amqp")


class Link(Protocol):
    """What faults do to a partner's link and channel."""

    kind: str
    uplink: str
    tape: dict[str, bytes]

    def set(self, mode: Mode) -> bool:
        """Change the link; False if a link of this kind cannot have that."""

    def put(self, name: str, data: bytes) -> None:
        """An item lies there, whole or not at all."""

    def remove(self, name: str) -> None:
        """An item that we put there, and that its reader does not take away, goes."""

    def held(self, lead: int) -> "Held":
        """While this holds, the lead (process `lead`) reads no segments that come."""


class Held(Protocol):
    """What comes while nobody reads it."""

    def __enter__(self) -> "Held": ...

    def __exit__(self, *_: object) -> None: ...

    def segments(self) -> dict[str, bytes]:
        """What has come so far."""

    def take_out(self) -> None:
        """None of these segments will be read."""

    def wipe(self) -> None:
        """Somebody at the lead takes everything away, statements too."""


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    """SIGSTOP, and SIGCONT at the end."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if is_running(pid):
            os.kill(pid, signal.SIGCONT)


def keep(tape: dict[str, bytes], segments: dict[str, bytes]) -> None:
    """Remember some for a replay."""
    for name, data in segments.items():
        if len(tape) < TAPE:
            tape.setdefault(name, data)


@dataclass
class FolderLink:
    """`file:` by a symbolic link; `channel` says where the lead's folder for this node is."""

    symlink: Path
    inbox: Path
    channel: Callable[[], Path]
    kind: str = "file"
    tape: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.uplink = f"file:{self.symlink}"
        self.set(Mode.OPEN)

    def set(self, mode: Mode) -> bool:
        away = self.symlink.parent / "nowhere" / "at" / "all"
        part = self.symlink.with_suffix(".part")
        part.symlink_to(self.inbox if mode is Mode.OPEN else away)
        part.replace(self.symlink)  # at once: a courier that finds no link would make a folder there
        return mode in (Mode.OPEN, Mode.CUT)

    def put(self, name: str, data: bytes) -> None:
        file = self.channel() / name
        file.parent.mkdir(parents=True, exist_ok=True)  # a restored lead's folder is empty
        part = file.with_suffix(".part")
        part.write_bytes(data)
        part.rename(file)

    def remove(self, name: str) -> None:
        (self.channel() / name).unlink(missing_ok=True)

    def held(self, lead: int) -> Held:
        return _FolderHeld(self, lead)


class _FolderHeld:
    """The lead stands still."""

    def __init__(self, link: FolderLink, lead: int) -> None:
        self._link, self._still = link, standing_still(lead)

    def __enter__(self) -> Held:
        self._still.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._still.__exit__(None, None, None)

    def segments(self) -> dict[str, bytes]:
        found = {}
        for file in sorted(self._link.channel().glob("*.seg")):
            with suppress(FileNotFoundError):  # a courier by https may take it away meanwhile
                found[file.name] = file.read_bytes()
        keep(self._link.tape, found)
        return found

    def take_out(self) -> None:
        for name in self.segments():
            self._link.remove(name)

    def wipe(self) -> None:
        for file in self._link.channel().iterdir():
            file.unlink(missing_ok=True)  # as above


@dataclass
class PortalLink(FolderLink):
    """`http:` through a proxy to the lead's portal, which puts everything into the same folder."""

    kind: str = "https"
    proxy: Proxy = field(kw_only=True)

    def __post_init__(self) -> None:
        self.uplink = f"http://127.0.0.1:{self.proxy.port}"

    def set(self, mode: Mode) -> bool:
        self.proxy.set(mode)
        return True


@dataclass
class BrokerLink:
    """`amqp:` through a proxy to the lead's broker. A queue of the bench's own beside the lead's has a copy of all."""

    broker: Broker
    partner: str
    stream: Callable[[], str]
    proxy: Proxy
    definitions: str = ""
    kind: str = "amqp"
    tape: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.uplink = f"amqp://127.0.0.1:{self.proxy.port}/{VHOST}"
        self.box = box_of(PROGRAMME, self.partner)

    def set(self, mode: Mode) -> bool:
        self.proxy.set(mode)
        return True

    def put(self, name: str, data: bytes) -> None:
        self.publish(f"{self.stream()}/{name}", data)

    def publish(self, item: str, data: bytes) -> None:
        """Put an item into the lead's queue, confirmed, once there is one: a broker that was emptied has it again when
        the lead has looked."""

        def is_there() -> bool:
            message = amqp.Message(data, message_id=item, delivery_mode=2)
            returned: list[object] = []
            with self.admin() as channel:
                channel.confirm_select()
                channel.events["basic_return"].add(lambda *_: returned.append(True))
                channel.basic_publish_confirm(message, routing_key=up(self.box), mandatory=True)
            return not returned

        until(is_there, MADE_SECONDS, every=0.1)

    def remove(self, name: str) -> None:
        """The reader has acked it."""

    def held(self, lead: int) -> Held:
        return _BoxHeld(self)

    def know_user(self) -> None:
        """The partner's user, as an operator has the broker know it."""
        text = self.definitions.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        self.broker.erlang(f'rabbit_definitions:import_raw(<<"{text}">>).')

    def forget_user(self) -> None:
        """An operator deletes the partner's user."""
        self.broker.erlang(f'rabbit_auth_backend_internal:delete_user(<<"{self.box}">>, <<"bench">>).')

    @contextmanager
    def admin(self) -> Iterator[amqp.Channel]:
        """A channel of somebody who may do everything."""
        where = f"127.0.0.1:{self.broker.port}"
        with amqp.Connection(where, userid="guest", password="guest", virtual_host=VHOST) as connection:
            channel = connection.channel()
            channel.auto_decode = False
            yield channel


class _BoxHeld:
    """The lead's queue is unbound: what comes is confirmed, lies in the bench's queue, and is passed on at the end."""

    def __init__(self, link: BrokerLink) -> None:
        self._link, self._tap = link, f"tap.{link.box}"
        self._items: dict[str, bytes] = {}

    def __enter__(self) -> Held:
        until(self._diverted, MADE_SECONDS, every=0.2)
        return self

    def _diverted(self) -> bool:
        """Whether it is done; a broker that was emptied has a box again when the lead has made it."""
        box = self._link.box
        with suppress(amqp.exceptions.NotFound), self._link.admin() as channel:
            channel.queue_declare(self._tap, durable=True, auto_delete=False)
            channel.queue_bind(self._tap, box, "")
            channel.queue_unbind(up(box), box, "")
            return True
        return False

    def __exit__(self, *_: object) -> None:
        box = self._link.box
        with suppress(amqp.exceptions.NotFound), self._link.admin() as channel:
            channel.queue_bind(up(box), box, "")  # one that was deleted is made and bound by who reads it
        self.segments()
        with self._link.admin() as channel:
            channel.queue_delete(self._tap)
        for item, data in sorted(self._items.items(), key=lambda found: found[0].endswith(f"/{MANIFEST}")):
            self._link.publish(item, data)

    def segments(self) -> dict[str, bytes]:
        with self._link.admin() as channel:
            while (message := channel.basic_get(self._tap, no_ack=True)) is not None:
                data = message.body if isinstance(message.body, bytes) else b""  # the library's empty body is a text
                self._items[str(message.properties["message_id"])] = data
        stream = f"{self._link.stream()}/"
        names = {item: item.removeprefix(stream) for item in self._items if item.startswith(stream)}
        found = {name: self._items[item] for item, name in sorted(names.items()) if place_named(name)}
        keep(self._link.tape, found)
        return found

    def take_out(self) -> None:
        for name in self.segments():
            del self._items[f"{self._link.stream()}/{name}"]

    def wipe(self) -> None:
        """The queue is deleted too, with what the lead has been handed and has not acked."""
        self.segments()
        self._items.clear()
        with self._link.admin() as channel:
            channel.queue_delete(up(self._link.box))
