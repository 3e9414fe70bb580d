"""Commands about encounters, doors and visitors; rules as in `commands`."""

from marshmallow import fields, validate

from shared.contracts.commands import MAX_ITEMS, Command, Members, PlainText, Question, Sealed, WorkerName, items
from shared.contracts.fields import (
    Code,
    Codes,
    Day,
    Digest,
    EntityId,
    Flag,
    Language,
    Number,
    ProgrammeKey,
    PublicKey,
    SubjectRef,
    TimeOfDay,
)
from shared.contracts.people import ParticipantItem

REVISION_MOST = 2**31 - 1


class EncounterTokens(Members):
    """What is inside an encounter's `sealed`: nicknames or tokens of visitors who were met."""

    tokens = fields.List(PlainText(80), required=True, validate=validate.Length(min=1, max=50))


class EncounterContent(Members):
    """One encounter. Left out: nobody wrote it down. Visitors' nicknames stand inside `sealed`."""

    date = Day(required=True)
    start = TimeOfDay(allow_none=True)
    location = Code(allow_none=True)
    area = Code(allow_none=True)
    staff = Number(0, 1000, allow_none=True)
    people_new = Number(0, 100_000, allow_none=True)
    people_known = Number(0, 100_000, allow_none=True)
    women = Number(0, 200_000, allow_none=True)
    languages = Codes(Language(), load_default=list)
    topics = Codes(Code(), load_default=list)
    guided_to = Codes(Code(), load_default=list)
    sealed = Sealed(EncounterTokens, allow_none=True)


class EncounterItem(EncounterContent):
    """One encounter to be recorded, with its idempotency key."""

    key = Digest(required=True)


class RecordEncounters(Command):
    """`intake.record_encounters`: results hold each encounter's id."""

    programme = ProgrammeKey(required=True)
    items = items(EncounterItem)
    skip_bad = Flag(load_default=False)


class CorrectEncounter(Command):
    """`intake.correct_encounter`: all of it anew, if it still is at the `revision` that the page showed. Without
    `sealed` the visitors stay as they are. The reply holds the subjects that it had to leave as they are (`left`):
    nothing may be recorded about them."""

    programme = ProgrammeKey(required=True)
    encounter = EntityId(required=True)
    revision = Number(0, REVISION_MOST, required=True)
    content = fields.Nested(EncounterContent, required=True)


class RemoveEncounter(Command):
    """`intake.remove_encounter`: it was recorded by mistake; a second time changes nothing. `left` as above."""

    programme = ProgrammeKey(required=True)
    encounter = EntityId(required=True)
    revision = Number(0, REVISION_MOST, required=True)


class ListEncounters(Question):
    """`intake.list_encounters`: the newest first, or the named one; nobody is named."""

    programme = ProgrammeKey(required=True)
    encounter = EntityId(allow_none=True)
    limit = Number(1, MAX_ITEMS, load_default=100)
    offset = Number(0, 10_000_000, load_default=0)


class StandingItem(ParticipantItem):
    """One person who is known here and now reaches a higher standing, with what is told on that day.

    `keeps_history`: of a visitor, whether they wish that their visits go along; whoever is a client already has one
    record, and is not asked. What is not told again stays as it is known.
    """

    subject = SubjectRef(required=True)
    keeps_history = Flag(allow_none=True)


class RaiseStanding(Command):
    """`intake.raise_standing`: results hold each person's subject, a new one where the history stays behind. `worker`:
    who works with those who have nobody yet."""

    programme = ProgrammeKey(required=True)
    worker = WorkerName(allow_none=True, load_default=None)
    items = items(StandingItem)
    skip_bad = Flag(load_default=False)


TAPS = ("new", "new_woman", "known", "known_woman", "undo", "done", "go_on")
"""The buttons of a door: one head each; `undo` takes the last one back."""


class OpenDoor(Command):
    """`intake.open_door`: begin to count who comes, one tap each; `key` makes a repeated start the same door.

    `women`: they are counted apart.
    """

    programme = ProgrammeKey(required=True)
    key = Digest(required=True)
    date = Day(required=True)
    start = TimeOfDay(allow_none=True)
    location = Code(allow_none=True)
    area = Code(allow_none=True)
    staff = Number(0, 1000, allow_none=True)
    women = Flag(load_default=False)


class TapDoor(Command):
    """`intake.tap_door`: one tap. It counts only on the `revision` that the page showed, so the same tap arriving twice
    counts once. `done`: this is the count for now."""

    programme = ProgrammeKey(required=True)
    encounter = EntityId(required=True)
    revision = Number(0, REVISION_MOST, required=True)
    tap = Code(*TAPS, required=True)


class TapVisitor(Command):
    """`intake.tap_visitor`: a regular is at the door today (`there`), or is not after all; the same again changes
    nothing."""

    programme = ProgrammeKey(required=True)
    encounter = EntityId(required=True)
    subject = SubjectRef(required=True)
    there = Flag(required=True)


class MeetVisitor(Command):
    """`intake.meet_visitor`: somebody at the door tells a nickname (`sealed`: `EncounterTokens` with one); whoever has
    it is known, else a visitor begins. `woman`: the visitor is counted as one, where women are counted apart."""

    programme = ProgrammeKey(required=True)
    encounter = EntityId(required=True)
    sealed = Sealed(EncounterTokens, required=True)
    woman = Flag(load_default=False)


class ListDoors(Question):
    """`intake.list_doors`: those that are open, or one by its encounter, open or not."""

    programme = ProgrammeKey(required=True)
    encounter = EntityId(allow_none=True)


class ListRegulars(Command):
    """`intake.list_regulars`: the tiles of a door: who came to the last ones, by nickname, or by initials where there
    is none; each sealed to `reply_to`, made for this request; reads are logged."""

    programme = ProgrammeKey(required=True)
    encounter = EntityId(required=True)
    reply_to = PublicKey(required=True)
    limit = Number(1, 60, load_default=24)
