"""Commands about the other nodes of a programme: who they are, whom this node has recognised, the tag key."""

from typing import Any

from marshmallow import fields, validate

from shared.contracts.commands import Command, Question
from shared.contracts.fields import NodeName, Number, ProgrammeKey


class SixWords(fields.String):
    """A node's six words as somebody types them who has heard them: any case, hyphens or spaces."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(validate=validate.Regexp(r"[A-Za-z -]{1,60}\Z"), **kw)


class ListNodes(Question):
    """`intake.list_nodes`: the programme's nodes with their six words, the steward, and the tag keys that are here."""

    programme = ProgrammeKey(required=True)


class ConfirmNode(Command):
    """`intake.confirm_node`: its people have read the node's six words to us, by another way than the lead's."""

    programme = ProgrammeKey(required=True)
    node = NodeName(required=True)
    words = SixWords(required=True)


class RenewTagKey(Command):
    """`intake.renew_tag_key`, on the steward's node: make the next tag key and hand it to every confirmed node."""

    programme = ProgrammeKey(required=True)


class RetireTagKey(Command):
    """`intake.retire_tag_key`, on the steward's node: an older tag key is needed no longer, here and at the others."""

    programme = ProgrammeKey(required=True)
    key_no = Number(1, 999_999, required=True)
