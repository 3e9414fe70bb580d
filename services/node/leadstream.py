"""The lead's own stream on its way to the nodes: a courier per admitted node. The lead's receiver process runs them.
And what a restored node has lost goes back to it.

A restored lead is held (`shared.journal.holding`): it records nothing before every member node has said how far it has
the lead's stream. What a node has beyond the backup comes back the same way (`returning`) and goes into the journal.

A node that is away must cost next to nothing, and a lead has many: a channel is attended to when the lead has recorded
something, every few seconds while the node has not confirmed all of it, and otherwise once a minute.
"""

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from services.reporting import partner_queries, partners
from services.reporting.partner_queries import AdmittedNode
from shared.journal import holding, received
from shared.journal.carrier import KEYS, Carrier, channel_to, stream_of
from shared.journal.crypto import Key
from shared.journal.directory import lead_stream
from shared.journal.holding import AHEAD, held_streams, is_held, release
from shared.journal.planning import receipt_of
from shared.journal.reading import last_numbers
from shared.journal.returning import Retriever, Returner
from shared.journal.sending import Courier, Sent
from shared.ops.clock import parse_wire_time
from shared.storage import snapshot

log = logging.getLogger(__name__)

WAITING = timedelta(seconds=5)
CONFIRMED = timedelta(minutes=1)
SILENT = timedelta(days=1)
"""A restored lead does not wait for a node that has answered and has not moved for so long."""


@dataclass(slots=True)
class LeadCouriers:
    """The couriers to all admitted nodes. `keys_item` says what they are told of our own keys (`terms`)."""

    engine: Engine
    carrier: Carrier
    signer: Key
    receiving: Mapping[str, bytes]
    own: Mapping[str, bytes]
    keys_item: Callable[..., bytes] = lambda *_, **__: b""
    _retrievers: dict[AdmittedNode, Retriever] = field(default_factory=dict)
    _returners: dict[AdmittedNode, Returner] = field(default_factory=dict)
    _couriers: dict[AdmittedNode, Courier] = field(default_factory=dict)
    _sent: dict[str, Sent] = field(default_factory=dict)
    _due: dict[str, datetime] = field(default_factory=dict)
    _asked_no_more: set[AdmittedNode] = field(default_factory=set)

    def round(self, now: datetime) -> None:
        """Attend to the channels that are due."""
        with snapshot(self.engine) as connection:
            heads = last_numbers(connection, "lead/")
        nodes = partner_queries.admitted_nodes(self.engine, now)
        self._couriers = {node: courier for node, courier in self._couriers.items() if node in nodes}
        with snapshot(self.engine) as connection:
            held = is_held(connection)
        if held:
            self._hold(nodes, now)
            return
        for node in nodes:
            self._ask_no_more(node)
            self._returner(node).round(f"{node.node}/{node.programme}", now)
            channel, head = channel_to(node.node, node.programme), heads.get(lead_stream(node.programme), 0)
            last = self._sent.get(channel)
            if last is not None and last.head == head and now < self._due[channel]:
                continue
            courier = self._couriers.get(node) or self._courier(node)
            self._tell_keys(node, now, held=False)
            sent = self._sent[channel] = courier.round([channel], now)[channel]
            confirmed = sent.receipt == sent.head and not sent.failed
            self._due[channel] = now + (CONFIRMED if confirmed else WAITING)

    def _hold(self, nodes: Sequence[AdmittedNode], now: datetime) -> None:
        """Ask every node; take back what one has that we have not; go on when all agree."""
        places = {channel_to(node.node, node.programme): node for node in nodes}
        for channel, node in places.items():
            self._returner(node).round(f"{node.node}/{node.programme}", now)
            self._tell_keys(node, now, held=True)
            (self._couriers.get(node) or self._courier(node)).listen([channel], now)
        reasons = held_streams(self.engine, sorted(places))
        for channel, reason in reasons.items():
            if reason == AHEAD:
                node, stream = places[channel], stream_of(channel)
                if self._retriever(node).round(stream, channel, node.signing, self.own, now):
                    partners.take_back(self.engine, stream)
                    self._retrievers.clear()
                    return  # others may have to be admitted or asked again from there
        if not self._waited_for(reasons, places, now) and release(self.engine):
            log.info("the nodes have answered: the lead is no longer held")

    def _waited_for(self, reasons: Mapping[str, str], places: Mapping[str, AdmittedNode], now: datetime) -> list[str]:
        """The channels whose answer is still to come. A node that has sealed its stream may be gone for good: if
        another one has answered, it is not waited for; nor one that stands lower and has been silent for a day."""
        own = {channel: f"{node.node}/{node.programme}" for channel, node in places.items()}
        with snapshot(self.engine) as connection:
            heads = received.read_heads(connection, own.values())
            silent = {channel for channel in reasons if _is_silent(receipt_of(connection, channel), now)}
        closed = {stream for stream, head in heads.items() if head.state == received.SEALED}
        sealed = {channel for channel, stream in own.items() if stream in closed}
        gone = {holding.WAITING: sealed if len(reasons) < len(places) else set(), holding.BEHIND: silent}
        return [channel for channel, reason in reasons.items() if channel not in gone.get(reason, ())]

    def _retriever(self, node: AdmittedNode) -> Retriever:
        if node not in self._retrievers:
            self._retrievers[node] = Retriever(self.engine, self.carrier, self.signer, self.receiving)
        return self._retrievers[node]

    def _ask_no_more(self, node: AdmittedNode) -> None:
        """Once in a process's life: whatever was asked for after a restore has come."""
        if node not in self._asked_no_more:
            with contextlib.suppress(OSError):
                self._retriever(node).thank(channel_to(node.node, node.programme))
                self._asked_no_more.add(node)

    def _returner(self, node: AdmittedNode) -> Returner:
        if node not in self._returners:
            keys = (self.signer, node.signing, node.receiving_key)
            self._returners[node] = Returner(self.engine, self.carrier, *keys)
        return self._returners[node]

    def _courier(self, node: AdmittedNode) -> Courier:
        courier = Courier(self.engine, self.carrier, self.signer, node.signing, node.receiving_key)
        self._couriers[node] = courier
        return courier

    def _tell_keys(self, node: AdmittedNode, now: datetime, *, held: bool) -> None:
        """Before anything that is signed with a new key."""
        with snapshot(self.engine) as connection:
            item = self.keys_item(connection, node.programme, now, held=held)
        with contextlib.suppress(OSError):  # said again with the next manifest
            if item:
                self.carrier.write(channel_to(node.node, node.programme), KEYS, item)


def _is_silent(receipt: Any, now: datetime) -> bool:
    return receipt is not None and now - parse_wire_time(receipt.time) >= SILENT
