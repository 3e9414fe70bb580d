"""The bodies of the RPC commands, checked where they arrive; an error names the field and the reason.

Identities and free text are never members: they travel inside `Sealed`, encrypted to intake's bus key, and what is
inside is declared here too (`PersonIdentity`). Commands that make something take a list of up to 500 items, each with
an idempotency key; the reply has one result per item, in order, up to the first that was refused
(`skip_bad`: one for every item).
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from shared.contracts.catalogue import (
    BASES,
    GENDERS,
    LABOUR_STATUSES,
    OCCASIONS,
    ROLES,
    SENSITIVE_ANSWERS,
    STANDINGS,
    TASK_REASONS,
)
from shared.contracts.errors import InvalidInput
from shared.contracts.fields import (
    Answers,
    Code,
    Codes,
    Day,
    Digest,
    EntityId,
    Flag,
    Language,
    Municipality,
    NodeName,
    Number,
    ProgrammeKey,
    PublicKey,
    SubjectRef,
    TimeOfDay,
)

MAX_ITEMS = 500
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""What no name has: control characters, line ends, halves of characters, and the marks that turn the order of what
follows around, so that a page shows another name than is kept."""
_LOOKS_EMPTY = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs that are drawn as nothing."""
_HEX = re.compile(r"[0-9a-f]+")
_MEMBER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")


class HexBytes(fields.String):
    """Bytes as lower-case hex digits, at most 4 MiB of bytes: what somebody signed, and never about a person."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kw: Any) -> str:
        if not isinstance(value, str) or not _HEX.fullmatch(value) or len(value) % 2 or len(value) > 2 * 4 * 2**20:
            raise ValidationError("not bytes in lower-case hex digits")
        return value


class Sealed(fields.String):
    """Base64 of an HPKE message to intake's bus key; the only way an identity or free text crosses a bus.

    `inside` is the schema of the JSON object in it, which the service checks when it has opened it.
    """

    def __init__(self, inside: type[Schema], **kw: Any) -> None:
        self.inside = inside
        super().__init__(validate=[validate.Length(max=32_000), validate.Regexp(r"[A-Za-z0-9+/]+={0,2}\Z")], **kw)


class PlainText(fields.String):
    """One line of text from a person, inside `Sealed` only."""

    def __init__(self, longest: int, **kw: Any) -> None:
        super().__init__(validate=[validate.Length(min=1, max=longest), _can_be_read], **kw)


def is_blank(text: str) -> bool:
    """Whether nothing of the text can be seen: spaces, and letters without width or ink."""
    return not any(unicodedata.category(one)[0] in "LNPS" and one not in _LOOKS_EMPTY for one in text)


def _can_be_read(text: str) -> None:
    if CONTROL.search(text):
        raise ValidationError("has control characters")
    if text and is_blank(text):
        raise ValidationError("has nothing that can be seen")


class Actor(fields.String):
    """Who acts: the name of a portal user, or ``cli:`` and the system user."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(required=True, validate=[validate.Length(min=1, max=80), _can_be_read], **kw)


class WorkerName(fields.String):
    """The name of a user of this node's portal, as the worker of people."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(validate=validate.Regexp(r"[a-zåäö0-9][a-zåäö0-9._@-]{0,63}\Z"), **kw)


class Command(Schema):
    """What every command has: `by`; `after`, a position that the service follows to first."""

    class Meta:
        unknown = RAISE

    by = Actor()
    after = Number(0, 2**62, load_default=0)


class Question(Schema):
    """What only reads coded data needs nobody's name."""

    class Meta:
        unknown = RAISE


class Members(Schema):
    """Members of something; one that is not known is refused."""

    class Meta:
        unknown = RAISE


class Item(Members):
    """What every item of a list has: its idempotency key."""

    key = Digest(required=True)


def items(item: type[Schema]) -> "fields.List[Any]":
    """The `items` member of a command that takes a list."""
    return fields.List(fields.Nested(item), required=True, validate=validate.Length(min=1, max=MAX_ITEMS))


CONTACT_WAYS = ("call", "message", "email")
"""How somebody prefers to be reached."""


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

    `people` asks for these alone: who needs one name does not read all. Those whose worker is `by` stand first;
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


class SessionItem(Item):
    """One session, perhaps with its head-count."""

    activity = Code(required=True)
    date = Day(required=True)
    start = TimeOfDay(allow_none=True)
    minutes = Number(1, 1440, allow_none=True)
    location = Code(allow_none=True)
    area = Code(allow_none=True)
    languages = Codes(Language(), allow_none=True)
    headcount = Number(0, 100_000, allow_none=True)
    headcount_women = Number(0, 100_000, allow_none=True)
    headcount_basis = Code(*BASES, allow_none=True)


class RecordSessions(Command):
    """`activities.record_sessions`: results hold each session's id."""

    programme = ProgrammeKey(required=True)
    items = items(SessionItem)
    skip_bad = Flag(load_default=False)


class AttendanceItem(Item):
    """One person at one session."""

    session = EntityId(required=True)
    subject = SubjectRef(required=True)
    role = Code(*ROLES, required=True)
    minutes = Number(1, 1440, allow_none=True)


class RecordAttendance(Command):
    """`activities.record_attendance`."""

    programme = ProgrammeKey(required=True)
    items = items(AttendanceItem)
    skip_bad = Flag(load_default=False)


