"""Use cases of reporting: the lead's own facts, and deriving figures from the lines that have arrived."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine

from services.reporting import outdated_store, partner_store, receipt_store, receipts, store
from services.reporting.effects import Derivation, read_lines
from shared.contracts.catalogue import NodeAdmitted
from shared.contracts.errors import InvalidInput, InvalidInvite, PartnerAlreadyJoined, UnknownCode
from shared.journal import Journal
from shared.journal.erasing import erased_lines, erased_received, purpose_digest, subject_digest
from shared.journal.follow import databases_trouble
from shared.journal.holding import is_held
from shared.journal.joining import Join
from shared.journal.lines import chain_next
from shared.journal.received import last_end
from shared.ops.metrics import counter, gauge
from shared.storage import snapshot, transaction
from shared.storage.aside import Aside

log = logging.getLogger(__name__)

DERIVE_BATCH = {"sqlite": 1_000, "postgresql": 10_000}
"""Lines of one derive transaction: SQLite's other writers wait for it."""

READ_AT_ONCE = 2_500
"""Lines of it in memory at the same time: a line may have 64 KiB."""

ANSWERED_AT_ONCE = 100
"""Receipts of one transaction."""

RETRY_SECONDS = 5.0
"""After how long a stream whose lines could not be derived is tried again."""

derived_total = counter("polku_reporting_lines_derived_total", "Received lines taken into the derived tables")
stuck = gauge(
    "polku_reporting_stream_stuck", "1 while an effect of the stream's next lines fails or takes too long", "stream"
)

_shown: set[str] = set()
"""The streams that `stuck` has a value of."""

Failing = dict[str, float]
"""The streams whose next lines cannot be derived, and when (monotonic) each is tried again."""


def admit_partner(
    journal: Journal, programme: str, partner: str, token_digest: bytes, *, valid: timedelta, by: str, now: datetime
) -> datetime:
    """Note that an invite is given out; returns when it expires.

    Raises `UnknownCode`, `PartnerAlreadyJoined`, or `InvalidInput` if the token has been given out before.
    """
    with journal.unit(now) as unit:
        definition = store.shelf.get(unit.connection, programme)
        if partner not in definition.partner_by_key:
            raise UnknownCode(field="partner", programme=programme, value=partner)
        if partner_store.find_partner(unit.connection, programme, partner) is not None:
            raise PartnerAlreadyJoined(partner=partner, programme=programme)
        if partner_store.find_invite(unit.connection, token_digest) is not None:
            raise InvalidInput(field="token_digest", reason="has been given out before: make another token")
        expires = now + valid
        partner_store.add_invite(unit.connection, token_digest, programme, partner, expires)
        unit.audit(by, "admit_partner", programme=programme, partner=partner)
    return expires


def accept_join(journal: Journal, join: Join, now: datetime) -> bool:
    """Admit the node that sent back a valid invite; False if it had been admitted already.

    Raises `InvalidInvite` with the reason, or `PartnerAlreadyJoined` by another node.
    """
    with journal.unit(now) as unit:
        known = partner_store.find_invite(unit.connection, join.token_digest)
        if known is None or (known.programme, known.partner) != (join.programme, join.partner):
            raise InvalidInvite(reason="it was not given out by this lead")
        present = partner_store.find_partner(unit.connection, join.programme, join.partner)
        if present is not None:
            if (present.node, present.signing_key) == (join.node, join.signing_key):
                return False
            raise PartnerAlreadyJoined(partner=join.partner, programme=join.programme)
        if known.used_by is not None:
            raise InvalidInvite(reason="it has been used")
        if known.expires_at.replace(tzinfo=now.tzinfo) < now:
            raise InvalidInvite(reason="it has expired")
        stream = f"{join.node}/{join.programme}"
        if (other := partner_store.find_stream(unit.connection, stream)) is not None:
            # One stream has one partner: a second invite does not make the node another one too.
            raise PartnerAlreadyJoined(partner=other.partner, programme=join.programme)
        partner_store.use_invite(unit.connection, join.token_digest, join.node)
        row = {"partner": join.partner, "node": join.node}
        keys = {"signing_key": join.signing_key, "receiving_key": join.receiving_key}
        partner_store.add_node(unit.connection, {"stream": stream, "programme": join.programme, **row, **keys})
        hexed = {name: key.hex() for name, key in keys.items()}
        unit.record(NodeAdmitted(None, **row, **hexed), join.programme)
        unit.audit("receiver", "admit_node", programme=join.programme, **row)
    return True


