"""Use case of the register: who was at one session, ticked on one page and saved at once."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from services.activities import store
from services.activities.domain import (
    KnownSession,
    NewAttendance,
    NewSession,
    Presence,
    check_attendance,
    check_session,
    check_standing,
)
from services.activities.operations import counts_of, hold, record_presence, sift
from shared.contracts.catalogue import AttendanceRemoved
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    ChangedMeanwhile,
    ConsentWithdrawn,
    InvalidInput,
    ProcessingRestricted,
    UnknownSession,
    unless_refused,
)
from shared.contracts.purposes import PURPOSE_OF_SERVICE
from shared.journal import Journal, Unit
from shared.journal.unit import new_id
from shared.ops.clock import today_in_helsinki
from shared.storage.once import Done, Results, already_done, remember
from shared.storage.restricting import Restricted, refuse_restricted, restricted_among

NOTHING = bytes(16)
"""What a key made that changed nothing."""


def record_register(
    journal: Journal,
    programme: str,
    at: str | NewSession,
    register: Sequence[Presence],
    *,
    by: str,
    now: datetime,
) -> tuple[str, Results, int | None]:
    """Record who was at a session, all or nothing: a recorded one, or a new one that is recorded with it.

    Returns the session, a result per item, ``{"attendance", "new"}`` (None: nothing to do), and the journal position.
    Only who has had the processing restricted, or withdrawn their consent, is left out alone: ``{"error"}``. Raises
    what is wrong with the session or the first wrong item; `ChangedMeanwhile` if somebody else has changed the same
    person since the page was shown.
    """
    if len({item.subject for item in register}) < len(register):
        raise InvalidInput(field="subject", reason="the same person twice")
    with journal.unit(now) as unit:
        session, known, new = _session(unit, programme, at, now)
        filling = _Filling(unit, programme, session, known)
        filling.people = store.find_people(unit.connection, (item.subject for item in register))
        filling.standings = store.standings(unit.connection, filling.people)
        for row in store.attendances_of(unit.connection, session):
            filling.present[row.subject.hex()].append(row)
        done = already_done(unit.connection, store.keys, (item.key for item in register))
        filling.restricted = restricted_among(unit.connection, filling.people)
        results = [filling.take(item, done.get(item.key)) for item in register]
        remember(unit.connection, store.keys, filling.fresh)
        changed = sum(result.get("new", False) for result in results)
        if new or changed:
            unit.audit(by, "record_register", programme=programme, sessions=int(new), changed=changed)
    return session, results, unit.pos


def _session(unit: Unit, programme: str, at: str | NewSession, now: datetime) -> tuple[str, KnownSession, bool]:
    """The session that is filled in, and whether it is recorded only now."""
    definition = store.shelf.get(unit.connection, programme)
    if isinstance(at, str):
        made, new = at, False
    else:
        today = today_in_helsinki(now)
        results, added = sift(
            unit.connection, "session", programme, [at], lambda new: check_session(new, definition, today), False
        )
        made, new = unless_refused(*results)["session"], bool(added)
        hold(unit, programme, added, counts_of(definition))
    store.lock_session(unit.connection, made)
    known = store.find_sessions(unit.connection, [made]).get(made)
    if known is None or known.programme != programme:
        raise UnknownSession(field="session", programme=programme)
    if known.counts == "heads":
        raise InvalidInput(field="session", reason="this activity counts heads, not people")
    return made, known, new


@dataclass(slots=True)
class _Filling:
    """One register being filled in: `present` holds the recorded attendances by subject."""

    unit: Unit
    programme: str
    session: str
    known: KnownSession
    people: Mapping[str, str] = field(default_factory=dict)
    standings: Mapping[str, str] = field(default_factory=dict)
    present: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    fresh: dict[str, Done] = field(default_factory=dict)
    restricted: Restricted = field(default_factory=dict)

    def take(self, item: Presence, known: Done | None) -> dict[str, Any]:
        """The effect of one item; the same again has none."""
        digest = sha256(json.dumps([self.programme, self.session, asdict(item)]).encode()).digest()
        if known is not None or item.key in self.fresh:
            before = known or self.fresh[item.key]
            if before.digest != digest:
                raise AlreadyRecordedDiffers(field="subject")
            return {"attendance": None if before.made == NOTHING else before.made.hex(), "new": False}
        try:
            refuse_restricted(self.restricted, item.subject, PURPOSE_OF_SERVICE["activities"], "activities", "subject")
        except (ProcessingRestricted, ConsentWithdrawn) as error:
            return {"error": error.to_wire()}
        made = self._change(item)
        self.fresh[item.key] = Done(digest, bytes.fromhex(made) if made else NOTHING)
        return {"attendance": made, "new": made is not None}

    def _change(self, item: Presence) -> str | None:
        rows = self.present[item.subject]
        if item.there == bool(rows):
            return self._correct(item, rows[0]) if rows and item.was else None
        if item.was == item.there:
            raise ChangedMeanwhile(field="subject")
        return self._add(item) if item.there else self._remove(rows)

    def _add(self, item: Presence) -> str:
        made = new_id()
        new = NewAttendance(item.key, self.session, item.subject, item.role or "participant", item.minutes)
        check_attendance(new, self.programme, {self.session: self.known}, self.people)
        self._check_standing(new)
        store.add_attendance(self.unit.connection, {made: new})
        record_presence(self.unit, self.programme, made, new, self.known.occurred_on)
        return made

    def _correct(self, item: Presence, row: Any) -> str | None:
        """A role or a length that differs from what is recorded is a later fact of the same attendance."""
        role, minutes = item.role or row.role, row.minutes if item.minutes is None else item.minutes
        if (role, minutes) == (row.role, row.minutes):
            return None
        made: str = row.attendance.hex()
        new = NewAttendance(item.key, self.session, item.subject, role, minutes)
        check_attendance(new, self.programme, {self.session: self.known}, self.people)
        if role != row.role:
            self._check_standing(new)
        store.correct_attendance(self.unit.connection, row.attendance, role, minutes)
        record_presence(self.unit, self.programme, made, new, self.known.occurred_on)
        return made

    def _check_standing(self, new: NewAttendance) -> None:
        definition, standing = store.shelf.get(self.unit.connection, self.programme), self.standings.get(new.subject)
        check_standing("subject", standing, new.role, self.known.activity, definition)

    def _remove(self, rows: Sequence[Any]) -> str:
        for row in rows:
            removed = AttendanceRemoved(row.subject.hex(), attendance=row.attendance.hex(), session=self.session)
            self.unit.record(removed, self.programme)
            store.remove_attendance(self.unit.connection, row.attendance)
        first: str = rows[0].attendance.hex()
        return first
