"""The lead's own stream on its way to the nodes: a courier per admitted node. The lead's receiver process runs them.

A node that is away must cost next to nothing, and a lead has many: a channel is attended to when the lead has recorded
something, every few seconds while the node has not confirmed all of it, and otherwise once a minute.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine, select

from services.reporting import queries
from services.reporting.queries import AdmittedNode
from shared.journal.carrier import Carrier, channel_to
from shared.journal.crypto import Key, key_id
from shared.journal.directory import lead_stream
from shared.journal.sending import Courier, Sent
from shared.journal.tables import journal_head
from shared.storage import snapshot

WAITING = timedelta(seconds=5)
CONFIRMED = timedelta(minutes=1)


@dataclass(slots=True)
class LeadCouriers:
    """The couriers to all admitted nodes."""

    engine: Engine
    carrier: Carrier
    signer: Key
    _couriers: dict[AdmittedNode, Courier] = field(default_factory=dict)
    _sent: dict[str, Sent] = field(default_factory=dict)
    _due: dict[str, datetime] = field(default_factory=dict)

    def round(self, now: datetime) -> None:
        """Attend to the channels that are due."""
        heads = self._heads()
        nodes = queries.admitted_nodes(self.engine)
        self._couriers = {node: courier for node, courier in self._couriers.items() if node in nodes}
        for node in nodes:
            channel, head = channel_to(node.node, node.programme), heads.get(lead_stream(node.programme), 0)
            last = self._sent.get(channel)
            if last is not None and last.head == head and now < self._due[channel]:
                continue
            courier = self._couriers.get(node) or self._courier(node)
            sent = self._sent[channel] = courier.round([channel], now)[channel]
            confirmed = sent.receipt == sent.head and not sent.failed
            self._due[channel] = now + (CONFIRMED if confirmed else WAITING)

    def _courier(self, node: AdmittedNode) -> Courier:
        public = {key_id(node.signing_key): node.signing_key}
        courier = Courier(self.engine, self.carrier, self.signer, public, node.receiving_key)
        self._couriers[node] = courier
        return courier

    def _heads(self) -> dict[str, int]:
        c = journal_head.c
        with snapshot(self.engine) as connection:
            rows = connection.execute(select(c.name, c.seq).where(c.name.like("lead/%")))
            return {row.name: row.seq for row in rows}
