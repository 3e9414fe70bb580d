"""Moving letters (`post`): the outbox and the inbox of a node, and the rounds of a node and of the lead.

A service that writes to another node puts a letter into `post_out` with its own state; whoever a letter is for finds it
in `post_in`, in the same database, and marks it taken with what came of it. Between the two:

    node A: post_out → item `post` of A/PROGRAMME → lead: sorts by recipient → item `post` of lead/PROGRAMME/B → post_in
    node B: acknowledges what was taken, the same way back → A deletes the letter; the items lose it by themselves

A round says everything anew (see `post`), so a crash, a loss, a repetition or an old item put back ends in the same
state. `post_in` keeps the ids of what was taken: a letter has its effect once, however often it comes. The lead keeps
nothing: it carries whose letter is signed by a member, and what a member no longer sends is gone from its items.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import zip_longest
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, tuple_, update

from shared.journal import crypto
from shared.journal.carrier import POST, Carrier, channel_to
from shared.journal.carry_tables import post_in, post_out
from shared.journal.post import (
    MAX_POST,
    Head,
    LetterRefused,
    pack,
    sender_of,
    unpack,
    verify_ack,
    verify_letter,
    write_ack,
)
from shared.ops.clock import wire_time
from shared.ops.metrics import counter
from shared.storage import snapshot, transaction

log = logging.getLogger(__name__)

AGAIN = timedelta(minutes=2)
"""An item that says something is written again so often: what a queue has lost comes back."""

MOST_WAITING = 200
"""Letters of one sender that are kept until they are taken."""

Members = Mapping[str, Mapping[str, bytes]]
"""The nodes of a programme, each with its public signing keys by id, old ones too."""

letters_total = counter("polku_post_letters_total", "Letters between nodes, by what became of them", "outcome")
for _outcome in ("received", "acknowledged", "carried", "refused"):
    letters_total.labels(_outcome)


def put_letter(connection: Connection, head: Head, letter: bytes, now: datetime, subject: str | None = None) -> None:
    """Have a letter sent; `subject`: erasing this person takes it back as far as it can be."""
    row = {"id": head.id, "programme": head.programme, "recipient": head.recipient, "letter": letter}
    about = bytes.fromhex(subject) if subject else None
    connection.execute(insert(post_out), row | {"subject": about, "queued_at": wire_time(now)})


def take_back(connection: Connection, subject: bytes) -> set[str]:
    """Have no letter about this person sent that was not acknowledged; the nodes that they were for."""
    theirs = post_out.c.subject == subject
    nodes = set(connection.execute(select(post_out.c.recipient).where(theirs)).scalars())
    connection.execute(delete(post_out).where(theirs))
    return nodes


def waiting_for(connection: Connection, programme: str) -> dict[str, int]:
    """The nodes that have not acknowledged every letter of ours, each with how many wait for it."""
    c = post_out.c
    query = select(c.recipient, func.count()).where(c.programme == programme).group_by(c.recipient)
    return {node: waiting for node, waiting in connection.execute(query)}


def letters_to_take(connection: Connection, senders: Sequence[tuple[str, str]], limit: int = 50) -> Sequence[Any]:
    """Letters that have come from these senders (programme, node) and were not taken, the oldest first: id, programme,
    sender, letter. Letters of others wait. Up to `limit` of each sender: what one sends that cannot be taken yet, or
    ever, is in nobody else's way."""
    c = post_in.c
    oldest = (c.received_at, c.id)
    turn = func.row_number().over(partition_by=(c.programme, c.sender), order_by=oldest).label("turn")
    waiting = select(post_in, turn).where(c.letter.is_not(None), tuple_(c.programme, c.sender).in_(senders)).subquery()
    return connection.execute(select(waiting).where(waiting.c.turn <= limit).order_by("received_at", "id")).all()


def note_taken(connection: Connection, number: str) -> None:
    """The letter has had its effect, or never will: nothing of it is kept but that it came."""
    connection.execute(update(post_in).where(post_in.c.id == number).values(letter=None))


