"""Commands and questions about questionnaires: filled-in forms, who is due for which, what somebody has filled in."""

from marshmallow import fields, validate

from shared.contracts.catalogue import OCCASIONS
from shared.contracts.commands import MAX_ITEMS, Command, Item, Question, items
from shared.contracts.fields import Answers, Code, Day, Digest, EntityId, Flag, Number, ProgrammeKey, SubjectRef


class AssessmentItem(Item):
    """One filled-in form. No `subject`: it names nobody. `corrects`: the assessment that it takes the place of.

    `was`: how many forms of this person, instrument and occasion whoever writes has seen; of another number is refused.
    `revision`: how whoever corrects has seen what is corrected (of `show_forms`); of another it is refused. A
    correction without `session` keeps the one that was recorded, unless it moves the form to another day.
    """

    subject = SubjectRef(allow_none=True)
    session = EntityId(allow_none=True)
    instrument = Code(required=True)
    version = Code(required=True)
    occasion = Code(*OCCASIONS, required=True)
    date = Day(required=True)
    answers = Answers(required=True)
    corrects = EntityId(allow_none=True)
    was = Number(0, 10_000, allow_none=True)
    revision = Digest(allow_none=True)


class RecordAssessments(Command):
    """`measurement.record_assessments`: results hold each assessment's id."""

    programme = ProgrammeKey(required=True)
    items = items(AssessmentItem)
    skip_bad = Flag(load_default=False)


class ListDue(Command):
    """`measurement.list_due`: who may be asked to fill in which instrument on which occasion, by the programme's
    schedule; who was due first comes first. `people` asks of these alone (none of them: nobody). Nobody is due where
    the programme is closed."""

    programme = ProgrammeKey(required=True)
    people = fields.List(SubjectRef(), allow_none=True, validate=validate.Length(max=MAX_ITEMS))
    limit = Number(1, MAX_ITEMS, load_default=100)
    offset = Number(0, 10_000_000, load_default=0)


class ShowForms(Command):
    """`measurement.show_forms`: the forms that a person has filled in, with answers and scores, the newest first; of
    each the `revision` that a correction names. `refused`: the error that one more would be refused with, null: none.
    Logged as read: answers are about health."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)


class LoadWording(Command):
    """`measurement.load_wording`: how this organisation asks an instrument's items (`wording.schema.json`); in place of
    what was loaded before. It stays on the node."""

    document = fields.Dict(required=True)


class ShowWording(Question):
    """`measurement.show_wording`: the questions by item and language; none where nobody has loaded any."""

    instrument = Code(required=True)
    version = Code(required=True)
