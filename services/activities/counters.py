"""Use cases of the tap counter: heads counted one by one, told to the journal now and then.

A tap changes the counter's row only. Facts say the count when the page says *done*, and otherwise at most every
`TELL_EVERY` while it changes, so that a forgotten page loses nothing. A tap names the revision that its page showed:
one that arrives twice, late, or from a second phone finds another revision and counts nothing.
"""

from datetime import datetime, timedelta
from typing import Any

from services.activities import store
from services.activities.domain import NewSession, check_session
from services.activities.operations import hold, sift
from shared.contracts.catalogue import HeadsCounted
from shared.contracts.errors import InvalidInput, UnknownSession, unless_refused
from shared.journal import Journal, Unit
from shared.journal.closing import is_sealed, refuse_new
from shared.ops.clock import today_in_helsinki

TELL_EVERY = timedelta(minutes=5)


def start_counter(
    journal: Journal, programme: str, new: NewSession, *, women: bool, by: str, now: datetime
) -> tuple[str, bool]:
    """Begin to count the heads of a session; returns the counter, which is the session's id, and whether it is new.

    `women`: they are counted too. No fact comes of it before there is a count.
    """
    with journal.unit(now) as unit:
        definition = store.shelf.get(unit.connection, programme)
        refuse_new(unit.connection, journal.home, programme)
        today = today_in_helsinki(now)
        results, added = sift(
            unit.connection, "session", programme, [new], lambda one: check_session(one, definition, today), False
        )
        made: str = unless_refused(*results)["session"]
        if definition.activity_by_key[new.activity].counts != "heads":
            raise InvalidInput(field="activity", reason="this activity counts people, by attendance")
        if added:
            row = {"activity": new.activity, "occurred_on": new.occurred_on, "location": new.location}
            store.add_counter(unit.connection, made, programme, row | {"women": 0 if women else None}, now)
            unit.audit(by, "start_counter", programme=programme)
    return made, bool(added)


def count_heads(
    journal: Journal,
    programme: str,
    counter: str,
    *,
    revision: int,
    heads: int,
    women: int,
    done: bool,
    by: str,
    now: datetime,
) -> tuple[dict[str, Any], int | None]:
    """One tap, if the counter still is at `revision`; returns how it stands now with `taken`, and the journal position.

    `heads` and `women` are added (a woman is a head too); a tap that would count below 0, or more women than heads,
    changes nothing. Raises `UnknownSession`.
    """
    with journal.unit(now) as unit:
        row = store.find_counter(unit.connection, programme, counter)
        if row is None:
            raise UnknownSession(field="counter", programme=programme)
        refuse_new(unit.connection, journal.home, programme)
        if women and row.women is None:
            raise InvalidInput(field="women", reason="are not counted apart here")
        total, of_them = row.heads + heads, None if row.women is None else row.women + women
        taken = row.revision == revision and total >= 0 and (of_them is None or 0 <= of_them <= total)
        if taken:
            values = {"heads": total, "women": of_them, "done": done, "revision": revision + 1, "tapped_at": now}
            store.set_counter(unit.connection, row.session, values)
            if done:
                _tell(unit, store.find_counter(unit.connection, programme, counter), by, now)
        state = store.find_counter(unit.connection, programme, counter)
    return {**store.counter_state(state), "taken": taken}, unit.pos


def tell_counts(journal: Journal, now: datetime) -> int | None:
    """Record the counts that nobody has said *done* to and that changed since they were told; the journal position."""
    with journal.unit(now, late=True) as unit:
        for row in store.untold_counters(unit.connection, now - TELL_EVERY):
            if not is_sealed(unit.connection, journal.home, row.programme):
                _tell(unit, row, "counter", now)
    return unit.pos


def _tell(unit: Unit, row: Any, by: str, now: datetime) -> None:
    """The count as facts; the first time the session too. A count that was told already adds no line."""
    counted = (row.heads, row.women)
    if counted == (row.told_heads, row.told_women):
        return
    session = row.session.hex()
    if row.told_heads is None:
        new = NewSession(
            "", row.activity, row.occurred_on, None, None, row.location, None, (), row.heads, row.women, "counted"
        )
        hold(unit, row.programme, {session: new}, {row.activity: "heads"})
    else:
        fact = HeadsCounted(None, session=session, heads=row.heads, women=row.women, basis="counted")
        unit.record(fact, row.programme)
        store.set_heads(unit.connection, row.session, row.heads, row.women)
    told = {"told_heads": row.heads, "told_women": row.women, "told_at": now}
    store.set_counter(unit.connection, row.session, told)
    unit.audit(by, "count_heads", programme=row.programme, heads=row.heads)
