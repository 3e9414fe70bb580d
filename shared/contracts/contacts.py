"""Commands about how a person is reached."""

from marshmallow import RAISE, Schema, fields, validate

from shared.contracts.commands import CONTACT_WAYS, MAX_ITEMS, Command, PlainText, Sealed
from shared.contracts.fields import Code, Flag, Language, ProgrammeKey, PublicKey, SubjectRef


class Contact(Schema):
    """How somebody is reached; what is left out or null is not known."""

    class Meta:
        unknown = RAISE

    phone = PlainText(40, allow_none=True)
    email = PlainText(254, allow_none=True)
    contact_way = Code(*CONTACT_WAYS, allow_none=True)


class ContactContent(Schema):
    """What is inside `sealed`: how the person was reached, as whoever writes has seen it, and how now."""

    class Meta:
        unknown = RAISE

    was = fields.Nested(Contact, required=True)
    now = fields.Nested(Contact, required=True)


class SetContact(Command):
    """`intake.set_contact`: how a person is reached, as a whole. The reply names what is another now. Of whom has a
    protected address nothing is taken."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    sealed = Sealed(ContactContent, required=True)
    contact_language = Language(allow_none=True, load_default=None)


class ReadContacts(Command):
    """`intake.read_contacts`: how these people are reached, sealed to `reply_to`, made for this request; reads are
    logged. Left out: who is not here, who is restricted, and who has a protected address. `own_only`: none whose worker
    is another than `by`."""

    programme = ProgrammeKey(required=True)
    own_only = Flag(load_default=False)
    people = fields.List(SubjectRef(), required=True, validate=validate.Length(min=1, max=MAX_ITEMS))
    reply_to = PublicKey(required=True)
