"""Commands and questions about the workflow: the programme file, outcomes, reporting periods, tasks."""

from marshmallow import fields

from shared.contracts.catalogue import TASK_REASONS
from shared.contracts.commands import MAX_ITEMS, Command, Item, Question, items
from shared.contracts.fields import Code, Day, EntityId, Flag, Number, ProgrammeKey, SubjectRef


class LoadProgramme(Command):
    """`pathways.load_programme` on a node, `reporting.load_programme` on a lead: the programme file as a document."""

    document = fields.Dict(required=True)


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
