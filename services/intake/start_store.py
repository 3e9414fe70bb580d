"""The statements of start records that are completed or corrected, and of tries to get a form; one table of its own."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Column, Connection, Date, LargeBinary, String, Table, delete, func, insert, select, update

from services.intake.domain import Arrival
from services.intake.store import participation, vault
from services.intake.text_store import drop_text
from shared.storage import metadata
from shared.storage.upsert import add_missing, upsert
from shared.storage.vault import decrypt, encrypt, unwrap

attempt = Table(
    "intake_attempt",
    metadata,
    Column("attempt", LargeBinary, primary_key=True),
    Column("subject", LargeBinary, nullable=False, index=True),
    Column("programme", String(40), nullable=False),
    Column("record", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    Column("occurred_on", Date, nullable=False),
)
"""Tries to get a start or exit form from somebody, in vain: why there is none."""

exit_form = Table(
    "intake_exit_form",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("wishes_ref", LargeBinary),
    Column("may_call", String(20)),
    Column("signed_on", Date),
    Column("language", String(10)),
    Column("help", String(20)),
    Column("eura_on", Date),
    Column("eura_by", String(20)),
)
"""The exit form of a person: the evidence for it, what they wish (`wishes_ref`, a text), whether they may be called.
Version of the form and where the paper is kept are in the vault, as "exit_form"."""


EXIT_FORM = "exit_form"


def put_start(connection: Connection, row: Any, arrival: Arrival) -> None:
    """Store the start record of a participation `row` (`store.locked_participation`). Who becomes a participant after
    their record was erased is there, if they were away."""
    begins = arrival.standing == "esf_participant" and row.ended_on is None
    values: dict[str, Any] = {"end_reason": None} if begins else {}
    values |= {
        "standing": arrival.standing,
        "started_on": arrival.start_date,
        "record": json.dumps(arrival.record | {"age": arrival.age}),
    }
    connection.execute(update(participation).where(participation.c.subject == row.subject).values(values))


def put_exit_entry(connection: Connection, programme: str, subject: str, day: date, by: str) -> None:
    """Note that a person's exit data are in EURA."""
    row = {"subject": bytes.fromhex(subject), "programme": programme}
    add_missing(connection, exit_form, row)
    this = exit_form.c.subject == row["subject"]
    connection.execute(update(exit_form).where(this).values(eura_on=day, eura_by=by))


def exit_form_of(connection: Connection, subject: str) -> dict[str, str]:
    """What is written down of a person's exit form, without what is in the vault; days in ISO form."""
    row = connection.execute(select(exit_form).where(exit_form.c.subject == bytes.fromhex(subject))).one_or_none()
    if row is None:
        return {}
    days = {"form_signed_on": row.signed_on, "eura_on": row.eura_on}
    found = {"may_call": row.may_call, "form_language": row.language, "form_help": row.help, "eura_by": row.eura_by}
    found |= {name: day.isoformat() for name, day in days.items() if day}
    found |= {"wishes_ref": row.wishes_ref.hex() if row.wishes_ref else None}
    return {name: value for name, value in found.items() if value}


def open_exit_form(connection: Connection, vault_keys: Mapping[int, bytes], row: Any) -> dict[str, str]:
    """Version and place of a person's exit form, in clear; `row` is of `store.locked_participation`."""
    this = (vault.c.person == row.person) & (vault.c.name == EXIT_FORM)
    box = connection.execute(select(vault.c.box).where(this)).scalar_one_or_none()
    if box is None:
        return {}
    key = unwrap(vault_keys, row.person, row.wrapped_key)
    kept: dict[str, str] = json.loads(decrypt(key, EXIT_FORM.encode() + row.person, box))
    return kept


