"""The two plain processes: a node's **courier** ships its streams, a lead's **receiver** takes them in.

What must be exact runs here, without eventlet (architecture §5); both assert that it is not loaded. Each is a loop
around one function: a round when a byte comes on standard input (`--child`), and every few seconds anyway.
"""

import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from services.node.opening import open_database
from services.reporting import operations, queries
from shared.contracts.errors import HomeUnusable, InvalidInvite, PartnerAlreadyJoined
from shared.journal import Journal
from shared.journal.crypto import Keys, key_id, load_keys
from shared.journal.filecarrier import FileCarrier
from shared.journal.joining import MAX_JOIN, open_join
from shared.journal.receiving import Receiver
from shared.journal.sending import Courier, Sent
from shared.ops.clock import utcnow
from shared.ops.health import Check, HealthServer
from shared.ops.logging import setup_logging
from shared.ops.metrics import counter, gauge
from shared.ops.settings import Home, Joined, load_home

log = logging.getLogger(__name__)

COURIER_SECONDS = 5.0
RECEIVER_SECONDS = 2.0
"""A folder cannot wake anybody, so it is looked at."""
SOON_SECONDS = 0.5

round_at = gauge("polku_plain_last_round_timestamp_seconds", "When the last round of courier or receiver ended")
joins_total = counter("polku_receiver_joins_total", "Answers to invites that came, by outcome", "outcome")


def assert_plain() -> None:
    """Refuse to run where threads and sockets are green."""
    if "eventlet" in sys.modules:
        raise RuntimeError("this process must be exact: eventlet may not be loaded in it")


def folder_of(uplink: str) -> Path:
    """The folder of a ``file:`` uplink."""
    parts = urlsplit(uplink)
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise HomeUnusable(home="-", reason="uplink: only file:/an/absolute/folder is in this release")
    return Path(unquote(parts.path))


def run_courier(home: Home, *, child: bool) -> None:
    """Ship this node's streams until told to stop."""
    assert_plain()
    setup_logging("courier")
    engine, keys = open_database(home), load_keys(home.keys)
    couriers: dict[Joined, Courier] = {}
    results: dict[str, Sent] = {}

    def round_(now: datetime) -> bool:
        for place in load_home(home.path).joined:  # a programme may be joined while we run
            courier = couriers.get(place) or couriers.setdefault(place, _courier(engine, keys, place))
            results.update(courier.round([f"{home.name}/{place.programme}"], now))
        return any(sent.written or sent.receipt < sent.head for sent in results.values())

    def check() -> str | None:
        trouble = [stream for stream, sent in results.items() if sent.failed or sent.conflict]
        return f"not sent: {', '.join(trouble)}" if trouble else None

    _loop(home, round_, {"streams": check}, COURIER_SECONDS, child=child)


def _courier(engine: Engine, keys: Keys, place: Joined) -> Courier:
    lead = bytes.fromhex(place.lead_signing_key)
    carrier = FileCarrier(folder_of(place.uplink))
    return Courier(
        engine, carrier, keys.newest("signing"), {key_id(lead): lead}, bytes.fromhex(place.lead_receiving_key)
    )


def run_receiver(home: Home, *, child: bool) -> None:
    """Take in what the partners' nodes have sent, and derive the figures, until told to stop."""
    assert_plain()
    setup_logging("receiver")
    engine, keys = open_database(home), load_keys(home.keys)
    carrier = FileCarrier(home.inbox)
    receiver = Receiver(engine, carrier, keys.newest("signing"), keys.privates("receiving"))
    joins = _Joins(home, engine, keys, carrier)

    def round_(now: datetime) -> bool:
        joins.round(now)
        took = receiver.round(queries.admitted_keys(engine), now)
        return operations.derive(engine) or took.progress

    _loop(home, round_, {}, RECEIVER_SECONDS, child=child)


@dataclass(slots=True)
class _Joins:
    """The answers to invites that come through the carrier; each content is looked at once."""

    home: Home
    engine: Engine
    keys: Keys
    carrier: FileCarrier
    _seen: set[bytes] = field(default_factory=set)

    def round(self, now: datetime) -> None:
        """Admit the nodes whose answers have come."""
        for data in self.carrier.read_joins(MAX_JOIN):
            digest = sha256(data).digest()
            if digest in self._seen:
                continue
            self._seen.add(digest)
            try:
                join = open_join(data, list(self.keys.privates("receiving").values()))
                new = operations.accept_join(Journal(self.engine, self.home.name), join, now)
            except (InvalidInvite, PartnerAlreadyJoined) as error:
                joins_total.labels("refused").inc()
                log.warning("an answer to an invite was refused", extra={"why": error.code})
            else:
                joins_total.labels("admitted" if new else "known").inc()


def _loop(
    home: Home, round_: Callable[[datetime], bool], checks: Mapping[str, Check], every: float, *, child: bool
) -> None:
    """Rounds, `every` so many seconds, until SIGTERM, SIGINT or, for a child, the end of standard input; sooner while there is more to do."""
    stopping = threading.Event()
    reader, writer = os.pipe()

    def stop(*_: object) -> None:
        stopping.set()
        os.write(writer, b"x")

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    state = _Rounds()
    HealthServer(home.host, home.child_port, {"rounds": state.check, **checks}).start()
    inputs = [reader, sys.stdin.fileno()] if child else [reader]
    while not stopping.is_set():
        more = state.run(round_)
        readable, _, _ = select.select(inputs, [], [], SOON_SECONDS if more else every)
        if child and sys.stdin.fileno() in readable and not os.read(sys.stdin.fileno(), 65536):
            return


@dataclass(slots=True)
class _Rounds:
    """Runs rounds and knows whether the last one went well."""

    failed: str | None = None

    def run(self, round_: Callable[[datetime], bool]) -> bool:
        """One round; a database that does not answer now is tried again, anything else ends the process."""
        try:
            more = round_(utcnow())
        except OperationalError as error:
            log.error("a round failed", exc_info=error)
            self.failed = type(error).__name__
            return False
        self.failed = None
        round_at.set_to_current_time()
        return more

    def check(self) -> str | None:
        """For `/ready`."""
        return f"the last round failed: {self.failed}" if self.failed else None
