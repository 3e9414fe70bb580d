"""The partner directory of a programme: whose node is which, under which keys, since when.

It is what the lead's own stream says (``lead/PROGRAMME``): at a node among the received lines, at the lead in its own
journal; `members` reads both places, so the same call works in every home. Nothing is kept beside the lines. At a node
it is as new as the last segment that has come from the lead, and empty before the first.

Anyone of the home may ask: every service's role may read these lines. Call it inside a snapshot or a unit of work.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlalchemy import Connection, select

from shared.contracts.catalogue import FACTS, LeadKeysChanged, NodeAdmitted, NodeExpelled, NodeKeysChanged
from shared.contracts.facts import Fact
from shared.journal.carry_tables import received_line
from shared.journal.crypto import Key, Keys, key_id
from shared.journal.lines import parse
from shared.journal.renewing import Renewal
from shared.journal.tables import journal_line

KINDS = (NodeAdmitted.kind, NodeExpelled.kind, NodeKeysChanged.kind)


@dataclass(frozen=True, slots=True)
class Member:
    """A partner's node in the programme. Keys are raw public keys (32 bytes), oldest first; the last is the one to
    use, the others verify and open what was made before. Every later pair is vouched for by a signing key before it.
    `until` says of each signing key when it ends ("": it does not), `stated` when the node stated the newest keys ("":
    when it joined), `renewed` when the lead recorded them (the same), `joined` and `expelled` when it recorded that
    (UTC, wire form; `expelled`: None for a member).
    """

    partner: str
    node: str
    signing_keys: tuple[bytes, ...]
    receiving_keys: tuple[bytes, ...]
    joined: str
    expelled: str | None = None
    until: tuple[str, ...] = ("",)
    stated: str = ""
    renewed: str = ""

    @property
    def pairs(self) -> Sequence[tuple[bytes, bytes]]:
        """Signing and receiving key, as they were valid together."""
        return list(zip(self.signing_keys, self.receiving_keys, strict=True))

    def signing(self, now: str) -> Mapping[str, bytes]:
        """The signing keys that are taken at `now` (wire form), by id."""
        valid = zip(self.signing_keys, self.until, strict=True)
        return {key_id(key): key for key, until in valid if not until or until > now}


def lead_stream(programme: str) -> str:
    """The name of the lead's stream of a programme."""
    return f"lead/{programme}"


def members(connection: Connection, programme: str) -> list[Member]:
    """Every node that was ever admitted, in the order of admission; those that were expelled too."""
    found: dict[str, Member] = {}
    had: set[tuple[str, bytes, bytes]] = set()
    for fact, at in lead_facts(connection, programme, KINDS):
        _take(found, fact, at, had)
        if known := found.get(fact["node"]):
            had.add((known.node, known.signing_keys[-1], known.receiving_keys[-1]))
    return list(found.values())


def lead_renewals(connection: Connection, programme: str) -> list[Renewal]:
    """The lead's own changes of keys, as its stream of the programme has them, the oldest first."""
    return [renewal_of(fact) for fact, _ in lead_facts(connection, programme, (LeadKeysChanged.kind,))]


def renewal_of(fact: Fact) -> Renewal:
    """The statement behind a change of keys."""
    home = fact["node"] if isinstance(fact, NodeKeysChanged) else "lead"
    signing, receiving = (bytes.fromhex(fact[name]) for name in ("signing_key", "receiving_key"))
    by, signature = bytes.fromhex(fact["signed_by"]), bytes.fromhex(fact["signature"])
    return Renewal(home, signing, receiving, fact["stated_at"], by, signature)


def members_of(renewal: Renewal) -> dict[str, str]:
    """The inverse: what a fact says of a renewal."""
    keys = {"signing_key": renewal.signing_key.hex(), "receiving_key": renewal.receiving_key.hex()}
    return {**keys, "stated_at": renewal.time, "signed_by": renewal.key.hex(), "signature": renewal.signature.hex()}


