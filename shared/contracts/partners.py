"""Commands about the nodes of a programme: who the others are, whom this one has recognised, the tag key; and, at the
lead, partners in and out."""

from typing import Any

from marshmallow import fields, validate

from shared.contracts.commands import Command, Question
from shared.contracts.fields import Code, Digest, NodeName, Number, ProgrammeKey


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


class AdmitPartner(Command):
    """`reporting.admit_partner`: make an invite; `token_digest` is SHA-256 of the one-time token that goes into it."""

    programme = ProgrammeKey(required=True)
    partner = Code(required=True)
    token_digest = Digest(required=True)
    valid_days = Number(1, 90, load_default=14)


class ExpelPartner(Command):
    """`reporting.expel_partner`: take nothing more of the partner's node; what it has sent stays in the figures."""

    programme = ProgrammeKey(required=True)
    partner = Code(required=True)


class AcceptEpoch(Command):
    """`reporting.accept_epoch`: go on with a node's streams that a restore or a second history has stopped."""

    node = NodeName(required=True)


class AskMayCarry(Question):
    """`reporting.may_carry`: the keys by which a node signs what it asks of the lead's HTTPS carrier, and whether the
    invite with this token digest is open for it."""

    node = NodeName(required=True)
    programme = ProgrammeKey(required=True)
    token_digest = Digest(allow_none=True, load_default=None)
