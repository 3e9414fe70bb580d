"""Commands about exit records: people leaving, coming back, and being asked afterwards."""

from shared.contracts.commands import MAX_ITEMS, Command, Item, Question, items
from shared.contracts.fields import Code, Codes, Day, Flag, Number, ProgrammeKey, SubjectRef
from shared.contracts.record_facts import EXITS, FOLLOW_UPS, RESULTS


class ExitItem(Item):
    """One person leaving. An exit before the one that holds changes nothing, unless it `corrects` that one. `planned`:
    the service that the person's ready plan (`next`) names. `resumed_on`: the day on which they came back afterwards.
    """

    subject = SubjectRef(required=True)
    date = Day(required=True)
    reason = Code(*EXITS, required=True)
    results = Codes(Code(*RESULTS), allow_none=True)
    next = Code(allow_none=True)
    planned = Code(allow_none=True)
    resumed_on = Day(allow_none=True)
    corrects = Flag(load_default=False)


class RecordExits(Command):
    """`intake.record_exits`: results hold each person's subject."""

    programme = ProgrammeKey(required=True)
    items = items(ExitItem)
    skip_bad = Flag(load_default=False)


class ResumeParticipation(Command):
    """`intake.resume_participation`: somebody who had left is back; the same again changes nothing."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    date = Day(required=True)


class FollowUpItem(Item):
    """One try to reach a person who has left; results only of somebody who was reached."""

    subject = SubjectRef(required=True)
    due = Day(required=True)
    date = Day(required=True)
    status = Code(*FOLLOW_UPS, required=True)
    results = Codes(Code(*RESULTS), allow_none=True)


class RecordFollowUps(Command):
    """`intake.record_follow_ups`: results hold the id of each try."""

    programme = ProgrammeKey(required=True)
    items = items(FollowUpItem)
    skip_bad = Flag(load_default=False)


class ListMissingEvidence(Question):
    """`intake.list_missing_evidence`: ESF participants whose records lack something (`missing`), those first; of whose
    signed form it was not written down which it is, how it was filled in, or where it is kept (`unsaid`); who do not
    fit the target group (`misfits`); of whom nobody wrote down that they were informed of the processing
    (`uninformed`). Nobody is named."""

    programme = ProgrammeKey(required=True)
    limit = Number(1, MAX_ITEMS, load_default=100)
    offset = Number(0, 10_000_000, load_default=0)
