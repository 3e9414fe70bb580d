"""`polku courier`: the plain process that ships a node's streams to its leads (`shared.journal.sending`) and takes in
what the leads send (`shared.journal.receiving`)."""

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from services.node.children import tell_parent
from services.node.opening import open_database
from services.node.rounds import assert_plain, one_round, run_rounds
from services.node.uplink import carrier_to
from shared.journal import erasing, holding
from shared.journal.carrier import ERASED, Carrier, Connected, channel_to
from shared.journal.carry_tables import courier_receipt
from shared.journal.crypto import Keys, key_id, load_keys
from shared.journal.directory import lead_stream, members
from shared.journal.filecarrier import FileCarrier
from shared.journal.posting import Members, NodePost
from shared.journal.receiving import Receiver
from shared.journal.returning import Retriever, Returner, Tail, erased_here, write_erased
from shared.journal.sending import Courier, Sent
from shared.ops.logging import setup_logging
from shared.ops.settings import Home, Joined, load_home
from shared.storage import snapshot

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
    _retrievers: dict[Joined, Retriever] = field(default_factory=dict)
    _returners: dict[Joined, Returner] = field(default_factory=dict)
    _told: dict[str, str] = field(default_factory=dict)
    _asked_no_more: set[Joined] = field(default_factory=set)
    _posts: dict[Joined, NodePost] = field(default_factory=dict)
    _results: dict[str, Sent] = field(default_factory=dict)

    def round(self, now: datetime) -> float:
        """One round; after how many seconds the next is due."""
        with one_round(self.home):
            return self._round(now)

    def _round(self, now: datetime) -> float:
        joined = load_home(self.home.path).joined  # a programme may be joined, or an uplink changed, while we run
        self._forget_carriers(joined)
        with snapshot(self.engine) as connection:
            held = holding.is_held(connection)
        took = [self._receive(place, now) for place in joined]
        for place in joined:
            self._returner(place).round(channel_to(self.home.name, place.programme), now)
        if any(took):
            self.heard()
        for place in joined:
            courier = self._couriers.get(place)
            if courier is None:
                courier = self._couriers[place] = _courier(self.engine, self.keys, place, self._carrier(place))
            once = courier.listen if held else courier.round
            self._results.update(once([f"{self.home.name}/{place.programme}"], now))
        if held:
            places = {f"{self.home.name}/{place.programme}": place for place in joined}
            if holding.go_on(self.engine, sorted(places), lambda stream: self._retrieve(places[stream], now)):
                log.info("the leads have answered: the home is no longer held")
                self.heard()
            return WAITING_SECONDS
        for place in joined:
            self._ask_no_more(place)
            self._tell_erased(place, now)
            self._post(place, now)
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

    def _returner(self, place: Joined) -> Returner:
        """What a restored lead has lost of its own stream goes back to it."""
        returner = self._returners.get(place)
        if returner is None:
            lead, sealed_to = bytes.fromhex(place.lead_signing_key), bytes.fromhex(place.lead_receiving_key)
            keys = (self.keys.newest("signing"), {key_id(lead): lead}, sealed_to)
            returner = self._returners[place] = Returner(self.engine, self._carrier(place), *keys)
        return returner

    def _tell_erased(self, place: Joined, now: datetime) -> None:
        """Tell a lead whose database is another one who was erased: it may have them again."""
        stream = f"{self.home.name}/{place.programme}"
        with snapshot(self.engine) as connection:
            told = select(courier_receipt.c.incarnation).where(courier_receipt.c.stream == stream)
            incarnation = connection.execute(told).scalar_one_or_none()
            if incarnation is None or self._told.get(stream) == incarnation:
                return
            digests = erased_here(connection, stream)
        with contextlib.suppress(OSError):
            if digests:
                keys = (self.keys.newest("signing"), bytes.fromhex(place.lead_receiving_key))
                data = write_erased(stream, digests, now, *keys)
                self._carrier(place).write(stream, ERASED, data)
            self._told[stream] = incarnation

    def _retriever(self, place: Joined) -> Retriever:
        retriever = self._retrievers.get(place)
        if retriever is None:
            carrier, signer = self._carrier(place), self.keys.newest("signing")
            keys = (self.keys.privates("receiving"), self.keys.publics("signing"))
            retriever = self._retrievers[place] = Retriever(self.engine, carrier, signer, *keys)
        return retriever

    def _retrieve(self, place: Joined, now: datetime) -> Tail | None:
        """What the lead has and this home has lost, once all of it has come."""
        stream, lead = f"{self.home.name}/{place.programme}", bytes.fromhex(place.lead_signing_key)
        return self._retriever(place).round(stream, stream, {key_id(lead): lead}, now)

    def _ask_no_more(self, place: Joined) -> None:
        """Once in a process's life: whatever an earlier one had asked for has come."""
        if place in self._asked_no_more:
            return
        with contextlib.suppress(OSError):
            self._retriever(place).thank(f"{self.home.name}/{place.programme}")
            self._asked_no_more.add(place)

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
            if isinstance(carrier, Connected):
                carrier.close()
            for made in (self._couriers, self._receivers, self._retrievers, self._returners, self._posts):
                made.pop(place, None)

    def watched(self) -> list[int]:
        """What becomes readable when a lead has sent something by its broker."""
        brokers = [carrier for carrier in self._carriers.values() if isinstance(carrier, Connected)]
        return [descriptor for broker in brokers if (descriptor := broker.fileno()) is not None]

    def _post(self, place: Joined, now: datetime) -> None:
        """Letters from and to other nodes; what the carrier fails at is tried again in the next round."""
        post = self._posts.get(place)
        if post is None:
            ours = (self.home.name, self.keys.newest("signing"))
            post = self._posts[place] = NodePost(self.engine, self._carrier(place), *ours, signing_keys)
        try:
            post.round(place.programme, now)
        except OSError as error:
            log.error("letters were not carried", extra={"error": type(error).__name__})

    def check(self) -> str | None:
        """For `/ready`."""
        trouble = [stream for stream, sent in self._results.items() if sent.failed or sent.conflict]
        return f"not sent: {', '.join(trouble)}" if trouble else None


def signing_keys(connection: Connection, programme: str) -> Members:
    """The programme's nodes that were not expelled, with their signing keys, as the lead's stream says."""
    return {known.node: known.signing for known in members(connection, programme) if not known.expelled}


def _receiver(engine: Engine, keys: Keys, name: str, place: Joined, carrier: Carrier) -> Receiver:
    channel = channel_to(name, place.programme)
    return Receiver(engine, carrier, keys.newest("signing"), keys.privates("receiving"), lambda _stream: channel)


def _courier(engine: Engine, keys: Keys, place: Joined, carrier: Carrier) -> Courier:
    lead = bytes.fromhex(place.lead_signing_key)
    return Courier(
        engine, carrier, keys.newest("signing"), {key_id(lead): lead}, bytes.fromhex(place.lead_receiving_key)
    )
