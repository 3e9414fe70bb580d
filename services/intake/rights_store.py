"""Tables of a participant's rights, and the statements on them and on what they change."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from services.intake.encounter_tables import visit
from services.intake.exit_store import follow_up
from services.intake.filled_store import filled
from services.intake.referral_store import referral
from services.intake.start_store import attempt, exit_form
from services.intake.store import keys, participation, person
from services.intake.text_store import text
from shared.journal.tables import journal_line
from shared.storage import metadata
from shared.storage.restricting import EVERYTHING, restricted
from shared.storage.upsert import add_missing, upsert
from shared.storage.vault import decrypt, encrypt, unwrap

correction = Table(
    "intake_correction",
    metadata,
    Column("correction", LargeBinary, primary_key=True),
    Column("subject", LargeBinary, nullable=False, index=True),
    Column("person", LargeBinary, ForeignKey("intake_person.person", ondelete="CASCADE"), nullable=False),
    Column("programme", String(40), nullable=False),
    Column("corrected_at", String(32), nullable=False),
    Column("changed", String(400), nullable=False),
    Column("box", LargeBinary, nullable=False),
)
"""What was corrected: the members, parted by spaces; what each was and is, encrypted with the person's key."""

informed = Table(
    "intake_informed",
    metadata,
    Column("informed", LargeBinary, primary_key=True),
    Column("subject", LargeBinary, nullable=False, index=True),
    Column("programme", String(40), nullable=False),
    Column("notice", Integer, nullable=False),
    Column("language", String(3), nullable=False),
    Column("consents", String(120), nullable=False),
    Column("occurred_on", Date, nullable=False),
)
"""Who was informed, by which version of the notice; `consents`: purposes that they agreed to, parted by spaces."""

