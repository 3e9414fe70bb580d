"""The statements of exits, which stand in `store.participation`; the table of follow-ups and its statements."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Column, Connection, Date, LargeBinary, String, Table, bindparam, delete, insert, select, update

from services.intake.records import Stay
from services.intake.store import participation
from shared.storage import metadata

follow_up = Table(
    "intake_follow_up",
    metadata,
    Column("follow_up", LargeBinary, primary_key=True),
    Column("subject", LargeBinary, nullable=False, index=True),
    Column("programme", String(40), nullable=False),
    Column("due", Date, nullable=False),
    Column("status", String(20), nullable=False),
    Column("results", String(120)),
    Column("occurred_on", Date, nullable=False),
)
"""Tries to reach people after they left, those in vain among them; `results` as in `participation`."""

SINCE_THE_EXIT = follow_up.c.occurred_on >= participation.c.ended_on
"""Of a follow-up beside its participation: by its own day, not by when it was due: an exit is corrected, and another
version of the file asks on another day (decision 0217)."""


def stays(connection: Connection, programme: str, subjects: Iterable[str]) -> dict[str, Stay]:
    """The participations of these people in the programme. Nobody else changes them until the transaction ends."""
    c = participation.c
    wanted = sorted({bytes.fromhex(subject) for subject in subjects})
    ends = (c.ended_on, c.end_reason, c.end_results, c.end_next, c.end_planned)
    query = select(c.subject, c.standing, c.started_on, c.resumed_on, *ends)
    # In one order everywhere: two workers with the same people wait for each other, not in a circle.
    rows = query.where(c.programme == programme, c.subject.in_(wanted)).order_by(c.subject).with_for_update()
    return {row.subject.hex(): stay_of(row) for row in connection.execute(rows)}


def stay_of(row: Any) -> Stay:
    """How a participation stands, of its row."""
    results = None if row.end_results is None else tuple(row.end_results.split())
    until = (row.started_on, row.resumed_on, row.ended_on, row.end_reason)
    return Stay(*until, results, row.end_next, row.end_planned, row.standing)


def put_stays(connection: Connection, changed: Mapping[str, Stay]) -> None:
    """Store how people's participations stand."""
    rows = [
        {
            **{"b_subject": bytes.fromhex(subject), "resumed_on": stay.resumed_on, "ended_on": stay.ended_on},
            **{"end_reason": stay.reason, "end_results": _text(stay.results), "end_next": stay.next},
            "end_planned": stay.planned,
        }
        for subject, stay in changed.items()
    ]
    if rows:
        connection.execute(update(participation).where(participation.c.subject == bindparam("b_subject")), rows)


def asked_on(connection: Connection, subjects: Iterable[str]) -> dict[str, set[date]]:
    """The days on which each of these people was asked after leaving, or somebody tried to ask them."""
    c, found = follow_up.c, defaultdict[str, set[date]](set)
    if wanted := sorted({bytes.fromhex(subject) for subject in subjects}):
        for row in connection.execute(select(c.subject, c.occurred_on).where(c.subject.in_(wanted))):
            found[row.subject.hex()].add(row.occurred_on)
    return found


def tries_in_vain(connection: Connection, stays: Mapping[str, Stay]) -> Counter[str]:
    """How often each of these people was not reached since the exit that holds."""
    c = follow_up.c
    wanted = sorted(bytes.fromhex(subject) for subject, stay in stays.items() if stay.ended_on is not None)
    query = select(c.subject).join(participation, participation.c.subject == c.subject)
    query = query.where(c.subject.in_(wanted), c.status == "not_reached", SINCE_THE_EXIT)
    return Counter(row.subject.hex() for row in connection.execute(query))


def follow_ups_of(connection: Connection, subject: bytes) -> list[dict[str, Any]]:
    """The tries to reach a person, the oldest first."""
    c = follow_up.c
    query = select(c.follow_up, c.due, c.occurred_on, c.status, c.results).where(c.subject == subject)
    return [
        {
            **{"follow_up": row.follow_up.hex(), "due": row.due.isoformat()},
            **{"date": row.occurred_on.isoformat(), "status": row.status},
            "results": None if row.results is None else row.results.split(),
        }
        for row in connection.execute(query.order_by(c.occurred_on, c.follow_up))
    ]


def add_follow_ups(connection: Connection, programme: str, made: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Add tries to reach people, by their ids."""
    rows = [
        {
            **{"follow_up": bytes.fromhex(ref), "subject": bytes.fromhex(new["subject"]), "programme": programme},
            **{"due": new["due"], "status": new["status"], "results": _text(new["results"])},
            "occurred_on": new["date"],
        }
        for ref, new in made
    ]
    if rows:
        connection.execute(insert(follow_up), rows)


def remove_follow_up(connection: Connection, subject: str, ref: str) -> bool:
    """Such a try of this person is none; whether it was there."""
    this = (follow_up.c.follow_up == bytes.fromhex(ref)) & (follow_up.c.subject == bytes.fromhex(subject))
    return bool(connection.execute(delete(follow_up).where(this)).rowcount)


def _text(results: Sequence[str] | None) -> str | None:
    return None if results is None else " ".join(results)
