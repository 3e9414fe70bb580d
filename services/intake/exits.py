"""Use cases of exit records: people leave, come back, and are asked afterwards; one transaction each.

Rules are in `records.py`, the statements in `exit_store.py`.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from services.intake import eura, exit_store, start_store, store
from services.intake.records import NewExit, NewFollowUp, Stay, check_exit, check_follow_up, check_resumed, takes_effect
from shared.contracts.errors import UnknownPerson
from shared.contracts.mistake_facts import FollowUpRemoved
from shared.contracts.record_facts import FollowUpRecorded, ParticipationEnded, ParticipationResumed
from shared.journal import Journal, Unit
from shared.journal.unit import new_id
from shared.ops.clock import today_in_helsinki
from shared.storage.once import Results, each_once


def record_exits(
    journal: Journal, programme: str, items: Sequence[NewExit], *, by: str, now: datetime, skip_bad: bool = False
) -> tuple[Results, int | None]:
    """Record people's exits, in order, up to the first that is refused (`skip_bad`: all that are not).

    Returns a result per item, ``{"subject", "new"}`` or ``{"error"}``, and the journal position, None if nothing was
    new. An exit before the one that holds is taken and changes nothing: a record has its last exit. Whoever came back
    after the exit that holds (`resumed_on`) is with the project again.
    """
    with journal.unit(now) as unit:
        results = leave(unit, programme, items, by=by, skip_bad=skip_bad)
    return results, unit.pos


def leave(unit: Unit, programme: str, items: Sequence[NewExit], *, by: str, skip_bad: bool = False) -> Results:
    """The same within a unit of work."""
    definition, today = store.shelf.get(unit.connection, programme), today_in_helsinki(unit.now)
    stays = exit_store.stays(unit.connection, programme, (new.subject for new in items))
    asked = exit_store.asked_on(unit.connection, (new.subject for new in items if new.corrects))
    changed: dict[str, Stay] = {}

    def take(new: NewExit) -> str:
        stay = _of(stays, new.subject, programme)
        check_exit(new, stay, definition, today, asked[new.subject])
        if takes_effect(new, stay):
            if stay.ended_on is None and stay.resumed_on is not None:  # a form is of the exit before they came back
                start_store.forget_exit_form(unit.connection, programme, new.subject)
            stays[new.subject] = changed[new.subject] = stay.left(new)
            body = {"reason": new.reason, "results": _list(new.results), "next": new.next}
            body |= {"planned": new.service}
            unit.record(ParticipationEnded(new.subject, occurred_on=new.date.isoformat(), **body), programme)
        if new.resumed_on is not None and stays[new.subject].ended_on == new.date:
            stays[new.subject] = changed[new.subject] = _back(
                unit, programme, new.subject, stays[new.subject], new.resumed_on
            )
        return new.subject

    results, fresh = each_once(
        unit.connection, store.keys, programme, items, take, what="subject", field="key", skip_bad=skip_bad
    )
    with eura.recounting(unit, programme):
        exit_store.put_stays(unit.connection, changed)
    if fresh:
        unit.audit(by, "record_exits", programme=programme, people=len(fresh))
    return results


def resume_participation(
    journal: Journal, programme: str, subject: str, day: date, *, by: str, now: datetime
) -> tuple[bool, int | None]:
    """Note that somebody who had left is back; returns whether that is new, and the journal position.

    Raises `UnknownPerson` or `InvalidInput`.
    """
    with journal.unit(now) as unit:
        stay = _of(exit_store.stays(unit.connection, programme, [subject]), subject, programme)
        if stay.ended_on is None and stay.resumed_on == day:
            return False, None
        check_resumed(day, stay, today_in_helsinki(now))
        with eura.recounting(unit, programme):
            exit_store.put_stays(unit.connection, {subject: _back(unit, programme, subject, stay, day)})
        unit.audit(by, "resume_participation", programme=programme, subject=subject)
    return True, unit.pos


def _back(unit: Unit, programme: str, subject: str, stay: Stay, day: date) -> Stay:
    """Record that somebody who has left is back; how they stand then. The form beside the exit stays until the next
    one, should the return have been a mistake (`returns`); meanwhile nobody has one."""
    unit.record(ParticipationResumed(subject, occurred_on=day.isoformat()), programme)
    return stay.resumed(day)


def record_follow_ups(
    journal: Journal, programme: str, items: Sequence[NewFollowUp], *, by: str, now: datetime, skip_bad: bool = False
) -> tuple[Results, int | None]:
    """Record tries to reach people after they left; refusals and results as above, with ``{"follow_up", "new"}``."""
    with journal.unit(now) as unit:
        definition, today = store.shelf.get(unit.connection, programme), today_in_helsinki(now)
        stays = exit_store.stays(unit.connection, programme, (new.subject for new in items))

        tries = exit_store.tries_in_vain(unit.connection, stays)

        def take(new: NewFollowUp) -> str:
            stay = _of(stays, new.subject, programme)
            check_follow_up(new, stay, definition, today, tries[new.subject])
            tries[new.subject] += new.status == "not_reached"
            made = new_id()
            body: dict[str, Any] = {"follow_up": made, "status": new.status, "results": _list(new.results)}
            days = {"due": new.due.isoformat(), "occurred_on": new.date.isoformat()}
            unit.record(FollowUpRecorded(new.subject, **body, **days), programme)
            return made

        results, fresh = each_once(
            unit.connection, store.keys, programme, items, take, what="follow_up", field="key", skip_bad=skip_bad
        )
        exit_store.add_follow_ups(unit.connection, programme, [(made, asdict(new)) for made, new in fresh])
        if fresh:
            unit.audit(by, "record_follow_ups", programme=programme, people=len(fresh))
    return results, unit.pos


def remove_follow_up(
    journal: Journal, programme: str, subject: str, follow_up: str, *, by: str, now: datetime
) -> tuple[bool, int | None]:
    """Take back a try that was recorded by mistake: then it was none, and the person may be due again (decision 0249).

    Returns whether it was there, and the journal position. Raises `UnknownProgramme` or `UnknownPerson`.
    """
    with journal.unit(now) as unit:
        store.shelf.get(unit.connection, programme)
        _of(exit_store.stays(unit.connection, programme, [subject]), subject, programme)
        if not exit_store.remove_follow_up(unit.connection, subject, follow_up):
            return False, None
        unit.record(FollowUpRemoved(subject, follow_up=follow_up), programme)
        unit.audit(by, "remove_follow_up", programme=programme, subject=subject)
    return True, unit.pos


def _of(stays: dict[str, Stay], subject: str, programme: str) -> Stay:
    if subject not in stays:
        raise UnknownPerson(field="participant", programme=programme)
    return stays[subject]


def _list(results: tuple[str, ...] | None) -> list[str] | None:
    return None if results is None else list(results)