ending = Table(
    "intake_ending",
    metadata,
    Column("ending", LargeBinary, primary_key=True),
    Column("subject", LargeBinary, nullable=False, index=True),
    Column("programme", String(40), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("why", String(20), nullable=False),
    Column("occurred_on", Date, nullable=False),
)
"""Purposes of people that ended: what was recorded for them is erased."""

receipt = Table(
    "intake_receipt",
    metadata,
    Column("ending", LargeBinary, primary_key=True),
    Column("holder", String(40), primary_key=True),
    Column("subject", LargeBinary, nullable=False, index=True),
    Column("rows", Integer, nullable=False),
    Column("received_at", String(32), nullable=False),
)
"""Who has cleared away what ended: a service of the node, or the lead's ("reporting"), and how many rows or lines."""

restriction = Table(
    "intake_restriction",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("ground", String(40), nullable=False),
)
"""On which ground (`GROUNDS`) somebody is restricted. It tells of the person: no fact has it, and erasing clears it."""

pair = Table(
    "intake_pair",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("other", LargeBinary, primary_key=True, index=True),
    Column("programme", String(40), nullable=False),
    Column("verdict", String(10), nullable=False),
    Column("occurred_on", Date, nullable=False),
)
"""Two people somebody has judged to be one ("same") or two ("apart"); the lower subject first."""

HOLDERS = {
    "esf_record": ("intake", "reporting"),
    "support": ("activities", "intake", "pathways", "reporting"),
    "measurement": ("measurement", "reporting"),
}
"""Who keeps something for a purpose, and owes a receipt."""

_OF_PURPOSE = {"esf_record": (follow_up, correction, attempt, filled), "support": (referral, text, visit)}
"""Intake's own tables, by purpose; the start record itself is a row of `participation`, the exit form is forgotten by
`start_store.forget_exit_form`."""


def set_record(connection: Connection, subject: bytes, started_on: date | None, record: dict[str, Any]) -> None:
    """Store another start record."""
    this = participation.c.subject == subject
    connection.execute(update(participation).where(this).values(started_on=started_on, record=json.dumps(record)))


def add_correction(
    connection: Connection, vault_keys: Mapping[int, bytes], number: str, row: Any, at: str, change: dict[str, Any]
) -> None:
    """Keep what was corrected of the person of `locked_participation`'s row: by member, [before, after]."""
    raw = bytes.fromhex(number)
    key = unwrap(vault_keys, row.person, row.wrapped_key)
    box = encrypt(key, b"correction" + raw + row.person, json.dumps(change, ensure_ascii=False).encode())
    ids = {"correction": raw, "subject": row.subject, "person": row.person, "programme": row.programme}
    connection.execute(insert(correction), ids | {"corrected_at": at, "changed": " ".join(sorted(change)), "box": box})


def corrections_of(connection: Connection, vault_keys: Mapping[int, bytes], subject: bytes) -> list[dict[str, Any]]:
    """The person's corrections in clear, the first first; whoever calls this has logged the read."""
    query = (
        select(correction, person.c.wrapped_key)
        .join(person, person.c.person == correction.c.person)
        .where(correction.c.subject == subject)
        .order_by(correction.c.corrected_at, correction.c.correction)
    )
    found = []
    for row in connection.execute(query):
        key = unwrap(vault_keys, row.person, row.wrapped_key)
        changed = json.loads(decrypt(key, b"correction" + row.correction + row.person, row.box))
        found.append({"corrected_at": row.corrected_at, "changed": changed})
    return found


def restriction_of(connection: Connection, subject: bytes) -> Any | None:
    """The person's restriction (`since`, `ground`), or None."""
    query = select(restricted.c.since, restriction.c.ground)
    query = query.join(restriction, restriction.c.subject == restricted.c.subject)
    this = (restricted.c.subject == subject) & (restricted.c.purpose == EVERYTHING)
    return connection.execute(query.where(this)).one_or_none()


def set_ground(connection: Connection, programme: str, subject: bytes, ground: str | None) -> None:
    """Note on which ground somebody is restricted; None: they are not any more."""
    connection.execute(delete(restriction).where(restriction.c.subject == subject))
    if ground is not None:
        connection.execute(insert(restriction), {"subject": subject, "programme": programme, "ground": ground})


def clear_own(connection: Connection, subject: bytes, purpose: str) -> int:
    """Delete intake's own rows of a purpose, but the participation itself; how many."""
    gone = 0
    for table in _OF_PURPOSE.get(purpose, ()):
        made = select(table.primary_key.columns[0]).where(table.c.subject == subject)
        connection.execute(delete(keys).where(keys.c.made.in_(made)))
        gone += connection.execute(delete(table).where(table.c.subject == subject)).rowcount
    if purpose == "support":  # the texts have gone, and with them what somebody who left wished
        connection.execute(update(exit_form).where(exit_form.c.subject == subject).values(wishes_ref=None))
    return gone


def forget_corrections(connection: Connection, subject: bytes) -> None:
    """Delete what was corrected of somebody whom nothing shall lead to any more."""
    connection.execute(delete(correction).where(correction.c.subject == subject))


def no_participant(
    connection: Connection, subject: bytes, standing: str, record: dict[str, Any], away: str | None
) -> None:
    """The person has no start record any more, and this standing; `away`: what is kept of it if they had left."""
    names = ("started_on", "ended_on", "end_results", "end_next", "end_planned", "resumed_on")
    this = participation.c.subject == subject
    values = {"standing": standing, "record": json.dumps(record), "end_reason": away, **dict.fromkeys(names)}
    connection.execute(update(participation).where(this).values(**values))


def add_informed(connection: Connection, made: str, **columns: Any) -> None:
    """Note that somebody was informed."""
    connection.execute(insert(informed), {"informed": bytes.fromhex(made), **columns})


def informed_of(connection: Connection, programme: str, subject: str) -> list[dict[str, Any]]:
    """When the person was informed and how, the first first."""
    c = informed.c
    query = select(informed).where(c.subject == bytes.fromhex(subject), c.programme == programme)
    return [
        {"notice": row.notice, "language": row.language, "consents": row.consents.split()}
        | {"occurred_on": row.occurred_on.isoformat()}
        for row in connection.execute(query.order_by(c.occurred_on, c.informed))
    ]


def add_ending(connection: Connection, number: str, **columns: Any) -> None:
    """Note that a purpose ended."""
    connection.execute(insert(ending), {"ending": bytes.fromhex(number), **columns})


def is_ending(connection: Connection, number: str) -> bool:
    """Whether it is noted."""
    query = select(ending.c.ending).where(ending.c.ending == bytes.fromhex(number))
    return connection.execute(query).first() is not None


def add_receipt(connection: Connection, number: str, holder: str, rows: int, at: str) -> None:
    """Keep a receipt; one of an ending that is not known (any more) is nobody's."""
    raw = bytes.fromhex(number)
    subject = connection.execute(select(ending.c.subject).where(ending.c.ending == raw)).scalar_one_or_none()
    if subject is not None:
        row = {"ending": raw, "holder": holder, "subject": subject, "rows": rows, "received_at": at}
        add_missing(connection, receipt, row)


def endings_of(connection: Connection, programme: str, subject: str) -> list[dict[str, Any]]:
    """The person's endings with their receipts, the first first; `waiting`: who has not answered yet."""
    raw = bytes.fromhex(subject)
    known = connection.execute(select(receipt).where(receipt.c.subject == raw).order_by(receipt.c.holder)).all()
    query = select(ending).where(ending.c.subject == raw, ending.c.programme == programme)
    found = []
    for row in connection.execute(query.order_by(ending.c.occurred_on, ending.c.ending)):
        given = [r for r in known if r.ending == row.ending]
        receipts = [{"holder": r.holder, "rows": r.rows, "received_at": r.received_at} for r in given]
        waiting = sorted({*HOLDERS[row.purpose]} - {r.holder for r in given})
        said = {"purpose": row.purpose, "why": row.why, "occurred_on": row.occurred_on.isoformat()}
        found.append({"ending": row.ending.hex(), **said, "receipts": receipts, "waiting": waiting})
    return found


def judged(connection: Connection, programme: str) -> dict[tuple[bytes, bytes], str]:
    """The verdicts of the programme's pairs, by lower and higher subject."""
    query = select(pair.c.subject, pair.c.other, pair.c.verdict).where(pair.c.programme == programme)
    return {(row.subject, row.other): row.verdict for row in connection.execute(query)}


def put_verdict(connection: Connection, programme: str, both: tuple[bytes, bytes], verdict: str, day: date) -> None:
    """Store a verdict, over what was said before."""
    row = {"subject": both[0], "other": both[1], "programme": programme, "verdict": verdict, "occurred_on": day}
    upsert(connection, pair, [row])


def forget_other(connection: Connection, subject: bytes) -> None:
    """Delete verdicts in which the person is the other one; those in which they are first go with their other rows."""
    connection.execute(delete(pair).where(pair.c.other == subject))


def same_as(connection: Connection, subject: bytes) -> list[str]:
    """Who else the person was found to be, by subject."""
    theirs = (pair.c.subject == subject) | (pair.c.other == subject)
    rows = connection.execute(select(pair.c.subject, pair.c.other).where(theirs, pair.c.verdict == "same"))
    return sorted((row.other if row.subject == subject else row.subject).hex() for row in rows)


def participations(connection: Connection, programme: str, subject: str | None = None) -> Sequence[Any]:
    """How people's participations stand (`subject`: this person's alone), in one order; `since`: from when on the
    processing about them has been restricted, None if it is not."""
    c, of = participation.c, (restricted.c.subject == participation.c.subject) & (restricted.c.purpose == EVERYTHING)
    query = select(c.subject, c.standing, c.started_on, c.ended_on, c.record, restricted.c.since)
    query = query.outerjoin_from(participation, restricted, of).where(_among(programme, subject))
    return connection.execute(query.order_by(c.subject)).all()


def kinds_of_lines(connection: Connection, programme: str, subject: str | None = None) -> dict[bytes, set[str]]:
    """Of which kinds there are lines about each of these people."""
    c, line = participation.c, journal_line.c
    query = select(c.subject, line.kind).join_from(participation, journal_line, line.subject == c.subject)
    found = defaultdict[bytes, set[str]](set)
    for row in connection.execute(query.where(_among(programme, subject)).distinct()):
        found[row.subject].add(row.kind)
    return found


def people_with_texts(connection: Connection, programme: str, subject: str | None = None) -> set[bytes]:
    """Those of these people of whom there are texts."""
    query = select(participation.c.subject).join_from(participation, text, text.c.subject == participation.c.subject)
    return set(connection.execute(query.where(_among(programme, subject)).distinct()).scalars())


def _among(programme: str, subject: str | None) -> ColumnElement[bool]:
    here = participation.c.programme == programme
    return here if subject is None else here & (participation.c.subject == bytes.fromhex(subject))


def lines_by_kind(connection: Connection, subject: bytes) -> Sequence[Any]:
    """The kinds of line about somebody, each with how many there are, and how many of these go to a lead."""
    line = journal_line.c
    shipped = func.sum(case((line.stream.like("%/local"), 0), else_=1))
    counted = select(line.kind, func.count().label("lines"), shipped.label("to_lead")).where(line.subject == subject)
    return connection.execute(counted.group_by(line.kind).order_by(line.kind)).all()


def newest_line(connection: Connection, subject: bytes) -> int:
    """The position of the newest line about somebody; 0: there is none."""
    newest = select(func.coalesce(func.max(journal_line.c.pos), 0)).where(journal_line.c.subject == subject)
    return int(connection.execute(newest).scalar_one())
