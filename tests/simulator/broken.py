"""Builds that are broken on purpose: each patches the real code, and the simulator must notice."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from shared.journal import crypto, deciding, epochs, holding, planning, received, receiving
from shared.journal.deciding import Outcome
from shared.journal.received import Head, NewLines
from shared.journal.receiving import Receiver
from shared.journal.sending import Courier
from shared.ops.clock import wire_time

Put = Callable[[Any, str, Any], None]


def receipt_before_commit(put: Put) -> None:
    """The receiver writes its receipts inside the transaction that applies the lines."""
    real, save = Receiver._decide_batch, received.save_heads

    def decide_batch(self: Receiver, work: Any, **how: Any) -> None:
        def save_and_say(connection: Any, heads: Any) -> None:
            heads = list(heads)
            save(connection, heads)
            self._write_receipts(work)

        received.save_heads = save_and_say
        try:
            real(self, work, **how)
        finally:
            received.save_heads = save

    put(Receiver, "_decide_batch", decide_batch)


def watermark_before_lines(put: Put) -> None:
    """The watermark is committed before the lines it speaks of: the cursor before the effect."""
    real, write = Receiver._decide_batch, NewLines.write

    def decide_batch(self: Receiver, work: Any, **how: Any) -> None:
        later: list[NewLines] = []
        NewLines.write = lambda new, _connection: later.append(new)  # type: ignore[assignment, method-assign]
        try:
            real(self, work, **how)
        finally:
            NewLines.write = write  # type: ignore[method-assign]
        if later:
            with receiving.transaction(self.engine) as connection:
                for new in later:
                    write(new, connection)

    put(Receiver, "_decide_batch", decide_batch)


def duplicates_applied(put: Put) -> None:
    """What has been applied is applied again when it comes again."""
    real = deciding.decide

    def decide(connection: Any, head: Any, arrival: Any, *rest: Any) -> Outcome:
        outcome = real(connection, head, arrival, *rest)
        if outcome is Outcome.DUPLICATE:
            segment = arrival.segment
            lines = receiving.open_lines(segment, _PRIVATE)
            where = f"stream = '{head.stream}' AND"
            between = f"{where} seq BETWEEN {segment.header.first} AND {segment.header.last}"
            connection.exec_driver_sql(f"DELETE FROM received_line WHERE {between}")
            connection.exec_driver_sql(f"DELETE FROM received_segment WHERE {where} last = {segment.header.last}")
            rest[2].add(segment, lines, rest[1])
        return outcome

    put(receiving, "decide", decide)


def echo_before_listing(put: Put) -> None:
    """The manifests are noted, and so echoed, before the receiver has looked for segments."""
    list_, note = Receiver._list, Receiver._note_manifests

    def list_after_noting(self: Receiver, work: Any) -> Any:
        note(self, work, self._read_manifests(work))
        return list_(self, work)

    put(Receiver, "_list", list_after_noting)
    put(Receiver, "_note_manifests", lambda self, work, manifests: None)


def manifest_after_listing(put: Put) -> None:
    """The manifests are read after the segments have been listed, instead of before."""
    list_, read = Receiver._list, Receiver._read_manifests
    late: dict[int, Mapping[str, bytes]] = {}

    def list_and_read(self: Receiver, work: Any) -> Any:
        found = list_(self, work)
        late[id(self)] = read(self, work)
        return found

    note = Receiver._note_manifests
    put(Receiver, "_read_manifests", lambda self, work: {})
    put(Receiver, "_list", list_and_read)
    put(Receiver, "_note_manifests", lambda self, work, _: note(self, work, late.pop(id(self))))


def stale_receipts(put: Put) -> None:
    """Whatever receipt lies there is believed."""
    put(planning, "is_stale", lambda receipt, view: False)


def early_counted_as_held(put: Put) -> None:
    """A segment that is only kept sealed counts towards completeness."""

    def missing(connection: Any, head: Any) -> tuple[tuple[int, int], ...]:
        real = _missing(connection, head)
        early = connection.exec_driver_sql(f"SELECT 1 FROM received_early WHERE stream = '{head.stream}'").first()
        return () if early else real

    _missing = received._missing
    put(received, "_missing", missing)


def held_until_any_answer(put: Put) -> None:
    """A restored home goes on when its lead has answered, wherever that stands."""
    real = holding.held_streams

    def held_streams(engine: Any, streams: Any) -> dict[str, str]:
        lower = (holding.BEHIND, holding.NOT_ACCEPTED)
        return {stream: why for stream, why in real(engine, streams).items() if why not in lower}

    put(holding, "held_streams", held_streams)


def accepting_forgets(put: Put) -> None:
    """What a node has signed of an epoch is forgotten when that is accepted, and the word counts on."""
    real = epochs.accept

    def accept(connection: Any, head: Head, *what: Any, **how: Any) -> bool:
        heard = head.manifest_at
        if not real(connection, head, *what, **how):
            return False
        head.manifest_at, head.head_seq, head.head_chain = heard, head.seq, head.chain
        return True

    put(epochs, "accept", accept)


def accepting_unasked(put: Put) -> None:
    """A new epoch that a node claims counts at once."""
    real = epochs.note_claim

    def note_claim(connection: Any, head: Head, epoch: int, *where: Any, **said: Any) -> None:
        real(connection, head, epoch, *where, **said)
        counts = epochs.claimed(connection, head)
        if counts is not None:
            epochs.accept(connection, head, *counts, wire_time(said["now"] + timedelta(seconds=1)), now=said["now"])

    put(epochs, "note_claim", note_claim)


def texts_dropped(put: Put) -> None:
    """The lead keeps the digests of the lines alone."""
    real = NewLines.add

    def add(new: NewLines, segment: Any, lines: Any, now: Any) -> None:
        real(new, segment, [line._replace(line=None, kind=None, v=None, subject=None) for line in lines], now)

    put(NewLines, "add", add)


def signatures_believed(put: Put) -> None:
    """Nobody looks at a signature."""
    put(crypto, "verify", lambda *_: True)


def stopped_though_whole(put: Put) -> None:
    """A courier takes its lead's agreement for a conflict."""
    real = Courier._agrees

    def agrees(courier: Courier, channel: str, view: Any, receipt: Any) -> Any:
        whole = receipt.epoch == view.epoch and receipt.seq == view.seq > 0
        return ("chain_differs", receipt.seq, receipt.chain) if whole else real(courier, channel, view, receipt)

    put(Courier, "_agrees", agrees)


