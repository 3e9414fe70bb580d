"""Commands for referrals, and what stands in the letters between the two nodes (`services/intake/referrals.py`)."""

from marshmallow import EXCLUDE, Schema, fields

from shared.contracts.catalogue import STANDINGS
from shared.contracts.commands import MAX_ITEMS, Command, Question, Sealed, WorkerName
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
)
from shared.contracts.people import ParticipantItem, PersonIdentity
from shared.contracts.referral_facts import AGREED, ANSWERS, BECAME, DECLINES
from shared.contracts.talks import FreeText, TextContent

LONGEST_REASON = 2000
"""Characters of the reason: with the identity it fits into one letter whatever they are."""


class SendReferral(Command):
    """`intake.send_referral`: the person agreed to be referred to the partner and to `agreed` being told there.

    `sealed` is the reason, as in a text; `key` makes a repeated sending the same referral.
    """

    programme = ProgrammeKey(required=True)
    key = Digest(required=True)
    subject = SubjectRef(required=True)
    partner = Code(required=True)
    agreed = Codes(Code(*AGREED), required=True)
    sealed = Sealed(TextContent, allow_none=True, load_default=None)


class ListReferrals(Command):
    """`intake.list_referrals`: those sent and received, the newest change first, or the named one; who and why is
    sealed to `reply_to`, made for this request. Who has a protected address is named with that one alone. Reads are
    logged. `own_only`: of our own people only those who are `by`'s or nobody's are opened; `others` marks the rest."""

    programme = ProgrammeKey(required=True)
    referral = EntityId(allow_none=True, load_default=None)
    own_only = Flag(load_default=False)
    reply_to = PublicKey(required=True)
    limit = Number(1, MAX_ITEMS, load_default=100)
    offset = Number(0, 10_000_000, load_default=0)


class ReferralPartners(Question):
    """`intake.referral_partners`: the partners that somebody can be referred to: those whose node is confirmed."""

    programme = ProgrammeKey(required=True)


class AcceptReferral(Command):
    """`intake.accept_referral`: take the person, who gets a subject of our own; a second time answers with the same.
    `worker`: who works with them. `paid_by_project` as where somebody comes in. `own_only`, here and
    where a referral is declined, withdrawn or followed up: one of a person whose worker is another than `by` is not
    found."""

    programme = ProgrammeKey(required=True)
    own_only = Flag(load_default=False)
    worker = WorkerName(allow_none=True, load_default=None)
    referral = EntityId(required=True)
    standing = Code(*STANDINGS, required=True)
    start_date = Day(allow_none=True, load_default=None)
    paid_by_project = Code("yes", "no", allow_none=True, load_default=None)


class DeclineReferral(Command):
    """`intake.decline_referral`: do not take the person; the identity is deleted here."""

    programme = ProgrammeKey(required=True)
    own_only = Flag(load_default=False)
    referral = EntityId(required=True)
    reason = Code(*DECLINES, required=True)


class WithdrawReferral(Command):
    """`intake.withdraw_referral`, by whoever sent it and has no answer yet."""

    programme = ProgrammeKey(required=True)
    own_only = Flag(load_default=False)
    referral = EntityId(required=True)


class FollowUpReferral(Command):
    """`intake.follow_up_referral`: tell the sender what became of a person who was taken; `outcome` is a key of the
    programme file, with `became` "outcome" alone."""

    programme = ProgrammeKey(required=True)
    own_only = Flag(load_default=False)
    referral = EntityId(required=True)
    became = Code(*BECAME, required=True)
    outcome = Code(allow_none=True, load_default=None)


class _Letter(Schema):
    """What comes from another node, perhaps of a newer release: what we do not know we leave."""

    class Meta:
        unknown = EXCLUDE

    kind = fields.String(required=True)
    referral = EntityId(required=True)
    """The id at the node that sent the person."""


class ReferredIdentity(PersonIdentity):
    """What of an identity another partner was told."""

    class Meta:
        unknown = EXCLUDE


class StartRecord(Schema):
    """The coded part of a start form, as the sender has it; what names no day and no form."""

    class Meta:
        unknown = EXCLUDE
        include = {
            name: field
            for name, field in ParticipantItem._declared_fields.items()
            if name not in ("key", "sealed", "standing", "start_date") and not name.startswith(("form_", "eura_"))
        }


class ReferralLetter(_Letter):
    """`referral`: somebody is referred; `identity` and `record` hold what the person agreed to."""

    subject = SubjectRef(required=True)
    identity = fields.Nested(ReferredIdentity, required=True)
    standing = Code(*STANDINGS, required=True)
    record = fields.Nested(StartRecord, allow_none=True, load_default=None)
    form_signed_on = Day(allow_none=True, load_default=None)
    """With the start record: the day of the proof that the form is filled at the sender."""
    text = FreeText(allow_none=True, load_default=None)


class WithdrawalLetter(_Letter):
    """`referral_withdrawal`: it is taken back."""


class StateLetter(_Letter):
    """`referral_state`: all that the receiver has decided and told until now; the highest `revision` holds, so that
    the order of letters does not matter. It follows the receiver's clock, so that it grows over a restore too."""

    revision = Number(1, 2**31 - 1, required=True)
    state = Code(*ANSWERS, required=True)
    reason = Code(*DECLINES, allow_none=True, load_default=None)
    became = Code(*BECAME, allow_none=True, load_default=None)
    outcome = Code(allow_none=True, load_default=None)
    on = Day(required=True)