class ListSessions(Question):
    """`activities.list_sessions`: the newest first; `activities`: of these alone, which are behind one figure."""

    programme = ProgrammeKey(required=True)
    activities = fields.List(Code(), allow_none=True, validate=validate.Length(max=MAX_ITEMS))
    limit = Number(1, MAX_ITEMS, load_default=100)
    offset = Number(0, 10_000_000, load_default=0)


class LoadProgramme(Command):
    """`pathways.load_programme` on a node, `reporting.load_programme` on a lead: the programme file as a document."""

    document = fields.Dict(required=True)


class StepItem(Item):
    """One person's time on an individual step: from a day, perhaps to a day. With the same first day it ends the one
    that is open."""

    subject = SubjectRef(required=True)
    step = Code(required=True)
    entered_on = Day(required=True)
    left_on = Day(allow_none=True)


class RecordSteps(Command):
    """`pathways.record_steps`: results hold the id of each time on a step."""

    programme = ProgrammeKey(required=True)
    items = items(StepItem)
    skip_bad = Flag(load_default=False)


class OutcomeItem(Item):
    """What became of one person; the activity is the outcome's, in the programme file."""

    subject = SubjectRef(required=True)
    outcome = Code(required=True)
    date = Day(required=True)


class RecordOutcomes(Command):
    """`pathways.record_outcomes`."""

    programme = ProgrammeKey(required=True)
    items = items(OutcomeItem)
    skip_bad = Flag(load_default=False)


class AskPeriod(Question):
    """`pathways.period_state`: what is unmarked, unfinished or missing in a period, after everything recorded until
    now has been heard."""

    programme = ProgrammeKey(required=True)
    period = Code(required=True)


class ConfirmPeriod(Command):
    """`pathways.confirm_period`: a second time adds nothing, unless `again` says that it is meant."""

    programme = ProgrammeKey(required=True)
    period = Code(required=True)
    again = Flag(load_default=False)


class ListTasks(Question):
    """`pathways.list_tasks`: those due first come first; before them those of the people of `worker` (the id by which
    facts name one). `own_only` leaves out people of others."""

    programme = ProgrammeKey(required=True)
    worker = EntityId(allow_none=True, load_default=None)
    own_only = Flag(load_default=False)
    state = Code("open", "closed", load_default="open")
    limit = Number(1, MAX_ITEMS, load_default=100)
    offset = Number(0, 10_000_000, load_default=0)


class CloseTask(Command):
    """`pathways.close_task`: by a worker's hand; a dismissal has a reason, what is done has none. With `own_only` one
    of a person whose worker is another than `worker` is not found."""

    task = EntityId(required=True)
    worker = EntityId(allow_none=True, load_default=None)
    own_only = Flag(load_default=False)
    how = Code("done", "dismissed", required=True)
    reason = Code(*TASK_REASONS, allow_none=True, load_default=None)


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


class AskReport(Question):
    """`reporting.report`: figures of days `from_` to `to`, both included; None: from the beginning, to the end."""

    programme = ProgrammeKey(required=True)
    from_ = Day(allow_none=True, load_default=None)
    to = Day(allow_none=True, load_default=None)


class CertifyReport(Question):
    """`reporting.certify`: the certificate of a file with this SHA-256 (its certificate left out), written from figures
    that came with `proof`."""

    proof = HexBytes(required=True)
    digest = Digest(required=True)


class AskCompleteness(Question):
    """`reporting.completeness`: of one programme, or of all."""

    programme = ProgrammeKey(allow_none=True, load_default=None)


class AskMayCarry(Question):
    """`reporting.may_carry`: the keys by which a node signs what it asks of the lead's HTTPS carrier, and whether the
    invite with this token digest is open for it."""

    node = NodeName(required=True)
    programme = ProgrammeKey(required=True)
    token_digest = Digest(allow_none=True, load_default=None)


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


class RetryParked(Command):
    """`*.retry_parked`, of every service that follows the journal: run the queue of the parked line at `pos`."""

    pos = Number(1, 2**62, required=True)


class DropParked(Command):
    """`*.drop_parked`, of every service that follows the journal: give the parked line at `pos` up, for a reason."""

    pos = Number(1, 2**62, required=True)
    reason = Code(required=True)


class PersonQuery(Schema):
    """What is inside a `FindPeople`'s `sealed`: whom to look for; a name as given, family or both, or a token.
    `beginning`: also those of whose names words begin with each word of `name`; whoever has a protected address is
    found by the whole name alone."""

    class Meta:
        unknown = RAISE

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


def load(command: type[Schema], data: Mapping[str, Any]) -> dict[str, Any]:
    """The checked body of a command; raises `InvalidInput` naming the first wrong field, never a value."""
    try:
        loaded: dict[str, Any] = _made(command).load(data)
    except ValidationError as error:
        field, reason = _first(error.messages)
        raise InvalidInput(field=field, reason=reason) from None
    return loaded


@lru_cache(maxsize=256)
def _made(command: type[Schema]) -> Schema:
    """Making one copies every field, which costs more than checking a body; it keeps nothing of what it checks."""
    return command()


def _first(messages: Any, path: str = "") -> tuple[str, str]:
    while isinstance(messages, dict):
        key = min(messages, key=lambda name: (isinstance(name, str), name))
        if key == "_schema":  # marshmallow's name for the whole
            messages = messages[key]
            continue
        # A member that nobody declared is named by whoever sent it, perhaps with what belongs into no message.
        name = key if isinstance(key, int) or _MEMBER.fullmatch(key) else "?"
        path, messages = f"{path}.{name}" if path else str(name), messages[key]
    reason = messages[0] if isinstance(messages, list) and messages else messages
    return path or "body", str(reason).rstrip(".")
