"""Commands about one person's start record and its evidence, as the page of the start form sends them."""

from marshmallow import RAISE, fields

from shared.contracts.commands import MAX_ITEMS, Command, Item, Members, PlainText, Question, Sealed, items
from shared.contracts.fields import (
    Code,
    Day,
    Digest,
    EntityId,
    Flag,
    Language,
    Number,
    ProgrammeKey,
    PublicKey,
    SubjectRef,
)
from shared.contracts.people import ParticipantItem
from shared.contracts.records import ExitItem
from shared.contracts.start_facts import ATTEMPTS, ENTERED_BY, MAY_CALL, RECORDS


class StartContent(Members):
    """What is inside the `sealed` of a start record: the vault keeps it. What is left out is not known (any more), but
    for the names and the identity code, which stay as they are."""

    given_name = PlainText(200, allow_none=True)
    family_name = PlainText(200, allow_none=True)
    birth_date = Day(allow_none=True)
    identity_code = PlainText(11, allow_none=True)
    form_version = PlainText(80, allow_none=True)
    form_kept = PlainText(200, allow_none=True)


class ShowStart(Command):
    """`intake.show_start`: a person's start record with its evidence; identity and birth date come back sealed to
    `reply_to`, made for this request. Logged as read. `revision` is what a change must name as `was`.
    """

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    reply_to = PublicKey(required=True)


class StartItem(ParticipantItem):
    """The start record of somebody who is known here, whole: what is left out is not recorded (any more), but for
    languages and interpreter. `was`: the revision that whoever writes has seen. `paid_by_project` is asked of
    everybody: who is paid by the project is not its participant.
    """

    class Meta:
        unknown = RAISE
        exclude = ("standing",)

    sealed = Sealed(StartContent, required=True)
    subject = SubjectRef(required=True)
    was = Digest(required=True)
    start_date = Day(required=True)
    paid_by_project = Code("yes", "no", required=True)


class RecordStarts(Command):
    """`intake.record_starts`: results hold each person's subject, what the record `lacks` to be complete, which
    evidence is `missing`, and where the person does not fit the target group (`misfits`).
    """

    programme = ProgrammeKey(required=True)
    items = items(StartItem)
    skip_bad = Flag(load_default=False)


class AddStartItem(ParticipantItem):
    """The start record of somebody who is known here, as far as a list tells it."""

    class Meta:
        unknown = RAISE
        exclude = ("standing",)

    sealed = Sealed(StartContent, required=True)
    subject = SubjectRef(required=True)
    start_date = Day(required=True)


class AddStarts(Command):
    """`intake.add_starts`: start records of people who are known here, or what was not known of them yet, as a list has
    it; what is recorded otherwise already is refused, for a page is newer than any list. Results as of `RecordStarts`.
    """

    programme = ProgrammeKey(required=True)
    items = items(AddStartItem)
    skip_bad = Flag(load_default=False)


class AttemptItem(Item):
    """One try to get a start or exit form that was in vain."""

    subject = SubjectRef(required=True)
    record = Code(*RECORDS, required=True)
    status = Code(*ATTEMPTS, required=True)
    date = Day(required=True)


class RecordAttempts(Command):
    """`intake.record_attempts`: results hold the id of each try."""

    programme = ProgrammeKey(required=True)
    items = items(AttemptItem)
    skip_bad = Flag(load_default=False)


class EuraItem(Item):
    """That somebody's start or exit data are in EURA, entered by whom, on which day."""

    subject = SubjectRef(required=True)
    record = Code(*RECORDS, required=True)
    by = Code(*ENTERED_BY, required=True)
    date = Day(required=True)


class NoteEura(Command):
    """`intake.note_eura`: results hold each person's subject; a later entry takes the place of an earlier one."""

    programme = ProgrammeKey(required=True)
    items = items(EuraItem)
    skip_bad = Flag(load_default=False)


class ListEura(Question):
    """`intake.list_eura`: the ESF participants whose start or exit data are not in EURA as far as this node knows, and
    how many are; those who started first before the others. Nobody is named."""

    programme = ProgrammeKey(required=True)
    limit = Number(1, MAX_ITEMS, load_default=100)
    offset = Number(0, 10_000_000, load_default=0)


class ExitFormContent(Members):
    """What is inside the `sealed` of an exit form: the vault keeps it."""

    form_version = PlainText(80, allow_none=True)
    form_kept = PlainText(200, allow_none=True)


class ExitFormItem(Item):
    """What is written down beside an exit, whole: what is left out is not recorded (any more). `was`: the revision that
    whoever writes has seen; `wishes_ref`: the person's wishes, a text of theirs in the vault."""

    subject = SubjectRef(required=True)
    was = Digest(required=True)
    sealed = Sealed(ExitFormContent, required=True)
    may_call = Code(*MAY_CALL, load_default="not_asked")
    wishes_ref = EntityId(allow_none=True)
    form_signed_on = Day(allow_none=True)
    form_language = Language(allow_none=True)
    form_help = Code("self", "with_help", allow_none=True)
    eura_on = Day(allow_none=True)
    eura_by = Code(*ENTERED_BY, allow_none=True)


class RecordExitForms(Command):
    """`intake.record_exit_forms`: results hold each person's subject. Of people who have left."""

    programme = ProgrammeKey(required=True)
    items = items(ExitFormItem)
    skip_bad = Flag(load_default=False)


class AddExitFormItem(ExitFormItem):
    """What is written down beside an exit, as far as a list tells it."""

    class Meta:
        unknown = RAISE
        exclude = ("was", "wishes_ref")


class AddExitForms(Command):
    """`intake.add_exit_forms`: as `AddStarts`, of exit forms. Results hold each person's subject."""

    programme = ProgrammeKey(required=True)
    items = items(AddExitFormItem)
    skip_bad = Flag(load_default=False)


class RecordLeaving(Command):
    """`intake.record_leaving`: somebody's exit and what is written down beside it, both or neither. The reply says
    whether anything was `new`."""

    programme = ProgrammeKey(required=True)
    exit = fields.Nested(ExitItem, required=True)
    form = fields.Nested(ExitFormItem, required=True)


class RecordClientLeaving(Command):
    """`intake.record_client_leaving`: a client without a start of the fund's record leaves, by day and reason alone.
    `was`: the revision that whoever writes has seen (`ShowExit`). The reply says whether it was `new`."""

    programme = ProgrammeKey(required=True)
    exit = fields.Nested(ExitItem, required=True)
    was = Digest(required=True)


class ShowExit(Command):
    """`intake.show_exit`: a person's exit with its form, tries to get it, and follow-ups; name and where the paper is
    come back sealed to `reply_to`. Logged as read. `revision`, of exit and form, is what a change names as `was`."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    reply_to = PublicKey(required=True)


class ListFollowUps(Question):
    """`intake.list_follow_ups`: who has left and is due to be asked, as the programme file says, and was neither heard
    nor tried for three times; who said no to being called is left out. Nobody is named."""

    programme = ProgrammeKey(required=True)
    limit = Number(1, MAX_ITEMS, load_default=100)
    offset = Number(0, 10_000_000, load_default=0)
