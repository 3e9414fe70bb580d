"""With which keys a node and a lead talk now; and how they tell each other of new ones (`shared.journal.renewing`)."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from shared.journal.carrier import EXPELLED, KEYS, Carrier, channel_to
from shared.journal.crypto import Key, Keys, key_id
from shared.journal.directory import lead_renewals, member, signer_of
from shared.journal.expelling import MAX_EXPELLED, read_expelled
from shared.journal.renewing import MAX_KEYS, MOST, Pinned, Renewal, follow, read_renewals, renew
from shared.ops.clock import parse_wire_time, wire_time
from shared.ops.settings import Home, Joined, load_home

log = logging.getLogger(__name__)

AGAIN = timedelta(minutes=2)
"""Keys that are not listed yet are stated again so often: what a queue has lost comes back."""


@dataclass(frozen=True, slots=True)
class Terms:
    """A node's side: the key it signs with, the lead's public signing keys that it takes, the one it seals to, our
    receiving keys by id; which of our keys the directory lists as newest, None while it does not list us; and whether
    those are not in our key files."""

    signer: Key
    lead: tuple[bytes, ...]
    sealed_to: bytes
    opens: Mapping[str, bytes] = field(repr=False)
    listed: tuple[bytes, bytes] | None
    strange: bool = False

    @property
    def peer(self) -> Mapping[str, bytes]:
        """The lead's signing keys by id."""
        return {key_id(key): key for key in self.lead}


def pinned(place: Joined) -> Pinned:
    """The lead's keys as home.toml has them."""
    former = (entry.partition("@") for entry in place.lead_former_keys.split())
    keys = bytes.fromhex(place.lead_signing_key), bytes.fromhex(place.lead_receiving_key)
    return Pinned(*keys, place.lead_keys_at, tuple((bytes.fromhex(key), until) for key, _, until in former))


def pin(place: Joined, known: Pinned) -> Joined:
    """The place with these keys of its lead."""
    return replace(
        place,
        lead_signing_key=known.signing_key.hex(),
        lead_receiving_key=known.receiving_key.hex(),
        lead_keys_at=known.at,
        lead_former_keys=" ".join(f"{key.hex()}@{until}" for key, until in known.former),
    )


def terms_of(connection: Connection, node: str, place: Joined, keys: Keys, now: datetime) -> Terms:
    """What holds now between the node and the lead of `place`."""
    known = pinned(place)
    own = member(connection, place.programme, node)
    listed = own.pairs[-1] if own else None
    lead, opens = tuple(known.signing(now).values()), keys.privates("receiving")
    strange = listed is not None and not _has(keys, *listed)
    return Terms(signer_of(keys, own), lead, known.receiving_key, opens, listed, strange)


def _has(keys: Keys, signing: bytes, receiving: bytes) -> bool:
    return signing in keys.publics("signing").values() and receiving in keys.publics("receiving").values()


def strange_keys(connection: Connection, node: str, programme: str, keys: Keys, now: datetime) -> list[str]:
    """The ids of the signing keys that the directory takes as ours, or of the newest pair, and that are not in our key
    files: whoever has them signs as this node. After a restore they are those that went with the lost disk."""
    own = member(connection, programme, node)
    if own is None:
        return []
    ours = keys.publics("signing").values()
    strange = {name for name, key in own.signing(wire_time(now)).items() if key not in ours}
    return sorted(strange | ({key_id(own.signing_keys[-1])} if not _has(keys, *own.pairs[-1]) else set()))


@dataclass(slots=True)
class NodeStatements:
    """A node's word to its leads about its new keys, until their directories list them."""

    node: str
    _said: dict[Joined, tuple[tuple[bytes, bytes], datetime]] = field(default_factory=dict)

    def round(self, place: Joined, terms: Terms, keys: Keys, carrier: Carrier, now: datetime, *, held: bool) -> None:
        """State our newest keys if the directory lists others. A held home states them anyway: the directory that it
        has is as old as its backup."""
        pair, channel = keys.pair(), f"{self.node}/{place.programme}"
        said, at = self._said.get(place, (None, now))
        if terms.listed in (None, pair) and not held:
            if said is not None:
                carrier.delete(channel, KEYS)
                del self._said[place]
        elif said != pair or now - at >= AGAIN:
            carrier.write(channel, KEYS, renew(self.node, *pair, terms.signer, now).write())
            self._said[place] = pair, now


