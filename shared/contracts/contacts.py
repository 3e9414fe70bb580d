"""Commands about how a person is reached."""

import re

from marshmallow import fields, validate

from shared.contracts.commands import MAX_ITEMS, Command, Item, Members, PlainText, Sealed, items
from shared.contracts.fields import Code, Flag, Language, ProgrammeKey, PublicKey, SubjectRef
from shared.contracts.people import CONTACT_WAYS


def plain_phone(text: str) -> str:
    """A phone number as services take it: without the spaces, hyphens, full stops and brackets that people type."""
    return re.sub(r"[ ()\u00a0.-]", "", text)


class Contact(Members):
    """How somebody is reached; what is left out or null is not known."""

    phone = PlainText(40, allow_none=True)
    email = PlainText(254, allow_none=True)
    contact_way = Code(*CONTACT_WAYS, allow_none=True)


class ContactContent(Members):
    """What is inside `sealed`: how the person was reached, as whoever writes has seen it, and how now."""

    was = fields.Nested(Contact, required=True)
    now = fields.Nested(Contact, required=True)


class SetContact(Command):
    """`intake.set_contact`: how a person is reached, as a whole. The reply names what is another now. Of whom has a
    protected address nothing is taken."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    sealed = Sealed(ContactContent, required=True)
    contact_language = Language(allow_none=True, load_default=None)


SPOKEN = ("service_language", "interpreter")
"""Of the record in which language somebody is served; nothing of it is in a fact."""


class Spoken(Members):
    """In which language somebody is served, and whether with an interpreter; left out or null is not known."""

    service_language = Language(allow_none=True)
    interpreter = Code("yes", "no", allow_none=True)


class SetLanguages(Command):
    """`intake.set_languages`: in which language a person is served, as a whole; `was`: as whoever writes has seen it.
    The reply names what is another now."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    was = fields.Nested(Spoken, required=True)
    now = fields.Nested(Spoken, required=True)


class ContactItem(Item):
    """How one person is reached, as a whole."""

    subject = SubjectRef(required=True)
    sealed = Sealed(Contact, required=True)


class AddContacts(Command):
    """`intake.add_contacts`: how people are reached, of whom that is not known yet; who is reached in another way
    already is refused, so that no list undoes what somebody has told since. Results hold each person's subject."""

    programme = ProgrammeKey(required=True)
    items = items(ContactItem)
    skip_bad = Flag(load_default=False)


class ReadContacts(Command):
    """`intake.read_contacts`: how these people are reached, sealed to `reply_to`, made for this request; reads are
    logged. Left out: who is not here, who is restricted, and who has a protected address. `own_only`: none whose worker
    is another than `by`."""

    programme = ProgrammeKey(required=True)
    own_only = Flag(load_default=False)
    people = fields.List(SubjectRef(), required=True, validate=validate.Length(min=1, max=MAX_ITEMS))
    reply_to = PublicKey(required=True)
