"""Commands and questions about people: coming in, listed, found, erased; and what is inside their `sealed`."""

from marshmallow import fields, validate

from shared.contracts.catalogue import GENDERS, LABOUR_STATUSES, SENSITIVE_ANSWERS, STANDINGS
from shared.contracts.commands import MAX_ITEMS, Command, Item, Members, PlainText, Sealed, WorkerName, items
from shared.contracts.fields import Code, Day, Flag, Language, Municipality, Number, ProgrammeKey, PublicKey, SubjectRef

CONTACT_WAYS = ("call", "message", "email")
"""How somebody prefers to be reached."""
CONTACT = ("phone", "email", "contact_way")
"""The members of an identity that say how somebody is reached."""


class PersonIdentity(Members):
    """What is inside a participant's `sealed`: at least a name or a token; the vault keeps it.

    Of whom has a protected address neither `phone`, `email` nor `contact_way` is taken.
    """

    token = PlainText(80, allow_none=True)
    identity_code = PlainText(11, allow_none=True)
    given_name = PlainText(200, allow_none=True)
    family_name = PlainText(200, allow_none=True)
    birth_date = Day(allow_none=True)
    phone = PlainText(40, allow_none=True)
    email = PlainText(254, allow_none=True)
    contact_way = Code(*CONTACT_WAYS, allow_none=True)
    form_version = PlainText(80, allow_none=True)
    form_kept = PlainText(200, allow_none=True)


class RecordMembers(Members):
    """The members of a start record and of its evidence."""

    start_date = Day(allow_none=True)
    gender = Code(*GENDERS)
    service_language = Language(allow_none=True)
    contact_language = Language(allow_none=True)
    interpreter = Code("yes", "no", allow_none=True)
    municipality = Municipality(allow_none=True)
    area = Code(allow_none=True)
    protected_address = Code("yes", "no", allow_none=True)
    target_group = Code(allow_none=True)
    labour_status = Code(*LABOUR_STATUSES, allow_none=True)
    unemployed_months = Number(0, 720, allow_none=True)
    education = Number(0, 8, allow_none=True)
    foreign_background = Code(*SENSITIVE_ANSWERS, allow_none=True)
    minority = Code(*SENSITIVE_ANSWERS, allow_none=True)
    disability = Code(*SENSITIVE_ANSWERS, allow_none=True)
    other_disadvantage = Code(*SENSITIVE_ANSWERS, allow_none=True)
    homeless = Code(*SENSITIVE_ANSWERS, allow_none=True)
    rural = Code(*SENSITIVE_ANSWERS, allow_none=True)
    form_signed_on = Day(allow_none=True)
    form_language = Language(allow_none=True)
    form_help = Code("self", "with_help", allow_none=True)
    eura_on = Day(allow_none=True)
    eura_by = Code("self", "worker", allow_none=True)


class ParticipantItem(RecordMembers, Item):
    """One person coming in, with standing and, for an ESF participant, the start record and its evidence.

    `form_help`: who filled it in, the person alone or with help; `eura_by`: who keyed it into EURA. Of whom has a
    protected address (turvakielto) neither municipality nor area is taken. `paid_by_project`: who is paid by the
    project is not its participant; left out, it was not asked, which is missing evidence.
    """

    sealed = Sealed(PersonIdentity, required=True)
    standing = Code(*STANDINGS, required=True)
    gender = Code(*GENDERS, load_default="unknown")
    paid_by_project = Code("yes", "no", allow_none=True)


class RegisterParticipants(Command):
    """`intake.register_participants`: results hold each person's subject. `worker`: who works with them."""

    programme = ProgrammeKey(required=True)
    worker = WorkerName(allow_none=True, load_default=None)
    items = items(ParticipantItem)
    skip_bad = Flag(load_default=False)


class ListPeople(Command):
    """`intake.list_people`: what comes back is sealed to `reply_to`, made for this request; reads are logged.

    `people` asks for these alone: who needs one name does not read all. Those whose worker is `by` stand first,
    those who have left last;
    `worker` asks for one worker's people, `own_only` leaves out whoever is another's than `by`'s. Rows have
    `service_language` and `interpreter`, if they are known.
    """

    programme = ProgrammeKey(required=True)
    worker = WorkerName(allow_none=True, load_default=None)
    own_only = Flag(load_default=False)
    reply_to = PublicKey(required=True)
    people = fields.List(SubjectRef(), allow_none=True, validate=validate.Length(min=1, max=MAX_ITEMS))
    limit = Number(1, MAX_ITEMS, load_default=100)
    offset = Number(0, 10_000_000, load_default=0)


class PersonQuery(Members):
    """What is inside a `FindPeople`'s `sealed`: whom to look for; a name as given, family or both, or a token.
    `beginning`: also those of whose names words begin with each word of `name`; whoever has a protected address is
    found by the whole name alone."""

    identity_code = PlainText(11, allow_none=True)
    name = PlainText(401, allow_none=True)
    beginning = Flag(load_default=False)


class FindPeople(Command):
    """`intake.find_people`: who has this identity code, name or token; what comes back is sealed to `reply_to`.
    At most 50 of `total`. `own_only` leaves out whoever is another's than `by`'s."""

    programme = ProgrammeKey(required=True)
    own_only = Flag(load_default=False)
    sealed = Sealed(PersonQuery, required=True)
    reply_to = PublicKey(required=True)


class ErasePerson(Command):
    """`intake.erase_person`: everything about the person in this programme; a person erased already is no error.
    `seen`: refused if anything was recorded since that preview (`PreviewErasing`)."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    seen = Number(0, 2**62, allow_none=True, load_default=None)