def put_exit_form(
    connection: Connection,
    vault_keys: Mapping[int, bytes],
    programme: str,
    row: Any,
    told: Mapping[str, Any],
    content: Mapping[str, Any],
) -> None:
    """Store an exit form, whole; `row` as above."""
    day = {name: told.get(name) and date.fromisoformat(told[name]) for name in ("form_signed_on", "eura_on")}
    ref = told.get("wishes_ref")
    values = {
        **{"subject": row.subject, "programme": programme, "may_call": told["may_call"]},
        **{"wishes_ref": bytes.fromhex(ref) if ref else None, "signed_on": day["form_signed_on"]},
        **{"language": told.get("form_language"), "help": told.get("form_help")},
        **{"eura_on": day["eura_on"], "eura_by": told.get("eura_by")},
    }
    upsert(connection, exit_form, [values])
    key = unwrap(vault_keys, row.person, row.wrapped_key)
    kept = json.dumps({name: value for name, value in content.items() if value}, ensure_ascii=False).encode()
    box = encrypt(key, EXIT_FORM.encode() + row.person, kept)
    upsert(connection, vault, [{"person": row.person, "name": EXIT_FORM, "box": box}])


def forget_exit_form(connection: Connection, programme: str, subject: str) -> None:
    """Delete a person's exit form, with what they wished."""
    if ref := exit_form_of(connection, subject).get("wishes_ref"):
        drop_text(connection, ref, subject)
    here = (participation.c.subject == bytes.fromhex(subject)) & (participation.c.programme == programme)
    owner = select(participation.c.person).where(here).scalar_subquery()
    connection.execute(delete(vault).where(vault.c.person == owner, vault.c.name == EXIT_FORM))
    connection.execute(delete(exit_form).where(exit_form.c.subject == bytes.fromhex(subject)))


def put_start_entry(connection: Connection, subject: str, day: date, by: str) -> None:
    """Note that a person's start data are in EURA; nobody else changes the record meanwhile."""
    this = participation.c.subject == bytes.fromhex(subject)
    record = json.loads(connection.execute(select(participation.c.record).where(this)).scalar_one())
    entered = json.dumps(record | {"eura_on": day.isoformat(), "eura_by": by})
    connection.execute(update(participation).where(this).values(record=entered))


def eura_counts(connection: Connection, programme: str) -> tuple[int, int]:
    """How many participants' start data, and how many exits, are known to be in EURA."""
    p, e = participation.c, exit_form.c
    participant = (p.programme == programme) & (p.standing == "esf_participant")
    entered = select(func.count()).where(participant, p.record.like('%"eura_on": "%'))
    left = select(func.count()).where(participant, p.ended_on.is_not(None), e.eura_on >= p.ended_on)
    left = left.select_from(participation.join(exit_form, p.subject == e.subject))
    return connection.execute(entered).scalar_one(), connection.execute(left).scalar_one()


def add_attempts(connection: Connection, programme: str, made: Sequence[tuple[str, str, str, str, date]]) -> None:
    """Add tries: id, subject, which form, what came of it, and the day."""
    rows = [
        {
            **{"attempt": bytes.fromhex(ref), "subject": bytes.fromhex(subject), "programme": programme},
            **{"record": record, "status": status, "occurred_on": day},
        }
        for ref, subject, record, status, day in made
    ]
    if rows:
        connection.execute(insert(attempt), rows)


def remove_attempt(connection: Connection, subject: str, ref: str) -> bool:
    """Such a try of this person was none; whether it was there."""
    this = (attempt.c.attempt == bytes.fromhex(ref)) & (attempt.c.subject == bytes.fromhex(subject))
    return bool(connection.execute(delete(attempt).where(this)).rowcount)


def attempts(connection: Connection, subject: bytes) -> list[dict[str, str]]:
    """The person's tries, the oldest first."""
    return attempts_of(connection, [subject]).get(subject.hex(), [])


def attempts_of(connection: Connection, subjects: Sequence[bytes]) -> dict[str, list[dict[str, str]]]:
    """The tries of each of these people who has any, the oldest first."""
    c, found = attempt.c, defaultdict[str, list[dict[str, str]]](list)
    query = select(c.attempt, c.subject, c.record, c.status, c.occurred_on).where(c.subject.in_(subjects))
    for r in connection.execute(query.order_by(c.occurred_on, c.attempt)):
        said = {"attempt": r.attempt.hex(), "record": r.record, "status": r.status}
        found[r.subject.hex()].append(said | {"date": r.occurred_on.isoformat()})
    return dict(found)