def derive(
    engine: Engine,
    failing: Failing,
    enough: Callable[[], bool] = lambda: False,
    begin: Callable[[str], None] = lambda _: None,
) -> bool:
    """Take the next received lines into the derived tables, one transaction per stream, until `enough`; False if none
    were taken. Calls `begin` with the name of each stream that it begins, "" when it has done with them.

    A stream with a line whose effect fails stands still before it, and the others go on; it is noted in `failing`,
    which its caller keeps, and tried again every `RETRY_SECONDS`, after all others (decision 0174). Raises what the
    database fails with.
    """
    with engine.connect() as connection:
        behind = sorted(store.streams_behind(connection), key=failing.__contains__)
    for stream in failing.keys() - behind:  # its lines have changed
        del failing[stream]
    taken = False
    with _reading(engine) as source:
        for stream in behind:
            if failing.get(stream, 0.0) <= time.monotonic():
                begin(stream)
                taken = _try_stream(engine, source, stream, failing) or taken
            if enough():
                break
    begin("")
    return taken


def _try_stream(engine: Engine, source: Connection | None, stream: str, failing: Failing) -> bool:
    """Whether lines of it were taken; if not, it is noted as failing."""
    try:
        with transaction(engine) as connection:
            _derive_stream(source or connection, connection, stream)
    except Exception as error:
        if databases_trouble(error):
            raise
        if source is not None:
            source.rollback()
        log.error("the effect of a line fails; its stream waits", extra={"stream": stream}, exc_info=error)
        failing[stream] = time.monotonic() + RETRY_SECONDS
        return False
    failing.pop(stream, None)
    return True


def note_failing(streams: Mapping[str, float]) -> None:
    """Show which streams wait, whichever process derives them."""
    for stream in _shown - streams.keys():
        stuck.labels(stream).set(0)
    for stream in streams:
        stuck.labels(stream).set(1)
    _shown.update(streams)


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection | None]:
    """On PostgreSQL a connection of its own for what is read while effects are stored; SQLite has no use for one."""
    if engine.dialect.name == "sqlite":
        yield None
    else:
        with engine.connect() as connection:
            yield connection


def answer_endings(journal: Journal, now: datetime) -> bool:
    """Give the receipts of purposes that ended, on the lead's own stream; False if none was due or it is held."""
    with snapshot(journal.engine) as connection:
        if is_held(connection) or not receipt_store.unanswered(connection, 1):
            return False
    with journal.unit(now) as unit:
        due = receipt_store.unanswered(unit.connection, ANSWERED_AT_ONCE)
        for stream, rows in groupby(due, lambda row: str(row.stream)):
            digests = {row.ending: purpose_digest(row.subject.hex(), row.purpose, row.ending.hex()) for row in rows}
            cleared = [(one, erased_lines(unit.connection, stream, digest)) for one, digest in digests.items()]
            receipts.give(unit, stream, cleared)
    return True


def derive_what_has_become_readable(engine: Engine) -> None:
    """Forget what was derived of streams with lines of a newer release that this release knows: derived anew.

    So too of streams whose start records or steps were taken by a release that made nothing of them.
    """
    with engine.connect() as connection:
        streams = outdated_store.readable_now(connection) | outdated_store.unmade(connection)
    for stream in sorted(streams):
        with transaction(engine) as connection:
            store.forget_derived(connection, [stream])


def _derive_stream(source: Connection, connection: Connection, stream: str) -> None:
    store.lock_derived(connection, stream)
    derived_total.inc(derive_next(source, source, connection, stream))


def derive_next(source: Connection, look: Connection, target: Connection, stream: str, last: int | None = None) -> int:
    """Take the stream's next received lines (up to line `last`) of `source` into the derived tables of `target`,
    where its cursor says; returns how many. An effect reads nothing but the programme and derived tables, by `look`:
    `target` may be busy storing the effects before it.
    """
    seq, chain = store.cursor_of(target, stream)
    most = seq + DERIVE_BATCH[source.dialect.name]
    # Where a segment ends the node has signed the chain: a cursor there is one that a certificate can prove.
    to = min(bound for bound in (last, last_end(source, stream, seq, most), most) if bound is not None)
    derivation, count = Derivation(look, stream, store.shelf.get(source, stream.split("/")[1]), seq), 0
    gone = erased_received(source, stream)
    with Aside[None](target.dialect.name) as storing:
        while rows := store.next_lines(source, stream, seq, min(seq + READ_AT_ONCE, to)):
            effects = derivation.take(read_lines(rows), _erased_before(gone, rows))
            for row in rows:
                chain = chain_next(chain, row[6])
            count, seq, epoch = count + len(rows), rows[-1][0], rows[-1][5]
            storing.wait()
            storing.do(partial(effects.write, target, stream), last=seq >= to)
    if count:
        store.set_cursor(target, stream, epoch, seq, chain)
    return count


def _erased_before(gone: frozenset[bytes], rows: Sequence[Sequence[Any]]) -> set[str]:
    """The subjects of these lines that the stream has erased. No node writes such lines; they come to nothing, in
    whatever batch."""
    subjects = {bytes(row[3]).hex() for row in rows if row[3] is not None} if gone else ()
    return {subject for subject in subjects if bytes.fromhex(subject_digest(subject)) in gone}
