"""The bodies of the commands for free text, conversations, registers and counters; rules as in `commands`.

Apart from `commands` only because a file stays under 400 lines; `load` checks these too.
"""

import re
from typing import Any

from marshmallow import ValidationError, fields, validate

from shared.contracts.catalogue import HOWS, ROLES
from shared.contracts.commands import MAX_ITEMS, Command, Item, Members, Question, Sealed, items
from shared.contracts.fields import (
    Code,
    Codes,
    Day,
    Digest,
    EntityId,
    Flag,
    Number,
    ProgrammeKey,
    PublicKey,
    SubjectRef,
    TimeOfDay,
)
from shared.contracts.sessions import SessionItem

LONGEST_TEXT = 4000
"""Characters of a note: a page and a half. Sealed it fits into `Sealed` whatever they are."""
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class FreeText(fields.String):
    """What somebody typed, several lines perhaps, inside `Sealed` only."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(validate=[validate.Length(min=1, max=LONGEST_TEXT), _no_control_but_lines], **kw)


def _no_control_but_lines(text: str) -> None:
    if _CONTROL_BUT_LINES.search(text):
        raise ValidationError("has control characters")


class TextContent(Members):
    """What is inside the `sealed` of a text."""

    text = FreeText(required=True)


class TextItem(Item):
    """One free text: of a person (`subject`), or of none, as the note of a session is."""

    subject = SubjectRef(allow_none=True)
    sealed = Sealed(TextContent, required=True)


class KeepTexts(Command):
    """`intake.keep_texts`: results hold each text's `text_ref`, the only thing that other services keep of it."""

    programme = ProgrammeKey(required=True)
    items = items(TextItem)


class ReadTexts(Command):
    """`intake.read_texts`: each text sealed to `reply_to`, made for this request; reads are logged.

    `own_only`: none of a person who is another worker's than `by`'s.
    """

    programme = ProgrammeKey(required=True)
    own_only = Flag(load_default=False)
    refs = fields.List(EntityId(), required=True, validate=validate.Length(min=1, max=MAX_ITEMS))
    reply_to = PublicKey(required=True)


LONGEST_CONVERSATION = 720
"""Minutes: a visit somewhere together may take a day, and nothing takes longer."""


class AgreedAction(Members):
    """Something agreed on; its text is in the vault."""

    text_ref = EntityId(required=True)
    due_on = Day(allow_none=True)


class NextMeeting(Members):
    """When person and worker meet again."""

    on = Day(required=True)
    start = TimeOfDay(allow_none=True)


class ConversationItem(Item):
    """One talk with one person; `replaces` names the session of the conversation that this one corrects."""

    activity = Code(required=True)
    subject = SubjectRef(required=True)
    date = Day(required=True)
    minutes = Number(1, LONGEST_CONVERSATION, required=True)
    how = Code(*HOWS, required=True)
    topics = Codes(Code(), load_default=list)
    text_ref = EntityId(allow_none=True)
    actions = fields.List(fields.Nested(AgreedAction), load_default=list, validate=validate.Length(max=10))
    next_meeting = fields.Nested(NextMeeting, allow_none=True)
    replaces = EntityId(allow_none=True)


class RecordConversation(Command):
    """`activities.record_conversation`: results hold each conversation's session."""

    programme = ProgrammeKey(required=True)
    items = items(ConversationItem)


class RemoveConversation(Command):
    """`activities.remove_conversation`: it was recorded by mistake."""

    programme = ProgrammeKey(required=True)
    session = EntityId(required=True)


class ShowConversation(Question):
    """`activities.show_conversation`: coded data and text_refs of one conversation."""

    programme = ProgrammeKey(required=True)
    session = EntityId(required=True)


class AskRecent(Question):
    """`activities.recent_people`: whom somebody here talked with last, by subject."""

    programme = ProgrammeKey(required=True)
    limit = Number(1, 100, load_default=6)


class RegisterItem(Item):
    """One person on the register of a session: there or not now, and what the page showed before (`was`).

    `role` and `minutes` correct an attendance that is there; left out they leave it as it is.
    """

    subject = SubjectRef(required=True)
    there = Flag(required=True)
    was = Flag(required=True)
    role = Code(*ROLES, allow_none=True)
    minutes = Number(1, 1440, allow_none=True)


class RecordRegister(Command):
    """`activities.record_register`: who was at one session, all or nothing; of a recorded `session`, or of a new one
    (`held`). The reply holds the session. Results hold the attendance, or the error of somebody about whom nothing may
    be recorded: the others are.
    """

    programme = ProgrammeKey(required=True)
    session = EntityId(allow_none=True)
    held = fields.Nested(SessionItem, allow_none=True)
    items = fields.List(fields.Nested(RegisterItem), required=True, validate=validate.Length(max=MAX_ITEMS))


class AskRegister(Question):
    """`activities.show_register`: of an activity, for a new session; or of a recorded `session`."""

    programme = ProgrammeKey(required=True)
    activity = Code(allow_none=True)
    session = EntityId(allow_none=True)


class StartCounter(Command):
    """`activities.start_counter`: count heads one by one; `key` makes a repeated start the same counter."""

    programme = ProgrammeKey(required=True)
    key = Digest(required=True)
    activity = Code(required=True)
    date = Day(required=True)
    location = Code(allow_none=True)
    women = Flag(load_default=False)


class CountHeads(Command):
    """`activities.count_heads`: one tap on a counter. It counts only on the `revision` that the page showed, so the
    same tap arriving twice counts once. `done`: this is the count for now.
    """

    programme = ProgrammeKey(required=True)
    counter = EntityId(required=True)
    revision = Number(0, 2**31 - 1, required=True)
    heads = Number(-1, 1, load_default=0)
    women = Number(-1, 1, load_default=0)
    done = Flag(load_default=False)


class ListCounters(Question):
    """`activities.list_counters`: those that are open, or one by id, open or not."""

    programme = ProgrammeKey(required=True)
    counter = EntityId(allow_none=True)
