"""Whether somebody's start form is filled at another partner already: the commands, and what stands in the letters
between the two nodes (`services/intake/filled.py`)."""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from shared.contracts.commands import Command, Question
from shared.contracts.fields import Code, Day, Digest, EntityId, Number, ProgrammeKey, SubjectRef

ANSWERS = ("yes", "no", "cannot_say")
"""`cannot_say`: the other node has no tag key that the question was asked under, or its stream is sealed."""
MOST_KEYS = 20
"""Tag keys that a question is asked under, the newest; while a key is replaced there are two."""


class AskFilled(Command):
    """`intake.ask_filled`: the person wishes that the programme's other partners are asked whether their start form is
    filled there. The reply names the partners that were `asked` now."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)


class ShowFilled(Question):
    """`intake.show_filled`: what the other partners have answered, or a referral has told: by partner `answer` (null:
    none yet), `signed_on`, `asked_on` (null: told by a referral). `not_asked` are the others; `why_not` says why
    nobody can be asked (`no_tag`, `protected`), null: they can."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)


class _Letter(Schema):
    """What comes from another node, perhaps of a newer release: what we do not know we leave."""

    class Meta:
        unknown = EXCLUDE

    kind = fields.String(required=True)
    question = EntityId(required=True)


class _Tag(Schema):
    """The person's tag under one of the programme's tag keys."""

    class Meta:
        unknown = EXCLUDE

    key_no = Number(1, 999_999, required=True)
    tag = Digest(required=True)


class QuestionLetter(_Letter):
    """`filled_question`: is the start form of whoever has this tag filled at your node?"""

    tags = fields.List(fields.Nested(_Tag), required=True, validate=validate.Length(1, MOST_KEYS))


class AnswerLetter(_Letter):
    """`filled_answer`: with "yes" the day on which it was signed, or was entered in EURA."""

    answer = Code(*ANSWERS, required=True)
    signed_on = Day(allow_none=True, load_default=None)

    @validates_schema
    def _yes_has_a_day(self, said: dict[str, Any], **_: Any) -> None:
        if said["answer"] == "yes" and said["signed_on"] is None:
            raise ValidationError("a yes has one", "signed_on")
