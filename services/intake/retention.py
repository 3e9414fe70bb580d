"""Retention: what the programme file's `purposes` let go today, and erasing it by the same means as when somebody asks.

A person goes as a whole when everything recorded about them may go; else what may, purpose by purpose. Who has had the
processing restricted is held back: they may need what is there (GDPR, article 18(1)(c)).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from services.intake import purposes, rights_store, store
from services.intake.operations import First, Vault, erase
from services.intake.records import purposes_of
from shared.journal import Journal
from shared.ops.clock import today_in_helsinki
from shared.ops.metrics import gauge
from shared.programmes import Programme
from shared.storage import snapshot

people_due = gauge(
    "polku_intake_retention_due",
    "People of whom something is kept longer than the programme file says, without those held back; looked at hourly",
    "programme",
)


@dataclass(frozen=True, slots=True)
class Due:
    """What of a person is kept no longer: purposes by the first day on which they may go; `whole`: that is all."""

    subject: str
    purposes: Mapping[str, date]
    whole: bool
    held_back: bool

    def to_json(self) -> dict[str, Any]:
        """With the last day on which each was to be kept."""
        days = {key: (day - timedelta(days=1)).isoformat() for key, day in self.purposes.items()}
        each = [{"purpose": key, "kept_until": day} for key, day in sorted(days.items())]
        return {"person": self.subject, "purposes": each, "whole": self.whole, "held_back": self.held_back}


def due(connection: Connection, programme: str, today: date, subject: str | None = None) -> list[Due]:
    """Who and what is due (`subject`: of this person alone), by subject."""
    definition = store.shelf.get(connection, programme)
    kinds = rights_store.kinds_of_lines(connection, programme, subject)
    texts = rights_store.people_with_texts(connection, programme, subject)
    found = []
    for row in rights_store.participations(connection, programme, subject):
        held = purposes_of(row, kinds.get(row.subject, ()), texts=row.subject in texts)
        # Of whom nothing is recorded, a name is kept to work with them.
        kept = held or {"support"}
        days = _due(definition, kept, row.ended_on, today)
        if days:
            whole = days.keys() == kept
            found.append(Due(row.subject.hex(), days, whole, row.since is not None))
    return found


def counts(connection: Connection, today: date) -> dict[str, int]:
    """Of how many people something is due, by programme; who is held back is not among them."""
    found = {}
    for definition in store.shelf.all(connection):
        rules = definition.purpose_by_key.values()
        told = any(rule.keep_until is not None or rule.keep_months is not None for rule in rules)
        people = due(connection, definition.key, today) if told else []
        found[definition.key] = sum(not one.held_back for one in people)
    return found


def measure(engine: Engine, now: datetime) -> None:
    """Say of how many people something waits to be erased: nobody else would."""
    with snapshot(engine) as connection:
        found = counts(connection, today_in_helsinki(now))
    for programme, number in found.items():
        people_due.labels(programme).set(number)


def _due(definition: Programme, held: set[str], ended_on: date | None, today: date) -> dict[str, date]:
    days = {key: definition.purpose_by_key[key].due_on(ended_on, definition.period.end) for key in held}
    return {key: day for key, day in days.items() if day is not None and day <= today}


def apply(
    journal: Journal, keys: Vault, programme: str, *, by: str, now: datetime, first: First, limit: int
) -> tuple[dict[str, Any], int | None]:
    """Erase what is due of up to `limit` people, each in a transaction of their own: ``{"erased", "ended", "more"}``
    and the last position. Done again it goes on; when nothing is due it does nothing."""
    today, pos = today_in_helsinki(now), None
    done = {"erased": 0, "ended": 0}
    with snapshot(journal.engine) as connection:
        waiting = [one.subject for one in due(connection, programme, today) if not one.held_back]
    for subject in waiting[:limit]:
        with journal.unit(now, right=True) as unit:
            # As it is now that nobody else changes it: somebody may have recorded more, or restricted it.
            if store.locked_participation(unit.connection, programme, subject) is None:
                continue
            for one in due(unit.connection, programme, today, subject):
                if one.held_back:
                    continue
                if one.whole:
                    done["erased"] += erase(unit, programme, subject, first)
                else:
                    for key in sorted(one.purposes):
                        ended = purposes.end(unit, keys, programme, subject, key, "retention", first=first)
                        done["ended"] += ended is not None
                said: dict[str, Any] = {"subject": subject, "purposes": sorted(one.purposes), "whole": int(one.whole)}
                unit.audit(by, "retention", programme=programme, **said)
        pos = unit.pos or pos
    return {**done, "more": len(waiting) > limit}, pos