@dataclass(slots=True)
class NodePost:
    """A node's end, of one carrier. `members` says who the nodes of a programme are (`directory`)."""

    engine: Engine
    carrier: Carrier
    node: str
    signer: crypto.Key
    members: Callable[[Connection, str], Members]
    _written: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)

    def round(self, programme: str, now: datetime) -> None:
        """Take what has come, and say what is to go. What the carrier fails at is tried again in the next round."""
        item = self.carrier.read(channel_to(self.node, programme), POST, MAX_POST + 1)
        refused = Counter[str]()
        letters, acks = _unpacked(item, refused)
        with snapshot(self.engine) as connection:
            members = self.members(connection, programme)
        ours = partial(self._for_us, programme, members, refused)
        came = [(head, letter) for letter in letters if (head := ours(verify_letter, letter))]
        done = [head for ack in acks if (head := ours(verify_ack, ack))]
        _note_refused(refused, programme, "lead")
        stray = self._store(came, done, now)
        with snapshot(self.engine) as connection:
            to_go = _outbox(connection, programme, members)
            taken = _taken(connection, [head.id for head, _ in came])
        answers = [write_ack(head, self.signer) for head, _ in came if (head.id, head.sender) in taken]
        self._write(programme, pack(to_go, answers), bool(to_go or answers), stray, now)

    def _for_us(
        self, programme: str, members: Members, refused: Counter[str], verify: Callable[..., Head], data: bytes
    ) -> Head | None:
        try:
            head = verify(data, members.get(sender_of(data), {}))
        except LetterRefused as error:
            refused[error.reason] += 1
            return None
        if (head.recipient, head.programme) != (self.node, programme):
            refused["wrong_recipient"] += 1
            return None
        return head

    def _store(self, came: list[tuple[Head, bytes]], done: list[Head], now: datetime) -> bool:
        """Keep new letters and let acknowledged ones go; whether one was acknowledged that we do not have (it lies in
        our item still)."""
        with snapshot(self.engine) as connection:
            room = _room(connection)
            known = set(connection.execute(_ids(post_in, [head.id for head, _ in came])).scalars())
            waiting = set(connection.execute(_ids(post_out, [head.id for head in done])).scalars())
        new = {}
        for head, letter in came:
            if head.id not in known and head.id not in new and room(head):
                new[head.id] = head, letter
        if new or waiting:
            with transaction(self.engine) as connection:
                for head, letter in new.values():
                    row = {"id": head.id, "programme": head.programme, "sender": head.sender, "letter": letter}
                    connection.execute(insert(post_in), row | {"received_at": wire_time(now)})
                for head in done:
                    theirs = (post_out.c.id == head.id) & (post_out.c.recipient == head.sender)
                    connection.execute(delete(post_out).where(theirs, post_out.c.programme == head.programme))
            letters_total.labels("received").inc(len(new))
            letters_total.labels("acknowledged").inc(len(waiting))
        return any(head.id not in waiting for head in done)

    def _write(self, programme: str, item: bytes, says_something: bool, again: bool, now: datetime) -> None:
        channel = f"{self.node}/{programme}"
        fresh = programme not in self._written and not says_something
        if fresh and self.carrier.read(channel, POST, 1) is None:
            return  # whoever never writes a letter has no item
        last, at = self._written.get(programme, (b"", now))
        if item != last or again or (says_something and now - at >= AGAIN):
            self.carrier.write(channel, POST, item)
            self._written[programme] = item, now


