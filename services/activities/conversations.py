"""Use cases of the conversation: an individual session with attendance, and what stays on the node about it."""

from collections.abc import Sequence
from datetime import datetime

from services.activities import store
from services.activities.domain import NewAttendance, NewConversation, check_conversation, check_standing
from services.activities.operations import counts_of, hold, record_presence, sift
from shared.contracts.catalogue import (
    ActionAgreed,
    ActionWithdrawn,
    AttendanceRemoved,
    ConversationHeld,
    ConversationRemoved,
    MeetingPlanned,
    MeetingWithdrawn,
    SessionRemoved,
)
from shared.contracts.errors import UnknownSession
from shared.journal import Journal, Unit
from shared.journal.unit import new_id
from shared.ops.clock import iso_day, today_in_helsinki
from shared.programmes import Programme
from shared.storage.once import Results


def record_conversation(
    journal: Journal, programme: str, conversations: Sequence[NewConversation], *, by: str, now: datetime
) -> tuple[Results, int | None]:
    """Record conversations, in order, up to the first that is refused; each is an individual session with attendance.

    One that `replaces` another removes that first, in the same transaction. Returns a result per item,
    ``{"session", "new"}`` or ``{"error"}``, and the journal position.
    """
    with journal.unit(now) as unit:
        connection, today = unit.connection, today_in_helsinki(now)
        definition = store.shelf.get(connection, programme)
        people = store.find_people(connection, (new.subject for new in conversations))
        reached = store.standings(connection, people)
        replaced = [new.replaces for new in conversations if new.replaces]
        there = {one for one in replaced if store.lock_conversation(connection, programme, one) is not None}
        if len(set(replaced)) < len(replaced):
            there = set()  # two corrections of one conversation in one command: neither is the right one

        def check(new: NewConversation) -> None:
            check_conversation(new, definition, today, people, there)
            check_standing("subject", reached.get(new.subject), "participant", new.activity, definition)

        results, added = sift(
            connection,
            "session",
            programme,
            conversations,
            check,
            skip_bad=False,
        )
        for made, new in added.items():
            if new.replaces is not None:
                _remove(unit, programme, new.replaces)
            _record(unit, definition, made, new)
        if added:
            unit.audit(by, "record_conversation", programme=programme, conversations=len(added))
    return results, unit.pos


def _record(unit: Unit, definition: Programme, made: str, new: NewConversation) -> None:
    programme, attendance = definition.key, new_id()
    actions = {new_id(): place for place in range(len(new.actions))}
    meeting = new_id() if new.meeting else None
    hold(unit, programme, {made: new.as_session()}, counts_of(definition))
    there = NewAttendance(new.key, made, new.subject, "participant", new.minutes)
    store.add_attendance(unit.connection, {attendance: there})
    record_presence(unit, programme, attendance, there, new.occurred_on)
    store.add_conversation(unit.connection, made, new, actions, meeting)
    place = {"session": made, "programme": programme}
    unit.record(
        ConversationHeld(
            new.subject,
            **place,
            how=new.how,
            topics=list(new.topics) or None,
            text_ref=new.text_ref,
            occurred_on=new.occurred_on.isoformat(),
        )
    )
    for action, at in actions.items():
        agreed = new.actions[at]
        due = iso_day(agreed.due_on)
        unit.record(ActionAgreed(new.subject, **place, action=action, text_ref=agreed.text_ref, due_on=due))
    if new.meeting and meeting:
        day, start = new.meeting
        unit.record(MeetingPlanned(new.subject, **place, meeting=meeting, on=day.isoformat(), start=start))


def remove_conversation(journal: Journal, programme: str, session: str, *, by: str, now: datetime) -> int | None:
    """Take back a conversation that was recorded by mistake, with all that came of it. Raises `UnknownSession`."""
    with journal.unit(now) as unit:
        store.shelf.get(unit.connection, programme)
        if not _remove(unit, programme, session):
            raise UnknownSession(field="session", programme=programme)
        unit.audit(by, "remove_conversation", programme=programme)
    return unit.pos


def _remove(unit: Unit, programme: str, session: str) -> bool:
    """State and facts of taking it back; False if there is no such conversation."""
    connection = unit.connection
    held = store.lock_conversation(connection, programme, session)
    if held is None:
        return False
    subject = held.subject.hex()
    for row in store.meetings_of(connection, held.session):
        unit.record(MeetingWithdrawn(subject, meeting=row.meeting.hex(), programme=programme))
    for row in store.actions_of(connection, held.session):
        refs = {"action": row.action.hex(), "text_ref": row.text_ref.hex()}
        unit.record(ActionWithdrawn(subject, **refs, programme=programme))
    ref = held.text_ref.hex() if held.text_ref else None
    unit.record(ConversationRemoved(subject, session=session, programme=programme, text_ref=ref))
    for row in store.attendances_of(connection, session):
        removed = AttendanceRemoved(row.subject.hex(), attendance=row.attendance.hex(), session=session)
        unit.record(removed, programme)
    unit.record(SessionRemoved(None, session=session), programme)
    store.remove_session(connection, session)
    return True
