"""Commands about a participant's rights: a copy, corrections, restriction, purposes that end."""

from marshmallow import RAISE, Schema
from marshmallow.fields import Nested

from shared.contracts.catalogue import GENDERS, LABOUR_STATUSES, SENSITIVE_ANSWERS
from shared.contracts.commands import MAX_ITEMS, Command, Item, PlainText, Question, Sealed, items
from shared.contracts.fields import (
    Code,
    Codes,
    Day,
    Flag,
    Language,
    Municipality,
    Number,
    ProgrammeKey,
    PublicKey,
    SubjectRef,
)
from shared.contracts.purposes import PURPOSES
from shared.contracts.rights_facts import GROUNDS


class PersonShare(Command):
    """`activities.person_share`, `pathways.person_share`, `measurement.person_share`: all that the service keeps about
    a person, coded, by table; texts by their `text_ref`."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)


class CopyPerson(Command):
    """`intake.copy_person`: all that intake and the journal keep about a person; it begins the copy that they are
    given, is logged, and what comes back is sealed to `reply_to`."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    reply_to = PublicKey(required=True)


class IdentityChanges(Schema):
    """What is inside a correction's `sealed`: the members of the identity that are wrong; null takes one away."""

    class Meta:
        unknown = RAISE

    token = PlainText(80, allow_none=True)
    identity_code = PlainText(11, allow_none=True)
    given_name = PlainText(200, allow_none=True)
    family_name = PlainText(200, allow_none=True)
    birth_date = Day(allow_none=True)
    form_version = PlainText(80, allow_none=True)
    form_kept = PlainText(200, allow_none=True)


class RecordChanges(Schema):
    """The members of the start record that are wrong; null takes one away. `gender` and `start_date` can be changed
    only."""

    class Meta:
        unknown = RAISE

    start_date = Day()
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


class CorrectPerson(Command):
    """`intake.correct_person`: the record, and the identity inside `sealed` (`IdentityChanges`); what is not named
    stays. The reply names the members that are another now."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    sealed = Sealed(IdentityChanges, allow_none=True, load_default=None)
    record = Nested(RecordChanges, load_default=dict)


class RestrictPerson(Command):
    """`intake.restrict_person`: nobody records anything more about the person, until it is lifted (`lift`)."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    ground = Code(*GROUNDS, allow_none=True, load_default=None)
    lift = Flag(load_default=False)


class InformedItem(Item):
    """One person who was informed, by a version of the notice; `consents`: to what they agreed, where that is asked."""

    subject = SubjectRef(required=True)
    notice = Number(1, 9999, required=True)
    language = Language(required=True)
    date = Day(required=True)
    consents = Codes(Code(*PURPOSES), load_default=list)


class RecordInformed(Command):
    """`intake.record_informed`: results hold the id of each."""

    programme = ProgrammeKey(required=True)
    items = items(InformedItem)


class EndPurpose(Command):
    """`intake.end_purpose`: erase what is recorded about a person for a purpose, because they have withdrawn their
    consent to it or (`asked`) ask for it. The reply names the `ending`, by which every holder gives its receipt; null:
    nothing was left to do."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    purpose = Code(*PURPOSES, required=True)
    why = Code("withdrawn", "asked", required=True)


class AskReceipts(Question):
    """`intake.list_receipts`: what has ended of a person's purposes, and who has cleared it away."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)


class ListDue(Question):
    """`intake.list_due`: who and what the programme's retention rules let go today, and why; nobody is named."""

    programme = ProgrammeKey(required=True)
    limit = Number(1, MAX_ITEMS, load_default=100)
    offset = Number(0, 10_000_000, load_default=0)


class ApplyRetention(Command):
    """`intake.apply_retention`: erase up to `limit` people, or purposes of theirs, that are due. The reply says how
    many people were erased and how many purposes ended, and whether there are more."""

    programme = ProgrammeKey(required=True)
    limit = Number(1, 50, load_default=20)


class ListDuplicates(Command):
    """`intake.list_duplicates`: pairs of people who may be one, the likeliest first; judged ones too if asked. Names
    are sealed to `reply_to`; reads are logged. Who has a protected address is in no list."""

    programme = ProgrammeKey(required=True)
    reply_to = PublicKey(required=True)
    judged = Flag(load_default=False)
    limit = Number(1, 100, load_default=50)
    offset = Number(0, 10_000_000, load_default=0)


class JudgePair(Command):
    """`intake.judge_pair`: two people are one (`same`) or two (`apart`); the last word holds, nothing is merged."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    same_as = SubjectRef(required=True)
    verdict = Code("same", "apart", required=True)
