"""Tables of measurement and the only statements that change them."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

from sqlalchemy import Column, Connection, Date, Index, LargeBinary, String, Table, Text, delete, insert, select

from services.measurement.domain import KnownAssessment, KnownPerson, KnownSession, NewAssessment
from shared.instruments import Instrument
from shared.programmes.shelf import Shelf
from shared.storage import metadata
from shared.storage.forgetting import forget_subject
from shared.storage.once import key_table
from shared.storage.upsert import add_missing, upsert

shelf = Shelf("measurement")
keys = key_table("measurement")

definition = Table(
    "measurement_definition",
    metadata,
    Column("definition", String(64), primary_key=True),
    Column("text", Text, nullable=False),
)
"""Every definition that a score here was computed by, by its digest: scores outlive the release that shipped it."""

assessment = Table(
    "measurement_assessment",
    metadata,
    Column("assessment", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("subject", LargeBinary),
    Column("session", LargeBinary),
    Column("instrument", String(40), nullable=False),
    Column("version", String(40), nullable=False),
    Column("definition", String(64), nullable=False),
    Column("occasion", String(20), nullable=False),
    Column("occurred_on", Date, nullable=False),
    Column("answers", Text, nullable=False),
    Index("measurement_assessment_subject", "subject"),
)
"""Filled-in forms in their last state; `answers` is JSON by item, `subject` is null where a form names nobody."""

score = Table(
    "measurement_score",
    metadata,
    Column("assessment", LargeBinary, primary_key=True),
    Column("scale", String(40), primary_key=True),
    Column("score", String(12)),
)
"""The scores of each assessment, of anonymous ones too; null where too little was answered."""

person = Table(
    "measurement_person",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("since", Date),
)
"""The people of this node whom an assessment may name, as intake's facts say; `since` is the earliest day told."""

