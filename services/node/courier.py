"""`polku courier`: the plain process that ships a node's streams to its leads (`shared.journal.sending`) and takes in
what the leads send (`shared.journal.receiving`)."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from services.node.children import tell_parent
from services.node.opening import open_database
from services.node.rounds import assert_plain, one_round, run_rounds
from services.node.uplink import carrier_to
from shared.journal import erasing, holding
from shared.journal.amqpcarrier import AmqpCarrier
from shared.journal.carrier import Carrier, channel_to
from shared.journal.crypto import Keys, key_id, load_keys
from shared.journal.directory import lead_stream
from shared.journal.filecarrier import FileCarrier
from shared.journal.receiving import Receiver
from shared.journal.sending import Courier, Sent
from shared.ops.logging import setup_logging
from shared.ops.settings import Home, Joined, load_home

log = logging.getLogger(__name__)

IDLE_SECONDS = 5.0
WAITING_SECONDS = 0.5
"""Between looks for a receipt that is due."""


def run_courier(home: Home, health_port: int | None = None, *, child: bool) -> None:
    """Ship this node's streams until told to stop."""
    assert_plain()
    setup_logging("courier")
    work = CourierRounds(home, open_database(home), load_keys(home.keys), tell_parent if child else lambda: None)
    run_rounds(home, work.round, {"streams": work.check}, health_port, child=child, watched=work.watched)


@dataclass(slots=True)
class CourierRounds:
    """What the courier does in a round: all streams of all programmes that the node has joined, both ways. `heard`
    is called when a lead's lines have come; `folder` takes the place of the uplinks."""

    home: Home
    engine: Engine
    keys: Keys
    heard: Callable[[], None] = lambda: None
    folder: Path | None = None
    _carriers: dict[Joined, Carrier] = field(default_factory=dict)
    _couriers: dict[Joined, Courier] = field(default_factory=dict)
    _receivers: dict[Joined, Receiver] = field(default_factory=dict)
    _results: dict[str, Sent] = field(default_factory=dict)

    def round(self, now: datetime) -> float:
        """One round; after how many seconds the next is due."""
        with one_round(self.home):
            return self._round(now)

    def _round(self, now: datetime) -> float:
        joined = load_home(self.home.path).joined  # a programme may be joined, or an uplink changed, while we run
        self._forget_carriers(joined)
        held = bool(still_held(self.engine, self.home.name, joined))
        took = [self._receive(place, now) for place in joined]
        if any(took):
            self.heard()
        for place in joined:
            courier = self._couriers.get(place)
            if courier is None:
                courier = self._couriers[place] = _courier(self.engine, self.keys, place, self._carrier(place))
            once = courier.listen if held else courier.round
            self._results.update(once([f"{self.home.name}/{place.programme}"], now))
        if held:
            if not still_held(self.engine, self.home.name, joined):
                log.info("the leads have answered: the home is no longer held")
            return WAITING_SECONDS
        finished = erasing.finish(self.engine)
        erasing.scrub(self.engine)
        waiting = any(sent.receipt < sent.head and not sent.failed for sent in self._results.values())
        return 0.0 if finished or any(took) else WAITING_SECONDS if waiting else IDLE_SECONDS

    def _receive(self, place: Joined, now: datetime) -> bool:
        """Take in what the lead has sent; whether any line was new."""
        receiver = self._receivers.get(place)
        if receiver is None:
            receiver = self._receivers[place] = _receiver(
                self.engine, self.keys, self.home.name, place, self._carrier(place)
            )
        lead = bytes.fromhex(place.lead_signing_key)
        return receiver.round({lead_stream(place.programme): {key_id(lead): lead}}, now).progress

    def _carrier(self, place: Joined) -> Carrier:
        """The one carrier for both directions."""
        carrier = self._carriers.get(place)
        if carrier is None:
            carrier = FileCarrier(self.folder) if self.folder else carrier_to(self.home, place, self.keys)
            self._carriers[place] = carrier
        return carrier

    def _forget_carriers(self, joined: Sequence[Joined]) -> None:
        for place in self._carriers.keys() - set(joined):
            carrier = self._carriers.pop(place)
            if isinstance(carrier, AmqpCarrier):
                carrier.close()
            self._couriers.pop(place, None)
            self._receivers.pop(place, None)

    def watched(self) -> list[int]:
        """What becomes readable when a lead has sent something by its broker."""
        brokers = [carrier for carrier in self._carriers.values() if isinstance(carrier, AmqpCarrier)]
        return [descriptor for broker in brokers if (descriptor := broker.fileno()) is not None]

    def check(self) -> str | None:
        """For `/ready`."""
        trouble = [stream for stream, sent in self._results.items() if sent.failed or sent.conflict]
        return f"not sent: {', '.join(trouble)}" if trouble else None


def still_held(engine: Engine, name: str, joined: Sequence[Joined]) -> dict[str, str]:
    """Why the home is held, per stream; ends the hold when all leads have answered. Empty: it is not held."""
    streams = [f"{name}/{place.programme}" for place in joined]
    reasons = holding.held_streams(engine, streams)
    if not reasons:
        holding.release(engine)
    return reasons


def _receiver(engine: Engine, keys: Keys, name: str, place: Joined, carrier: Carrier) -> Receiver:
    channel = channel_to(name, place.programme)
    return Receiver(engine, carrier, keys.newest("signing"), keys.privates("receiving"), lambda _stream: channel)


def _courier(engine: Engine, keys: Keys, place: Joined, carrier: Carrier) -> Courier:
    lead = bytes.fromhex(place.lead_signing_key)
    return Courier(
        engine, carrier, keys.newest("signing"), {key_id(lead): lead}, bytes.fromhex(place.lead_receiving_key)
    )