def lead_facts(connection: Connection, programme: str, kinds: Sequence[str]) -> Iterator[tuple[Fact, str]]:
    """What the lead's stream says of these kinds, in its order, each with when it was recorded (wire form)."""
    for table in (received_line, journal_line):
        query = select(table.c.line).where(table.c.stream == lead_stream(programme), table.c.kind.in_(kinds))
        for data in connection.execute(query.order_by(table.c.seq)).scalars():
            line = parse(data)
            known = FACTS.get((line.kind, line.v))
            if known is not None:  # else of a newer release
                yield known.read(line.subject, line.body), line.recorded_at


def own_signing(connection: Connection, home: str, programme: str, ours: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """All signing keys that are proved to be those of this home: `ours` (public keys by id, of the key files), and each
    that one of them has vouched for, as the lead's stream tells. A restored home has lost the keys of after its backup;
    what the lead or a node says without such a signature does not count.
    """
    kind = LeadKeysChanged.kind if home == "lead" else NodeKeysChanged.kind
    known = dict(ours)
    for fact, _ in lead_facts(connection, programme, (kind,)):
        renewal = renewal_of(fact)
        if renewal.home == home and known.get(key_id(renewal.key)) == renewal.key and _holds(renewal):
            known[key_id(renewal.signing_key)] = renewal.signing_key
    return known


def _take(found: dict[str, Member], fact: Fact, at: str, had: Set[tuple[str, bytes, bytes]]) -> None:
    node = fact["node"]
    if isinstance(fact, NodeAdmitted):
        signing, receiving = (bytes.fromhex(fact[name]) for name in ("signing_key", "receiving_key"))
        if (node, signing, receiving) not in had:  # else it would bring keys back that the node gave up
            found[node] = Member(fact["partner"], node, (signing,), (receiving,), at)
    elif isinstance(fact, NodeKeysChanged) and node in found:
        found[node] = _renewed(found[node], renewal_of(fact), fact["until"], at)
    elif isinstance(fact, NodeExpelled) and node in found:
        found[node] = replace(found[node], expelled=at)


def _renewed(known: Member, renewal: Renewal, until: str, at: str) -> Member:
    """With the keys that the node has stated. What no key of it that was taken then has signed is the lead's word
    alone, and an old statement that the lead records again would bring keys back that the node gave up: neither
    counts."""
    valid = zip(reversed(known.signing_keys), reversed(known.until), strict=True)  # mostly the newest has signed
    taken = any(key == renewal.key and (not until or until > at) for key, until in valid)
    if not taken or renewal.time <= known.stated or not _holds(renewal):
        return known
    pairs = zip(known.signing_keys, known.until, strict=True)
    ends = tuple("" if key == renewal.signing_key else end or until for key, end in pairs)
    return replace(
        known,
        signing_keys=(*known.signing_keys, renewal.signing_key),
        receiving_keys=(*known.receiving_keys, renewal.receiving_key),
        until=(*ends, ""),
        stated=renewal.time,
        renewed=at,
    )


@lru_cache(maxsize=10_000)
def _holds(renewal: Renewal) -> bool:
    """Each is verified once in a process's life: the directory is read several times a round, and only grows."""
    return renewal.holds()


def member(connection: Connection, programme: str, node: str) -> Member | None:
    """The node's entry, also if it was expelled; None if it was never admitted, or the lead has not said so yet."""
    return next((known for known in members(connection, programme) if known.node == node), None)


def signer_of(keys: Keys, own: Member | None) -> Key:
    """The newest signing key of ours that the directory lists; while it does not list us, our newest."""
    ours = {key.public: key for key in keys.all if key.name == "signing" and key.private is not None}
    listed = [ours[key] for key in (own.signing_keys if own else ()) if key in ours]
    return listed[-1] if listed else keys.newest("signing")
