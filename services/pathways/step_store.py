"""Tables of pathways about steps beyond times on them, and the only statements that change them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Column, Connection, Date, Index, LargeBinary, String, Table, delete, select, update

from services.pathways.conditions import Met
from services.pathways.domain import Pause
from services.pathways.store import attendance, outcome, session, stay
from shared.storage import metadata
from shared.storage.upsert import add_missing, upsert

seen = Table(
    "pathways_seen",
    metadata,
    Column("programme", String(40), primary_key=True),
    Column("subject", LargeBinary, primary_key=True),
    Column("fact", String(40), primary_key=True),
    Column("code", String(40), primary_key=True),
    Column("seen_on", Date, primary_key=True),
    Index("pathways_seen_subject", "subject"),
)
"""Facts about people that steps may wait for and that stand in no other table: which, its code ("": it has none), and
its day."""

pause = Table(
    "pathways_pause",
    metadata,
    Column("pause", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("step", String(40), nullable=False),
    Column("paused_on", Date, nullable=False),
    Column("resumed_on", Date),
    Index("pathways_pause_subject", "subject"),
)
"""Times away from a step that a person is on; `resumed_on` null: until it is left, if it is."""

product = Table(
    "pathways_product",
    metadata,
    Column("programme", String(40), primary_key=True),
    Column("product", String(40), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("occurred_on", Date, nullable=False),
)

CODE_OF = {
    "standing_reached": "standing",
    "participation_started": "target_group",
    "conversation_held": None,
    "action_agreed": None,
    "meeting_planned": None,
}
"""The facts that are kept in `pathways_seen`, and the code of each that may narrow a condition."""


def see(connection: Connection, programme: str, subject: str, fact: str, code: str | None, day: date) -> None:
    """Keep that there was such a fact on this day."""
    row = {"programme": programme, "subject": bytes.fromhex(subject), "fact": fact, "code": code or "", "seen_on": day}
    add_missing(connection, seen, row)


def forget_seen(connection: Connection, subject: str, fact: str) -> None:
    """Delete that there were such facts about a person."""
    this = (seen.c.subject == bytes.fromhex(subject)) & (seen.c.fact == fact)
    connection.execute(delete(seen).where(this))


def find_met(connection: Connection, programme: str, subjects: Iterable[str] | None) -> Mapping[str, list[Met]]:
    """What is known of these people (None: of all of the programme) that steps may wait for; times on steps apart."""
    wanted = None if subjects is None else [bytes.fromhex(subject) for subject in set(subjects)]
    found: dict[str, list[Met]] = defaultdict(list)

    def of(column: Any) -> Any:
        return column.is_not(None) if wanted is None else column.in_(wanted)

    for row in connection.execute(select(seen).where(seen.c.programme == programme, of(seen.c.subject))):
        word = CODE_OF.get(row.fact)
        codes = {word: row.code or None} if word else {}
        found[row.subject.hex()].append(Met(row.fact, codes, row.seen_on))
    there = (
        select(attendance.c.subject, session.c.activity, session.c.occurred_on)
        .join(session, session.c.session == attendance.c.session)
        .where(session.c.programme == programme, attendance.c.role == "participant", of(attendance.c.subject))
        .distinct()
    )
    for row in connection.execute(there):
        found[row.subject.hex()].append(Met("attendance_recorded", {"activity": row.activity}, row.occurred_on))
    for row in connection.execute(select(outcome).where(outcome.c.programme == programme, of(outcome.c.subject))):
        codes = {"activity": row.activity, "outcome": row.outcome}
        found[row.subject.hex()].append(Met("outcome_recorded", codes, row.occurred_on))
    return found


def find_pauses(connection: Connection, subjects: Iterable[str]) -> dict[tuple[str, str], list[Pause]]:
    """These people's times away from steps, by (person, step)."""
    wanted = [bytes.fromhex(subject) for subject in set(subjects)]
    found: dict[tuple[str, str], list[Pause]] = defaultdict(list)
    for row in connection.execute(select(pause).where(pause.c.subject.in_(wanted)).order_by(pause.c.paused_on)):
        found[row.subject.hex(), row.step].append(Pause(row.pause.hex(), row.paused_on, row.resumed_on))
    return found


def put_pauses(connection: Connection, programme: str, pauses: Mapping[tuple[str, str], Iterable[Pause]]) -> None:
    """Keep these times away as they are now, by (person, step)."""
    rows = [
        {
            "pause": bytes.fromhex(one.pause),
            "programme": programme,
            "subject": bytes.fromhex(subject),
            "step": step,
            "paused_on": one.paused_on,
            "resumed_on": one.resumed_on,
        }
        for (subject, step), several in pauses.items()
        for one in several
    ]
    upsert(connection, pause, rows)


def end_stay(connection: Connection, stay_id: str, day: date) -> None:
    """A time on a step has ended."""
    connection.execute(update(stay).where(stay.c.stay == bytes.fromhex(stay_id)).values(left_on=day))


def remove_stay(connection: Connection, stay_id: str, pauses: Iterable[str]) -> None:
    """A time on a step, and these away from it, were none."""
    connection.execute(delete(stay).where(stay.c.stay == bytes.fromhex(stay_id)))
    remove_pauses(connection, pauses)


def remove_pauses(connection: Connection, pauses: Iterable[str]) -> None:
    """These times away from steps were none."""
    connection.execute(delete(pause).where(pause.c.pause.in_([bytes.fromhex(one) for one in pauses])))


def find_product(connection: Connection, programme: str, key: str) -> Any | None:
    """How far a product is, or None."""
    here = (product.c.programme == programme) & (product.c.product == key)
    return connection.execute(select(product).where(here)).one_or_none()


def put_product(connection: Connection, programme: str, key: str, state: str, day: date) -> None:
    """Keep how far a product is."""
    row = {"programme": programme, "product": key, "state": state, "occurred_on": day}
    upsert(connection, product, [row])
