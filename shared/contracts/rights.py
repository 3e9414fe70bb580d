"""Commands about a participant's rights: a copy, corrections, restriction, purposes that end."""

from marshmallow import RAISE
from marshmallow.fields import Nested

from shared.contracts.commands import MAX_ITEMS, Command, Item, Question, Sealed, items
from shared.contracts.fields import (
    Code,
    Codes,
    Day,
    Digest,
    Flag,
    Language,
    Number,
    ProgrammeKey,
    PublicKey,
    SubjectRef,
)
from shared.contracts.people import CONTACT, PersonIdentity, RecordMembers
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


class IdentityChanges(PersonIdentity):
    """What is inside a correction's `sealed`: the members of the identity that are wrong; null takes one away. How
    somebody is reached is none of them: a correction keeps what it was, and a number given up is kept nowhere."""

    class Meta:
        unknown = RAISE
        exclude = CONTACT


class RecordChanges(RecordMembers):
    """The members of the start record that are wrong; null takes one away. `gender` and `start_date` can be changed
    only."""

    start_date = Day()


class ShowIdentity(Command):
    """`intake.show_identity`: who a person is, sealed to `reply_to`, made for this request; logged as read. `revision`
    is what a correction may name as `was`."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    reply_to = PublicKey(required=True)


class CorrectPerson(Command):
    """`intake.correct_person`: the record, and the identity inside `sealed` (`IdentityChanges`); what is not named
    stays. `was`: the revision that whoever corrects has seen; without it what is there now is corrected. The reply
    names the members that are another now."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    was = Digest(allow_none=True, load_default=None)
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
    skip_bad = Flag(load_default=False)


class AddInformed(RecordInformed):
    """`intake.add_informed`: the same by a list, which gives no consent anew on the day on which it was withdrawn."""


class AskInformed(Question):
    """`intake.list_informed`: when a person was informed, by which notice, in which language, and to what they agreed;
    the first first."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)


class PreviewErasing(Question):
    """`intake.preview_erasing`: what erasing a person would erase, by purpose: lines by kind, how many of them go to
    the lead, and texts; nobody is named. `seen` is what erasing may name, to erase nothing that came since."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)


class EndPurpose(Command):
    """`intake.end_purpose`: erase what is recorded about a person for a purpose, because they have withdrawn their
    consent to it or (`asked`) ask for it. `seen`: refused if anything was recorded since that preview. The reply names
    the `ending`, by which every holder gives its receipt; null: nothing was left to do."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    seen = Number(0, 2**62, allow_none=True, load_default=None)
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
    """`intake.list_duplicates`: pairs of people who may be one, the likeliest first; judged ones too if asked; what
    speaks for it and what against, as codes. Names are sealed to `reply_to`; reads are logged. Who has a protected
    address is in no list."""

    programme = ProgrammeKey(required=True)
    reply_to = PublicKey(required=True)
    judged = Flag(load_default=False)
    limit = Number(1, 100, load_default=50)
    offset = Number(0, 10_000_000, load_default=0)


class JudgePair(Command):
    """`intake.judge_pair`: two people are one (`same`) or two (`apart`); the last word holds, nothing is merged.
    `was`: the verdict that whoever judges has seen; if another came since, they are told."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    same_as = SubjectRef(required=True)
    verdict = Code("same", "apart", required=True)
    was = Code("none", "same", "apart", allow_none=True, load_default=None)
