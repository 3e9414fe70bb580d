"""`polku courier`: the plain process that ships a node's streams to its leads (`shared.journal.sending`) and takes in
what the leads send (`shared.journal.receiving`)."""

import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine

from services.node.children import tell_parent
from services.node.opening import open_database
from services.node.rounds import assert_plain, one_round, run_rounds
from services.node.terms import NodeStatements, Terms, expelled, learn, note_expulsion, terms_of
from services.node.uplink import carrier_to
from shared.contracts.errors import HomeUnusable
from shared.journal import closing, erasing, holding
from shared.journal.carrier import ERASED, Carrier, Connected, channel_to
from shared.journal.crypto import Keys, current_keys
from shared.journal.directory import lead_stream, members
from shared.journal.filecarrier import FileCarrier
from shared.journal.planning import receipt_of
from shared.journal.posting import Members, NodePost
from shared.journal.receiving import Receiver
from shared.journal.returning import Retriever, Returner, Tail, ended_here, erased_here, write_erased
from shared.journal.segment import Reason
from shared.journal.sending import Courier, Sent, failing, failures_total, waits_for_nothing
from shared.journal.unit import last_position
from shared.ops.clock import utcnow, wire_time
from shared.ops.logging import setup_logging
from shared.ops.settings import Home, Joined, load_home
from shared.storage import snapshot

log = logging.getLogger(__name__)

IDLE_SECONDS = 5.0
LOOK_FOR_KEYS = timedelta(minutes=1)
"""Whether a lead states new keys is looked at so often, and when something that it sent says so."""
WAITING_SECONDS = 0.5
"""Between looks for a receipt that is due."""


def run_courier(home: Home, health_port: int | None = None, *, child: bool) -> None:
    """Ship this node's streams until told to stop."""
    assert_plain()
    setup_logging("courier")
    work = CourierRounds(home, open_database(home), tell_parent if child else lambda: None)
    run_rounds(home, work.round, {"streams": work.check}, health_port, child=child, watched=work.watched)