session = Table(
    "measurement_session",
    metadata,
    Column("session", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("occurred_on", Date, nullable=False),
)
"""The sessions of this node at which a form may have been filled in, as the facts of activities say."""

wording = Table(
    "measurement_wording",
    metadata,
    Column("instrument", String(40), primary_key=True),
    Column("version", String(40), primary_key=True),
    Column("item", String(40), primary_key=True),
    Column("lang", String(2), primary_key=True),
    Column("text", Text, nullable=False),
)
"""An organisation's own questions, by item and language. Of nobody, and no part of any fact."""


def put_assessments(
    connection: Connection, programme: str, made: Mapping[str, tuple[NewAssessment, Instrument, dict[str, str | None]]]
) -> None:
    """Store assessments by id, with their scores, over what they correct; keep the definitions they name."""
    for instrument in {instrument.digest: instrument for _, instrument, _ in made.values()}.values():
        add_missing(connection, definition, {"definition": instrument.digest, "text": instrument.text})
    forms = [
        {
            "assessment": bytes.fromhex(made_id),
            "programme": programme,
            "subject": _raw(new.subject),
            "session": _raw(new.session),
            "instrument": new.instrument,
            "version": new.version,
            "definition": instrument.digest,
            "occasion": new.occasion,
            "occurred_on": new.occurred_on,
            "answers": json.dumps(new.answers, sort_keys=True, separators=(",", ":")),
        }
        for made_id, (new, instrument, _) in made.items()
    ]
    upsert(connection, assessment, forms)
    found = [
        {"assessment": bytes.fromhex(made_id), "scale": scale, "score": value}
        for made_id, (_, _, scores) in made.items()
        for scale, value in scores.items()
    ]
    upsert(connection, score, found)


def _raw(given: str | None) -> bytes | None:
    return bytes.fromhex(given) if given is not None else None


def _ids(given: Iterable[str | None]) -> Sequence[bytes]:
    return [bytes.fromhex(one) for one in set(given) if one is not None]


def find_people(connection: Connection, subjects: Iterable[str | None]) -> dict[str, KnownPerson]:
    """Those of these people who are known here."""
    rows = connection.execute(select(person).where(person.c.subject.in_(_ids(subjects))))
    return {row.subject.hex(): KnownPerson(row.programme, row.since) for row in rows}


def find_sessions(connection: Connection, ids: Iterable[str | None]) -> dict[str, KnownSession]:
    """Those of these sessions that are known here."""
    rows = connection.execute(select(session).where(session.c.session.in_(_ids(ids))))
    return {row.session.hex(): KnownSession(row.programme, row.occurred_on) for row in rows}


def find_assessments(connection: Connection, ids: Iterable[str | None]) -> dict[str, KnownAssessment]:
    """Those of these assessments that exist. Nobody else changes them or takes them back until the transaction ends."""
    query = select(assessment).where(assessment.c.assessment.in_(_ids(ids)))
    # In one order everywhere: two who correct the same wait for each other, not in a circle.
    rows = connection.execute(query.order_by(assessment.c.assessment).with_for_update())
    return {
        row.assessment.hex(): KnownAssessment(
            *(row.programme, _hex(row.subject), row.instrument, row.version),
            *(_hex(row.session), row.occurred_on, revision_of(row)),
        )
        for row in rows
    }


def revision_of(row: Any) -> str:
    """How an assessment stands, by what a correction can change."""
    return sha256(json.dumps([row.occasion, str(row.occurred_on), row.answers]).encode()).hexdigest()


def _hex(raw: bytes | None) -> str | None:
    return raw.hex() if raw is not None else None


def forms_of(connection: Connection, programme: str, subject: str) -> Sequence[Any]:
    """The person's forms in this programme, the newest first."""
    c = assessment.c
    query = select(assessment).where(c.subject == bytes.fromhex(subject), c.programme == programme)
    return connection.execute(query.order_by(c.occurred_on.desc(), c.assessment)).all()


def scores_of(connection: Connection, assessments: Iterable[bytes]) -> dict[bytes, dict[str, str | None]]:
    """The scores of each of these assessments, by scale in order."""
    found: dict[bytes, dict[str, str | None]] = {one: {} for one in assessments}
    for row in connection.execute(select(score).where(score.c.assessment.in_(found)).order_by(score.c.scale)):
        found[row.assessment][row.scale] = row.score
    return found


def days_of_forms(connection: Connection, subjects: Iterable[str]) -> dict[str, dict[tuple[str, str], list[date]]]:
    """The days of these people's forms, by person, and by instrument and occasion."""
    c, found = assessment.c, dict[str, dict[tuple[str, str], list[date]]]()
    query = select(c.subject, c.instrument, c.occasion, c.occurred_on).where(c.subject.in_(_ids(subjects)))
    for row in connection.execute(query):
        found.setdefault(row.subject.hex(), {}).setdefault((row.instrument, row.occasion), []).append(row.occurred_on)
    return found


def people_of(connection: Connection, programme: str, only: Iterable[str] | None) -> list[str]:
    """The people of the programme (`only`: those of these), in one order."""
    query = select(person.c.subject).where(person.c.programme == programme).order_by(person.c.subject)
    if only is not None:
        query = query.where(person.c.subject.in_(_ids(only)))
    return [subject.hex() for subject in connection.execute(query).scalars()]


def locked_forms(connection: Connection, subjects: Iterable[str | None]) -> Counter[tuple[str | None, str, str]]:
    """How many forms these people have by (person, instrument, occasion). Nobody else who asks this adds to them until
    the transaction ends."""
    wanted, c = sorted(_ids(subjects)), assessment.c
    # In one order everywhere: two workers with the same people wait for each other, not in a circle.
    connection.execute(
        select(person.c.subject).where(person.c.subject.in_(wanted)).order_by(person.c.subject).with_for_update()
    ).all()
    rows = connection.execute(select(c.subject, c.instrument, c.occasion).where(c.subject.in_(wanted)))
    return Counter((row.subject.hex(), row.instrument, row.occasion) for row in rows)


def remove_assessment(connection: Connection, programme: str, subject: str | None, made: str) -> bool:
    """Delete this form of this person (None: of nobody), and its scores; whether it was there."""
    c, raw = assessment.c, bytes.fromhex(made)
    this = (c.assessment == raw) & (c.programme == programme) & (c.subject == _raw(subject))
    # The form first: whoever corrects it holds it, and the scores are those of their correction.
    if not connection.execute(delete(assessment).where(this)).rowcount:
        return False
    connection.execute(delete(score).where(score.c.assessment == raw))
    return True


def put_person(connection: Connection, subject: str, programme: str, since: date | None) -> None:
    """Know a person; of several days that standings were reached on, the earliest is the first day."""
    before = find_people(connection, [subject]).get(subject)
    days = [day for day in (since, before.since if before else None) if day is not None]
    row = {"subject": bytes.fromhex(subject), "programme": programme, "since": min(days, default=None)}
    upsert(connection, person, [row])


def put_session(connection: Connection, held: str, programme: str, occurred_on: date) -> None:
    """Know a session."""
    upsert(connection, session, [{"session": _raw(held), "programme": programme, "occurred_on": occurred_on}])


def forget_person(connection: Connection, subject: str) -> None:
    """Delete what is kept of an erased person, answers and scores."""
    _forget_scores(connection, subject)
    forget_subject(connection, "measurement", keys, subject)


def clear_person(connection: Connection, subject: str) -> int:
    """Delete all but that the person is one of the node's; how many rows."""
    return _forget_scores(connection, subject) + forget_subject(
        connection, "measurement", keys, subject, keep=(person.name,)
    )


def _forget_scores(connection: Connection, subject: str) -> int:
    theirs = select(assessment.c.assessment).where(assessment.c.subject == bytes.fromhex(subject))
    return connection.execute(delete(score).where(score.c.assessment.in_(theirs))).rowcount


def put_wording(connection: Connection, instrument: str, version: str, texts: Mapping[str, Mapping[str, str]]) -> None:
    """Store these questions, by item and language, in place of those that were there."""
    which = {"instrument": instrument, "version": version}
    rows = [
        which | {"item": item, "lang": lang, "text": text}
        for item, told in texts.items()
        for lang, text in told.items()
    ]
    this = (wording.c.instrument == instrument) & (wording.c.version == version)
    connection.execute(delete(wording).where(this))
    connection.execute(insert(wording), rows)


def wording_of(connection: Connection, instrument: str, version: str) -> dict[str, dict[str, str]]:
    """The questions by item and language; empty where there are none."""
    found: dict[str, dict[str, str]] = {}
    query = select(wording).where(wording.c.instrument == instrument, wording.c.version == version)
    for row in connection.execute(query):
        found.setdefault(row.item, {})[row.lang] = row.text
    return found
