"""Commands and questions about closing a programme on a node: what stands in the way, what is left open and why."""

from marshmallow import fields, validate

from shared.contracts.closing_facts import LEFT_OF_NOBODY, LEFT_OF_PEOPLE, LEFT_REASONS, REOPEN_REASONS
from shared.contracts.commands import MAX_ITEMS, Command, Question
from shared.contracts.fields import Code, Number, ProgrammeKey, SubjectRef


class AskClosing(Question):
    """`pathways.closing_state`: how far the programme is closed here, its periods, open tasks, lines that the lead has
    not receipted, and how long what is kept."""

    programme = ProgrammeKey(required=True)


class ListLeft(Question):
    """`pathways.list_left`: what was left open, and why; a page of it."""

    programme = ProgrammeKey(required=True)
    limit = Number(1, MAX_ITEMS, load_default=MAX_ITEMS)
    offset = Number(load_default=0)


class ListStillIn(Question):
    """`intake.list_still_in`: who has begun and not left, by subject; those who began first come first."""

    programme = ProgrammeKey(required=True)
    limit = Number(1, MAX_ITEMS, load_default=MAX_ITEMS)
    offset = Number(load_default=0)


class LeftItem(Question):
    """One thing that is left open: of a person by their subject, a period by its key."""

    what = Code(*LEFT_OF_PEOPLE, *LEFT_OF_NOBODY, required=True)
    subject = SubjectRef(allow_none=True, load_default=None)
    period = Code(allow_none=True, load_default=None)
    reason = Code(*LEFT_REASONS, required=True)


class LeaveOpen(Command):
    """`pathways.leave_open`: these things stay open for good, each for a reason; the same again changes nothing."""

    programme = ProgrammeKey(required=True)
    items = fields.List(fields.Nested(LeftItem), required=True, validate=validate.Length(min=1, max=MAX_ITEMS))


class CloseProgramme(Command):
    """`pathways.close_programme`: from now on nothing new is recorded for it here; done again it changes nothing."""

    programme = ProgrammeKey(required=True)


class ReopenProgramme(Command):
    """`pathways.reopen_programme`: what was closed goes on, until its stream is sealed; of one that is open it changes
    nothing."""

    programme = ProgrammeKey(required=True)
    reason = Code(*REOPEN_REASONS, required=True)


class SealStream(Command):
    """`pathways.seal_stream`: the last line of a closed programme; done again it changes nothing."""

    programme = ProgrammeKey(required=True)
