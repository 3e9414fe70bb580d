"""What a lead has received: lines of nodes, put where the receiver puts them."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import Engine, insert, select

from services.reporting import operations, partner_store, store, versions
from shared.contracts.catalogue import (
    AnonymousSheetRecorded,
    AttendanceRecorded,
    AttendanceRemoved,
    HeadsCounted,
    ParticipationStarted,
    ScoreComputed,
    SessionHeld,
    SessionRemoved,
    StandingReached,
)
from shared.contracts.facts import Fact
from shared.contracts.mistake_facts import AnonymousSheetRemoved, AssessmentRemoved
from shared.contracts.record_facts import ParticipationEnded, ParticipationResumed
from shared.journal import Journal
from shared.journal.carry_tables import received_erased, received_head, received_line
from shared.journal.lines import BadLine, Line, chain_next, chain_start, line_digest, read_envelope, serialise
from shared.ops.clock import wire_time
from shared.storage import transaction
from tests.services.kit import DOCUMENT, KEY, NOW, OTHER, OWN, empty, rows

NODES = {OWN: "pori-0a1b2c3d", OTHER: "rauma-0a1b2c3e"}
STREAMS = {partner: f"{node}/{KEY}" for partner, node in NODES.items()}
WHOLE = {"gender": "f", "age": 40, "labour_status": "unemployed", "unemployed_months": 20, "education": 3}
"""A complete start record of 2014-2020."""
SIGNING, RECEIVING = b"s" * 32, b"r" * 32


def hex_id(*names: object) -> str:
    """An id that is the same whenever it is asked for."""
    return hashlib.sha256(repr(names).encode()).hexdigest()[:32]


def lead(engine: Engine, document: dict[str, Any] = DOCUMENT) -> Journal:
    """The journal of a lead that has loaded programme 3."""
    journal = Journal(engine, "lead")
    versions.load_programme(journal, document, "boss", NOW)
    return journal


def admit(engine: Engine, *partners: str, programme: str = KEY) -> None:
    """Let the partners' nodes in, as after an accepted join."""
    with transaction(engine) as connection:
        for partner in partners:
            node = NODES[partner]
            names = {"stream": f"{node}/{programme}", "programme": programme, "partner": partner, "node": node}
            partner_store.add_node(connection, names | {"signing_key": SIGNING, "receiving_key": RECEIVING})


def session(name: object, activity: str, day: str, minutes: int | None) -> Fact:
    return SessionHeld(None, session=hex_id("session", name), activity=activity, occurred_on=day, minutes=minutes)


def attendance(name: object, at: object, person: object, role: str, day: str = "2016-03-01") -> Fact:
    ids = {"attendance": hex_id("attendance", name), "session": hex_id("session", at)}
    return AttendanceRecorded(hex_id("person", person), **ids, role=role, occurred_on=day)


def heads(at: object, number: int) -> Fact:
    return HeadsCounted(None, session=hex_id("session", at), heads=number, basis="counted")


def attendance_removed(name: object, at: object, person: object) -> Fact:
    ids = {"attendance": hex_id("attendance", name), "session": hex_id("session", at)}
    return AttendanceRemoved(hex_id("person", person), **ids)


def session_removed(name: object) -> Fact:
    return SessionRemoved(None, session=hex_id("session", name))


def standing(person: object, reached: str) -> Fact:
    return StandingReached(hex_id("person", person), standing=reached)


def started(person: object, day: str = "2016-03-01", **changes: Any) -> Fact:
    return ParticipationStarted(hex_id("person", person), occurred_on=day, **WHOLE | changes)


def ended(person: object, day: str = "2016-09-01", *results: str) -> Fact:
    return ParticipationEnded(
        hex_id("person", person), reason="completed", occurred_on=day, results=list(results) or None
    )


def resumed(person: object, day: str = "2016-09-02") -> Fact:
    return ParticipationResumed(hex_id("person", person), occurred_on=day)


def score(name: object, person: object, value: str | None, scale: str = "functioning", **changes: str) -> Fact:
    body = {"instrument": "three_items", "version": "1", "definition": "d" * 64, "scale": scale, "score": value}
    when = {"occasion": "baseline", "occurred_on": "2016-03-01"}
    return ScoreComputed(
        hex_id("person", person), **{"assessment": hex_id("assessment", name), **body, **when} | changes
    )


def sheet(name: object, **changes: str) -> Fact:
    body = {"assessment": hex_id("assessment", name), "instrument": "three_items", "version": "1"}
    return AnonymousSheetRecorded(None, **body | {"occasion": "interim", "occurred_on": "2016-03-01"} | changes)


def assessment_removed(name: object, person: object) -> Fact:
    return AssessmentRemoved(hex_id("person", person), assessment=hex_id("assessment", name))


def sheet_removed(name: object) -> Fact:
    return AnonymousSheetRemoved(None, assessment=hex_id("assessment", name))


def line(stream: str, seq: int, fact: Fact) -> bytes:
    """The bytes a node would have made of the fact."""
    salt, when = hex_id(stream, seq), "2016-03-01T10:00:00.000000Z"
    return serialise(Line(stream, 1, seq, fact.kind, fact.v, when, fact.subject, salt, fact.body))


def receive(
    engine: Engine,
    stream: str,
    content: Sequence[Fact | bytes | None],
    *,
    said: int | None = None,
    heard: datetime | None = NOW,
    state: str = "open",
) -> bytes:
    """Append lines to a stream (bytes: as they are; None: an erased one); returns the chain.

    `said` is how far the node says that it is, if farther than that.
    """
    with transaction(engine) as connection:
        at = connection.execute(select(received_head).where(received_head.c.stream == stream)).one_or_none()
        seq, chain = (at.seq, at.chain) if at else (0, chain_start(stream))
        for number, fact in zip(count(seq + 1), content, strict=False):
            data = line(stream, number, fact) if isinstance(fact, Fact) else fact
            digest = line_digest(data) if data is not None else bytes(32)
            kind, v, subject = _indexed(data)
            row = {"stream": stream, "seq": number, "epoch": 1, "subject": subject, "digest": digest, "line": data}
            connection.execute(insert(received_line), row | {"kind": kind, "v": v})
            seq, chain = number, chain_next(chain, digest)
        if at:
            connection.execute(received_head.delete().where(received_head.c.stream == stream))
        node, programme = stream.split("/")
        row = {"stream": stream, "node": node, "programme": programme, "epoch": 1, "seq": seq, "chain": chain}
        row |= {"head_epoch": 1, "head_seq": seq if said is None else said}
        row |= {"head_chain": chain if said is None else b"?" * 32, "echo": "", "state": state}
        connection.execute(insert(received_head), row | {"manifest_at": wire_time(heard) if heard else None})
    return bytes(chain)


def _indexed(data: bytes | None) -> tuple[str | None, int | None, bytes | None]:
    """What the receiver stores beside a line."""
    try:
        content = read_envelope(data or b"")
    except BadLine:
        return None, None, None
    return content.kind, content.v, bytes.fromhex(content.subject) if content.subject else None


def derive_all(engine: Engine, failing: operations.Failing | None = None) -> None:
    while operations.derive(engine, {} if failing is None else failing):
        pass


def asides(engine: Engine) -> dict[int, str]:
    """Which lines are kept and not counted, and why."""
    return {row["seq"]: row["reason"] for row in rows(engine, store.aside)}


def forget_everything(engine: Engine) -> None:
    """Back to a lead that has received nothing."""
    empty(engine, *store.DERIVED, store.cursor, received_line, received_head, received_erased)
