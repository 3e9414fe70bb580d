"""The statements that change encounters and visits; their tables are in `encounter_tables.py`."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from services.intake.encounter_rules import Encounter
from services.intake.encounter_tables import encounter, visit
from services.intake.store import participation, person, vault

_PLAIN = ("occurred_on", "start", "location", "area", "staff", "people_new", "people_known", "women")
_SEVERAL = ("languages", "topics", "guided_to")


def columns_of(content: Encounter) -> dict[str, Any]:
    """An encounter as columns."""
    plain = {name: getattr(content, name) for name in _PLAIN}
    return plain | {name: " ".join(getattr(content, name)) for name in _SEVERAL}


def content_of(row: Any) -> Encounter:
    """The encounter of a row."""
    plain: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
    return Encounter(**plain | {name: tuple(getattr(row, name).split()) for name in _SEVERAL})


def add_encounters(
    connection: Connection, programme: str, added: Iterable[tuple[str, Encounter]], now: datetime, *, door: bool = False
) -> None:
    """Add encounters by id: a door, of which nothing has been told yet, or what was told at once."""
    fixed = {"programme": programme, "revision": 0, "told": None if door else 0, "told_at": now, "taps": ""}
    fixed |= {"door": door, "done": not door, "hushed": False}
    rows = [{"encounter": bytes.fromhex(made), **fixed, **columns_of(content)} for made, content in added]
    if rows:
        connection.execute(insert(encounter), rows)


def lock_encounter(connection: Connection, programme: str, made: str) -> Any | None:
    """An encounter of the programme; its row is locked until the transaction ends."""
    mine = (encounter.c.programme == programme) & (encounter.c.encounter == bytes.fromhex(made))
    return connection.execute(select(encounter).where(mine).with_for_update()).one_or_none()


def those_there(connection: Connection, made: Iterable[str]) -> set[str]:
    """Those of these encounters that are there."""
    wanted = [bytes.fromhex(one) for one in made]
    found = connection.execute(select(encounter.c.encounter).where(encounter.c.encounter.in_(wanted))).scalars()
    return {bytes(raw).hex() for raw in found}


def untold(connection: Connection, told_before: datetime) -> Sequence[Any]:
    """Doors whose facts lag behind since before this time; their rows are locked."""
    c = encounter.c
    lags = c.door & (c.revision > 0) & c.told.is_distinct_from(c.revision) & (c.told_at < told_before)
    return connection.execute(select(encounter).where(lags).order_by(c.encounter).with_for_update()).all()


def set_encounter(connection: Connection, raw: bytes, values: dict[str, Any]) -> None:
    """Change an encounter."""
    connection.execute(update(encounter).where(encounter.c.encounter == raw).values(**values))


def remove_encounter(connection: Connection, raw: bytes) -> None:
    """Delete an encounter."""
    connection.execute(delete(encounter).where(encounter.c.encounter == raw))


def visits_of(connection: Connection, raw: bytes) -> dict[str, Any]:
    """Who is known to have been met at an encounter, by subject."""
    query = select(visit).where(visit.c.encounter == raw).order_by(visit.c.visit)
    return {row.subject.hex(): row for row in connection.execute(query)}


def add_visits(connection: Connection, programme: str, rows: Sequence[dict[str, Any]]) -> None:
    """Add visits: `visit`, `encounter`, `subject` in hex, `occurred_on`, `counted`, `began`."""
    made = [
        row | {name: bytes.fromhex(row[name]) for name in ("visit", "encounter", "subject")} | {"programme": programme}
        for row in rows
    ]
    if made:
        connection.execute(insert(visit), made)


def visits_of_removed(connection: Connection, programme: str, subject: bytes) -> Sequence[Any]:
    """A person's visits of encounters that are there no more."""
    there = select(encounter.c.encounter).where(encounter.c.encounter == visit.c.encounter).exists()
    theirs = (visit.c.subject == subject) & (visit.c.programme == programme)
    return connection.execute(select(visit).where(theirs, ~there)).all()


def settle_visits(connection: Connection, visits: Sequence[bytes], day: date) -> None:
    """Visits of an encounter that was written anew: on this day, and no tile takes a head away any more."""
    connection.execute(update(visit).where(visit.c.visit.in_(visits)).values(occurred_on=day, counted=None))


def gender_of(connection: Connection, subject: str) -> str | None:
    """What a person's record says of their gender."""
    query = select(participation.c.record).where(participation.c.subject == bytes.fromhex(subject))
    gender: str | None = json.loads(connection.execute(query).scalar_one()).get("gender")
    return gender


def remove_visit(connection: Connection, raw: bytes) -> None:
    """Delete one visit."""
    connection.execute(delete(visit).where(visit.c.visit == raw))


def closed_identities(connection: Connection, programme: str, subjects: Sequence[str] | None = None) -> Iterable[Any]:
    """Everybody of the programme (`subjects`: these) with key and identity, still closed."""
    query: Select[Any] = (
        select(*(participation.c[name] for name in ("subject", "person", "record")), person.c.wrapped_key, vault.c.box)
        .join(person, person.c.person == participation.c.person)
        .join(vault, (vault.c.person == participation.c.person) & (vault.c.name == "identity"))
        .where(participation.c.programme == programme)
    )
    if subjects is not None:
        query = query.where(participation.c.subject.in_([bytes.fromhex(subject) for subject in subjects]))
    return connection.execute(query)
