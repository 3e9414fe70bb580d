"""Other partners' nodes: recognising them by six words, and the letters that come from those that were recognised.

The lead says whose keys are whose, and might say it wrongly. So nobody is handed a tag key, and no letter is taken,
before people at both ends have read each other the six words of their keys by another way (telephone, a meeting).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from services.intake import store
from shared.contracts.errors import InvalidInput, NodeNotConfirmed, NotFound
from shared.journal import Journal, Unit
from shared.journal.crypto import Key, Keys
from shared.journal.directory import Member, member, members, signer_of
from shared.journal.fingerprint import fingerprint, read_fingerprint
from shared.journal.post import write_letter
from shared.journal.posting import put_letter, waiting_for
from shared.journal.unit import new_id
from shared.ops.clock import wire_time


@dataclass(frozen=True, slots=True)
class Desk:
    """What a node writes and opens letters with: its name, its keys, its key files."""

    node: str
    keys: Keys
    directory: Path

    @property
    def opens(self) -> Mapping[str, bytes]:
        """Its receiving keys by id."""
        return self.keys.privates("receiving")

    def signer(self, connection: Connection, programme: str) -> Key:
        """The key that the others know it by (`directory.signer_of`)."""
        return signer_of(self.keys, member(connection, programme, self.node))

    def words(self, known: Member) -> str:
        """Its own six words, of key files that are here: of the newest that the directory lists, so that others see
        the same; what the lead lists that is not ours does not count."""
        ours = {*self.keys.publics("signing").values(), *self.keys.publics("receiving").values()}
        listed = [pair for pair in known.pairs if ours.issuperset(pair)]
        return words_of(*(listed[-1] if listed else self.keys.pair()))


def words_of(signing: bytes, receiving: bytes) -> str:
    """A node's six words: of both its public keys, so that neither can be exchanged."""
    return fingerprint(signing + receiving)


def _words(known: Member) -> set[str]:
    """The words of each pair of keys that the node has had: the later ones are vouched for by those before, so whoever
    has heard the words of one knows the node (0175)."""
    return {words_of(*pair) for pair in known.pairs}


def list_nodes(connection: Connection, desk: Desk, programme: str) -> dict[str, Any]:
    """``{"steward", "key_nos", "nodes"}``; a node has `partner`, `node`, `words`, `own`, `expelled` and `state`:
    "confirmed", "unconfirmed", or "changed" if it was confirmed with other keys. Own words are of our own keys.

    `tag_key`, where we know it: "has" it, "on_its_way" (as long as a letter to the node waits), or "waits" to be
    confirmed first. Only the steward's node knows of others; everybody knows of the steward.
    """
    definition = store.shelf.get(connection, programme)
    confirmed = store.peers(connection, programme)
    keys = [key.key_no for key in store.tag_keys(connection, programme)]
    steward, on_their_way = definition.tag.steward if definition.tag else None, waiting_for(connection, programme)
    is_steward = any(known.node == desk.node and known.partner == steward for known in members(connection, programme))
    nodes = []
    for known in members(connection, programme):
        own, said = known.node == desk.node, confirmed.get((programme, known.node))
        words = desk.words(known) if own else words_of(*known.pairs[-1])
        state = "unconfirmed" if said is None else "confirmed" if said in _words(known) else "changed"
        row = {"partner": known.partner, "node": known.node, "words": words, "own": own, "tag_key": None}
        if keys and (own or known.partner == steward):
            row["tag_key"] = "has"
        elif keys and is_steward and not known.expelled:
            handed = "on_its_way" if known.node in on_their_way else "has"
            row["tag_key"] = handed if state == "confirmed" else "waits"
        nodes.append(row | {"expelled": known.expelled, "state": None if own else state})
    return {"steward": steward, "key_nos": keys, "nodes": nodes}


def confirm_node(
    journal: Journal, desk: Desk, programme: str, node: str, typed: str, *, by: str, now: datetime
) -> None:
    """Note that the node's people have read us its six words. Raises `NotFound`, or `InvalidInput` if they differ from
    those of the keys that the lead gives out."""
    words = read_fingerprint(typed)
    if words is None:
        raise InvalidInput(field="words", reason="not the six words of a node")
    with journal.unit(now) as unit:
        known = next((m for m in members(unit.connection, programme) if m.node == node and not m.expelled), None)
        if known is None or node == desk.node:
            raise NotFound(what=f"other node {node} in programme {programme}")
        if words not in _words(known):
            reason = "not those of the keys that the lead gives out for this node: hand it nothing, and ask both"
            raise InvalidInput(field="words", reason=reason)
        store.set_peer(unit.connection, programme, node, words, wire_time(now))
        unit.audit(by, "confirm_node", programme=programme, node=node)


def confirmed_members(connection: Connection, programme: str) -> dict[str, Member]:
    """The programme's nodes that were confirmed with keys that they have or had, and not expelled."""
    said = store.peers(connection, programme)
    return {
        known.node: known
        for known in members(connection, programme)
        if not known.expelled and said.get((programme, known.node)) in _words(known)
    }


def confirmed_partners(connection: Connection, desk: Desk, programme: str) -> dict[str, Member]:
    """The other partners of the programme whose node is confirmed, by partner. Raises `UnknownProgramme`."""
    store.shelf.get(connection, programme)
    known = confirmed_members(connection, programme).values()
    return {member.partner: member for member in known if member.node != desk.node}


def confirmed_partner(connection: Connection, desk: Desk, programme: str, partner: str) -> Member:
    """The partner's confirmed node; raises `NodeNotConfirmed`."""
    found = confirmed_partners(connection, desk, programme).get(partner)
    if found is None:
        raise NodeNotConfirmed(field="partner", partner=partner)
    return found


def write(unit: Unit, desk: Desk, programme: str, to: Member, plain: bytes, subject: str | None = None) -> None:
    """Have a letter sent, in this unit of work."""
    key = to.receiving_keys[-1]
    signer = desk.signer(unit.connection, programme)
    head, letter = write_letter(new_id(), programme, desk.node, signer, to.node, key, plain, unit.now)
    put_letter(unit.connection, head, letter, unit.now, subject)
