"""Commands and questions about sessions, and who was there."""

from marshmallow import fields, validate

from shared.contracts.catalogue import BASES, ROLES
from shared.contracts.commands import MAX_ITEMS, Command, Item, Question, items
from shared.contracts.fields import (
    Code,
    Codes,
    Day,
    EntityId,
    Flag,
    Language,
    Number,
    ProgrammeKey,
    SubjectRef,
    TimeOfDay,
)


class SessionItem(Item):
    """One session, perhaps with its head-count."""

    activity = Code(required=True)
    date = Day(required=True)
    start = TimeOfDay(allow_none=True)
    minutes = Number(1, 1440, allow_none=True)
    location = Code(allow_none=True)
    area = Code(allow_none=True)
    languages = Codes(Language(), allow_none=True)
    headcount = Number(0, 100_000, allow_none=True)
    headcount_women = Number(0, 100_000, allow_none=True)
    headcount_basis = Code(*BASES, allow_none=True)


class RecordSessions(Command):
    """`activities.record_sessions`: results hold each session's id."""

    programme = ProgrammeKey(required=True)
    items = items(SessionItem)
    skip_bad = Flag(load_default=False)


class AttendanceItem(Item):
    """One person at one session."""

    session = EntityId(required=True)
    subject = SubjectRef(required=True)
    role = Code(*ROLES, required=True)
    minutes = Number(1, 1440, allow_none=True)


class RecordAttendance(Command):
    """`activities.record_attendance`."""

    programme = ProgrammeKey(required=True)
    items = items(AttendanceItem)
    skip_bad = Flag(load_default=False)


class ListSessions(Question):
    """`activities.list_sessions`: the newest first; `activities`: of these alone, which are behind one figure."""

    programme = ProgrammeKey(required=True)
    activities = fields.List(Code(), allow_none=True, validate=validate.Length(max=MAX_ITEMS))
    limit = Number(1, MAX_ITEMS, load_default=100)
    offset = Number(0, 10_000_000, load_default=0)