@dataclass(slots=True)
class LeadPost:
    """The lead's end: it sorts what its nodes send by whom it is for, and keeps nothing."""

    carrier: Carrier
    _written: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)

    def round(self, programme: str, members: Members, now: datetime) -> None:
        """Carry the letters and acknowledgements of one programme's nodes."""
        letters: dict[str, dict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
        acks: dict[str, dict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
        for node, keys in sorted(members.items()):
            try:
                item = self.carrier.read(f"{node}/{programme}", POST, MAX_POST + 1)
            except OSError as error:
                # What it had said is unsaid until it can be read again; said anew, a letter has its effect once still.
                log.error("letters were not read", extra={"node": node, "error": type(error).__name__})
                continue
            refused = Counter[str]()
            for found, sorted_out, verify in zip(
                _unpacked(item, refused), (letters, acks), (verify_letter, verify_ack), strict=True
            ):
                for data in found:
                    to = _sent_by(node, programme, data, keys, verify, refused)
                    if to is not None:
                        sorted_out[to][node].append(data)
            _note_refused(refused, programme, node)
        for node in sorted(members):
            try:
                self._write(channel_to(node, programme), _in_turns(letters[node]), _in_turns(acks[node]), now)
            except OSError as error:  # tried again in the next round; the others need not wait for it
                log.error("letters were not carried", extra={"node": node, "error": type(error).__name__})

    def _write(self, channel: str, letters: list[bytes], acks: list[bytes], now: datetime) -> None:
        item, says_something = pack(letters, acks), bool(letters or acks)
        known = self._written.get(channel)
        if known is None and not says_something and self.carrier.read(channel, POST, 1) is None:
            return
        if known is None or item != known[0] or (says_something and now - known[1] >= AGAIN):
            self.carrier.write(channel, POST, item)
            if known is None or item != known[0]:
                letters_total.labels("carried").inc(len(letters))
            self._written[channel] = item, now


def _sent_by(
    node: str,
    programme: str,
    data: bytes,
    keys: Mapping[str, bytes],
    verify: Callable[..., Head],
    refused: Counter[str],
) -> str | None:
    """To whom it is, if this node has signed it for this programme."""
    try:
        head: Head = verify(data, keys)
    except LetterRefused as error:
        refused[error.reason] += 1
        return None
    if (head.sender, head.programme) != (node, programme):
        refused["wrong_sender"] += 1
        return None
    return head.recipient


def _unpacked(item: bytes | None, refused: Counter[str]) -> tuple[list[bytes], list[bytes]]:
    if item is None:
        return [], []
    try:
        return unpack(item)
    except LetterRefused as error:
        refused[error.reason] += 1
        return [], []


def _note_refused(refused: Counter[str], programme: str, sender: str) -> None:
    """Say once of an item what of it was refused: it is read in every round, and may hold thousands."""
    if refused:
        letters_total.labels("refused").inc(refused.total())
        log.warning("letters were refused", extra={"programme": programme, "node": sender, "why": dict(refused)})


def _outbox(connection: Connection, programme: str, members: Members) -> list[bytes]:
    """What is to go to members, the oldest first: a letter to a node that was expelled would lie there for ever, and
    take the place of others."""
    c = post_out.c
    to_members = (c.programme == programme) & c.recipient.in_(list(members))
    found: dict[str, list[bytes]] = defaultdict(list)
    for row in connection.execute(select(c.recipient, c.letter).where(to_members).order_by(c.queued_at, c.id)):
        found[row.recipient].append(row.letter)
    return _in_turns(found)


def _in_turns(found: Mapping[str, Sequence[bytes]]) -> list[bytes]:
    """One of each node, then the second of each: an item is full at some point, and one node's many must not be in the
    way of another's few."""
    return [data for turn in zip_longest(*found.values()) for data in turn if data is not None]


def _room(connection: Connection) -> Callable[[Head], bool]:
    """Whether one more letter of its sender is kept: it stays where it is until others were taken. Who was not
    confirmed could else fill the disk."""
    c = post_in.c
    waiting = select(c.programme, c.sender, func.count()).where(c.letter.is_not(None)).group_by(c.programme, c.sender)
    held = Counter({(programme, sender): n for programme, sender, n in connection.execute(waiting)})

    def room(head: Head) -> bool:
        held[head.programme, head.sender] += 1
        return held[head.programme, head.sender] <= MOST_WAITING

    return room


def _taken(connection: Connection, ids: list[str]) -> set[tuple[str, str]]:
    """Id and sender: who reads another's id on the way must not have that letter acknowledged by one of its own."""
    c = post_in.c
    query = select(c.id, c.sender).where(c.id.in_(ids), c.letter.is_(None))
    return {(row.id, row.sender) for row in connection.execute(query)}


def _ids(table: Any, ids: list[str]) -> Any:
    return select(table.c.id).where(table.c.id.in_(ids))