@dataclass(slots=True)
class CourierRounds:
    """What the courier does in a round: all streams of all programmes that the node has joined, both ways. `heard`
    is called when a lead's lines have come; `folder` takes the place of the uplinks."""

    home: Home
    engine: Engine
    heard: Callable[[], None] = lambda: None
    folder: Path | None = None
    _statements: NodeStatements = field(init=False)
    _terms: dict[Joined, Terms] = field(default_factory=dict)
    _carriers: dict[Joined, Carrier] = field(default_factory=dict)
    _couriers: dict[Joined, Courier] = field(default_factory=dict)
    _receivers: dict[Joined, Receiver] = field(default_factory=dict)
    _retrievers: dict[Joined, Retriever] = field(default_factory=dict)
    _returners: dict[Joined, Returner] = field(default_factory=dict)
    _looked: dict[Joined, datetime] = field(default_factory=dict)
    _told: dict[str, str] = field(default_factory=dict)
    _erased: dict[str, str] = field(default_factory=dict)
    _asked_no_more: set[Joined] = field(default_factory=set)
    _posts: dict[Joined, NodePost] = field(default_factory=dict)
    _results: dict[str, Sent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._statements = NodeStatements(self.home.name)

    def round(self, now: datetime) -> float:
        """One round; after how many seconds the next is due."""
        with one_round(self.home):
            return self._round(now)

    def _round(self, now: datetime) -> float:
        # A programme may be joined or left, or an uplink changed, while we run.
        joined = [place for place in load_home(self.home.path).joined if not place.gone_at]
        keys = current_keys(self.home.keys)
        with snapshot(self.engine) as connection:
            held = holding.is_held(connection)
            terms = {place: terms_of(connection, self.home.name, place, keys, now) for place in joined}
        self._agree(terms)
        streams = sorted(f"{self.home.name}/{place.programme}" for place in joined)
        joined = [place for place in joined if self._is_reachable(place)]
        for place in joined:
            self._state_keys(place, keys, now, held=held)
        took = [self._receive(place, now) for place in joined]
        for place in joined:
            self._returner(place).round(channel_to(self.home.name, place.programme), now)
        if any(took):
            self.heard()
        for place in joined:
            courier = self._couriers.get(place)
            if courier is None:
                agreed = terms[place]
                courier = Courier(self.engine, self._carrier(place), agreed.signer, agreed.peer, agreed.sealed_to)
                self._couriers[place] = courier
            once = courier.listen if held else courier.round
            self._results.update(once([f"{self.home.name}/{place.programme}"], now))
        if held:
            places = {f"{self.home.name}/{place.programme}": place for place in joined}
            if holding.go_on(self.engine, streams, lambda stream: self._retrieve(places.get(stream), now)):
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
            channel, terms = channel_to(self.home.name, place.programme), self._terms[place]
            agreed = (self._carrier(place), terms.signer, terms.opens)
            receiver = Receiver(self.engine, *agreed, lambda _stream: channel)
            self._receivers[place] = receiver
        took = receiver.round({lead_stream(place.programme): self._terms[place].peer}, now)
        due = now - self._looked.get(place, now - LOOK_FOR_KEYS) >= LOOK_FOR_KEYS
        if due or took.progress or took.refused[Reason.UNKNOWN_KEY]:  # a change of keys is a line too
            self._looked[place] = now
            with contextlib.suppress(OSError):
                note_expulsion(self.home, place, self._carrier(place), self._terms[place])
                learn(self.home, place, self._carrier(place), now)
        return took.progress

    def _state_keys(self, place: Joined, keys: Keys, now: datetime, *, held: bool) -> None:
        try:
            self._statements.round(place, self._terms[place], keys, self._carrier(place), now, held=held)
        except OSError as error:
            log.error("new keys were not stated", extra={"error": type(error).__name__})

    def _returner(self, place: Joined) -> Returner:
        """What a restored lead has lost of its own stream goes back to it."""
        returner = self._returners.get(place)
        if returner is None:
            terms = self._terms[place]
            agreed = (terms.signer, terms.peer, terms.sealed_to)
            returner = self._returners[place] = Returner(self.engine, self._carrier(place), *agreed)
        return returner

    def _tell_erased(self, place: Joined, now: datetime) -> None:
        """Tell a lead whose database is another one who was erased: it may have them again. And always where the stream
        is sealed: no line can say it any more."""
        stream = f"{self.home.name}/{place.programme}"
        with snapshot(self.engine) as connection:
            receipt = receipt_of(connection, stream)
            incarnation = receipt.incarnation if receipt else None
            sealed = closing.state_of(connection, self.home.name, place.programme) == closing.SEALED
            looked = f"{incarnation} {last_position(connection) if sealed else ''}"
            if incarnation is None or self._told.get(stream) == looked:
                return
            digests = erased_here(connection, stream)
            ended = ended_here(connection, self.home.name, place.programme) if sealed else []
        said = f"{incarnation} {hash((tuple(digests), tuple(ended)))}"
        with contextlib.suppress(OSError):
            if (digests or ended) and self._erased.get(stream) != said:
                terms = self._terms[place]
                data = write_erased(stream, digests, now, terms.signer, terms.sealed_to, ended)
                self._carrier(place).write(stream, ERASED, data)
                self._erased[stream] = said
            self._told[stream] = looked

    def _retriever(self, place: Joined) -> Retriever:
        retriever = self._retrievers.get(place)
        if retriever is None:
            keys = (self._terms[place].signer, self._terms[place].opens)
            retriever = self._retrievers[place] = Retriever(self.engine, self._carrier(place), *keys)
        return retriever

    def _retrieve(self, place: Joined | None, now: datetime) -> Tail | None:
        """What the lead has and this home has lost, once all of it has come; None: the lead cannot be asked now."""
        if place is None:
            return None
        stream = f"{self.home.name}/{place.programme}"
        ours = current_keys(self.home.keys).publics("signing")
        return self._retriever(place).round(stream, stream, self._terms[place].peer, ours, now)

    def _ask_no_more(self, place: Joined) -> None:
        """Once in a process's life: whatever an earlier one had asked for has come."""
        if place in self._asked_no_more:
            return
        with contextlib.suppress(OSError):
            self._retriever(place).thank(f"{self.home.name}/{place.programme}")
            self._asked_no_more.add(place)

    def _is_reachable(self, place: Joined) -> bool:
        """Whether the home has what the carrier to this lead needs; looked at again in each round. If it has not, no
        other lead waits for it."""
        stream = f"{self.home.name}/{place.programme}"
        try:
            self._carrier(place)
        except HomeUnusable as error:
            failures_total.inc()
            failing.labels(stream).set(True)
            log.error("a stream was not sent", extra={"stream": stream, "why": str(error)})
            self._results[stream] = Sent(failed=True)
            return False
        return True

    def _carrier(self, place: Joined) -> Carrier:
        """The one carrier for both directions."""
        carrier = self._carriers.get(place)
        if carrier is None:
            carrier = (
                FileCarrier(self.folder) if self.folder else carrier_to(self.home, place, self._terms[place].signer)
            )
            self._carriers[place] = carrier
        return carrier

    def _agree(self, terms: Mapping[Joined, Terms]) -> None:
        """Go on under these terms; what was made for a place that is left, or under others, is made anew."""
        changed = [place for place, before in self._terms.items() if terms.get(place) != before]
        self._terms = dict(terms)
        streams = {f"{self.home.name}/{place.programme}" for place in terms}
        self._results = {stream: sent for stream, sent in self._results.items() if stream in streams}
        for place in changed:
            if (stream := f"{self.home.name}/{place.programme}") not in streams:
                waits_for_nothing(stream)
            carrier = self._carriers.pop(place, None)
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
            ours = (self.home.name, self._terms[place].signer)
            post = self._posts[place] = NodePost(self.engine, self._carrier(place), *ours, signing_keys)
        try:
            post.round(place.programme, now)
        except OSError as error:
            log.error("letters were not carried", extra={"error": type(error).__name__})

    def check(self) -> str | None:
        """For `/ready`."""
        trouble = [stream for stream, sent in self._results.items() if sent.failed or sent.conflict]
        said = [f"not sent: {', '.join(trouble)}"] if trouble else []
        strange = [place.programme for place, terms in self._terms.items() if terms.strange]
        # After a restore until ours are listed again; else a key was stolen.
        said += [f"listed with keys that this node does not have: {', '.join(strange)}"] if strange else []
        return "; ".join([*said, *filter(None, [expelled(self.home)])]) or None


def signing_keys(connection: Connection, programme: str) -> Members:
    """The programme's nodes that were not expelled, with their signing keys, as the lead's stream says."""
    now = wire_time(utcnow())
    return {known.node: known.signing(now) for known in members(connection, programme) if not known.expelled}