def note_expulsion(home: Home, place: Joined, carrier: Carrier, terms: Terms) -> None:
    """If the lead says that this node is expelled, whoever reads home.toml next knows: nothing more is shipped."""
    stream = f"{home.name}/{place.programme}"
    data = carrier.read(channel_to(home.name, place.programme), EXPELLED, MAX_EXPELLED + 1)
    at = read_expelled(data or b"", stream, terms.peer)
    if at is not None:
        _change(home, place.programme, lambda there: replace(there, expelled_at=at))
        log.warning("this node is expelled; nothing more is shipped", extra={"programme": place.programme, "at": at})


def _change(home: Home, programme: str, change: Callable[[Joined], Joined]) -> bool:
    """Change what home.toml says of the programme now, which somebody may have edited since the round began; whether
    that changed anything. A programme that was left meanwhile stays so."""
    now = load_home(home.path)
    for there in now.joined:
        if there.programme == programme and (changed := change(there)) != there:
            now.with_programme(changed).save()
            return True
    return False


def expelled(home: Home) -> str | None:
    """For `/ready`: of which streams the lead takes nothing any more, since when."""
    places = [place for place in load_home(home.path).joined if place.expelled_at]
    return "; ".join(f"{home.name}/{p.programme}: expelled by the lead on {p.expelled_at}" for p in places) or None


def learn(home: Home, place: Joined, carrier: Carrier, now: datetime) -> None:
    """Follow the lead's renewals from the key that is pinned; whoever reads home.toml next has the new one."""
    data = carrier.read(channel_to(home.name, place.programme), KEYS, MAX_KEYS + 1)
    said = read_renewals(data or b"")
    if _change(home, place.programme, lambda there: pin(there, follow(pinned(there), said, now))):
        log.warning("the lead has new keys, vouched for by those before", extra={"programme": place.programme})


@dataclass(slots=True)
class LeadStatements:
    """A lead's word to its nodes about its own keys: all renewals on its stream of the programme, and, while that may
    not be written, one that is not there yet."""

    own: Keys
    _fresh: dict[str, Renewal] = field(default_factory=dict)

    def item(self, connection: Connection, programme: str, now: datetime, *, held: bool) -> bytes:
        """The item for the programme's nodes; empty if there is nothing to say."""
        said = lead_renewals(connection, programme)
        if held and programme not in self._fresh:
            self._fresh[programme] = renew("lead", *self.own.pair(), self.own.newest("signing"), now)
        said += [self._fresh[programme]] if held else []
        return b"".join(renewal.write() for renewal in said[-MOST:])


def signer_when(connection: Connection, programme: str, keys: Keys, at: str) -> Key:
    """The key that the lead signed with at that time (wire form): a node that was told nothing since has it pinned."""
    ours = _signing(keys)
    said = [ours[r.signing_key] for r in lead_renewals(connection, programme) if r.time <= at and r.signing_key in ours]
    return said[-1] if said else min(ours.values(), key=lambda key: key.number)


def _signing(keys: Keys) -> dict[bytes, Key]:
    """Our signing keys by their public halves."""
    return {key.public: key for key in keys.all if key.name == "signing" and key.public and key.private is not None}


def due_renewal(connection: Connection, programme: str, keys: Keys, now: datetime) -> Renewal | None:
    """The lead's statement that its stream of the programme lacks: its newest keys are others than it last said."""
    said = lead_renewals(connection, programme)
    pair = keys.pair()
    ours = _signing(keys)
    if said:
        if said[-1].keys == pair:
            return None
        before = ours.get(said[-1].signing_key)
        # Nobody follows what is older than what he followed last, and a clock may have been put back.
        now = max(now, parse_wire_time(said[-1].time) + timedelta(microseconds=1))
    else:
        oldest = [min((k for k in keys.all if k.name == n), key=lambda k: k.number) for n in ("signing", "receiving")]
        if (oldest[0].public, oldest[1].public) == pair:
            return None
        before = ours.get(oldest[0].public or b"")
    return renew("lead", *pair, before or keys.newest("signing"), now)
