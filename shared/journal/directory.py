"""The partner directory of a programme: whose node is which, under which keys, since when.

It is what the lead's own stream says (``lead/PROGRAMME``): at a node among the received lines, at the lead in its own
journal; `members` reads both places, so the same call works in every home. Nothing is kept beside the lines. At a node
it is as new as the last segment that has come from the lead, and empty before the first.

Anyone of the home may ask: every service's role may read these lines. Call it inside a snapshot or a unit of work.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from shared.contracts.catalogue import FACTS, NodeAdmitted, NodeExpelled
from shared.contracts.facts import Fact
from shared.journal.carry_tables import received_line
from shared.journal.crypto import key_id
from shared.journal.lines import parse
from shared.journal.tables import journal_line

KINDS = (NodeAdmitted.kind, NodeExpelled.kind)


@dataclass(frozen=True, slots=True)
class Member:
    """A partner's node in the programme. Keys are raw public keys (32 bytes), oldest first; the last is the one to
    use, the others verify and open what was made before. `joined` and `expelled` are when the lead recorded it (UTC,
    wire form); `expelled` is None for a member."""

    partner: str
    node: str
    signing_keys: tuple[bytes, ...]
    receiving_keys: tuple[bytes, ...]
    joined: str
    expelled: str | None = None

    @property
    def signing(self) -> Mapping[str, bytes]:
        """Every signing key by its id: what verifies."""
        return {key_id(key): key for key in self.signing_keys}


def lead_stream(programme: str) -> str:
    """The name of the lead's stream of a programme."""
    return f"lead/{programme}"


def members(connection: Connection, programme: str) -> list[Member]:
    """Every node that was ever admitted, in the order of admission; those that were expelled too."""
    found: dict[str, Member] = {}
    for table in (received_line, journal_line):
        query = select(table.c.line).where(table.c.stream == lead_stream(programme), table.c.kind.in_(KINDS))
        for data in connection.execute(query.order_by(table.c.seq)).scalars():
            line = parse(data)
            known = FACTS.get((line.kind, line.v))
            if known is None:  # of a newer release
                continue
            _take(found, known.read(line.subject, line.body), line.recorded_at)
    return list(found.values())


def _take(found: dict[str, Member], fact: Fact, at: str) -> None:
    node = fact["node"]
    if isinstance(fact, NodeAdmitted):
        signing, receiving = (bytes.fromhex(fact[name]) for name in ("signing_key", "receiving_key"))
        found[node] = Member(fact["partner"], node, (signing,), (receiving,), at)
    elif isinstance(fact, NodeExpelled) and node in found:
        found[node] = replace(found[node], expelled=at)


def member(connection: Connection, programme: str, node: str) -> Member | None:
    """The node's entry, also if it was expelled; None if it was never admitted, or the lead has not said so yet."""
    return next((known for known in members(connection, programme) if known.node == node), None)