def held_for_ever(put: Put) -> None:
    """A restored home whose lead agrees is not released."""
    real = holding.go_on

    def go_on(engine: Any, streams: Any, retrieve: Any) -> bool:
        return bool(holding.held_streams(engine, streams)) and real(engine, streams, retrieve)

    put(holding, "go_on", go_on)


def manifests_forgotten(put: Put) -> None:
    """A manifest that was read in a round in which the carrier failed for its stream counts as noted."""
    real = Receiver._note_manifests

    def note(self: Receiver, work: Any, manifests: Any) -> None:
        gone = {stream: data for stream, data in manifests.items() if stream in work.failed - work.unfinished}
        real(self, work, {stream: data for stream, data in manifests.items() if stream not in gone})
        self._manifests |= gone

    put(Receiver, "_note_manifests", note)


_PRIVATE: dict[str, bytes] = {}

BUILDS: dict[Callable[[Put], None], set[str]] = {
    receipt_before_commit: {"false_complete"},
    watermark_before_lines: {"lost", "undetected_gap", "false_complete"},
    duplicates_applied: {"duplicated_effect"},
    echo_before_listing: {"false_echo"},
    manifest_after_listing: {"false_echo"},
    stale_receipts: {"stale_believed"},
    early_counted_as_held: {"false_complete"},
    held_until_any_answer: {"lost"},
    accepting_forgets: {"false_complete"},
    accepting_unasked: {"unexpected"},
    texts_dropped: {"unexpected"},
    signatures_believed: {"unexpected"},
    stopped_though_whole: {"lost"},
    held_for_ever: {"lost"},
    manifests_forgotten: {"undetected_gap"},
}
"""What is broken, and the counters that must move, each of them."""


@contextmanager
def broken(build: Callable[[Put], None], private: Mapping[str, bytes]) -> Iterator[None]:
    """The code is broken in this way; `private` are the lead's receiving keys."""
    undo: list[Callable[[], None]] = []

    def put(owner: Any, name: str, value: Any) -> None:
        real = getattr(owner, name)
        undo.append(lambda: setattr(owner, name, real))
        setattr(owner, name, value)

    _PRIVATE.update(private)
    try:
        build(put)
        yield
    finally:
        for step in reversed(undo):
            step()
