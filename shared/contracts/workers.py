"""Commands about who works with whom. A worker is a user of the node's portal, by the user's name, as `by` is."""

from marshmallow import fields, validate

from shared.contracts.commands import MAX_ITEMS, Command, Item, Question, WorkerName, items
from shared.contracts.fields import Code, Day, EntityId, Flag, ProgrammeKey, SubjectRef
from shared.contracts.worker_facts import HAND_OVER_REASONS


class WorkerItem(Item):
    """One person's worker. `was`: who it is, as whoever chooses has seen it (null: nobody); left out, it is whoever."""

    subject = SubjectRef(required=True)
    worker = WorkerName(required=True)
    was = WorkerName(allow_none=True)


class AssignWorkers(Command):
    """`intake.assign_workers`: who works with these people from now on; results hold each person's subject."""

    programme = ProgrammeKey(required=True)
    items = items(WorkerItem)
    skip_bad = Flag(load_default=False)


class HandOver(Command):
    """`intake.hand_over`: all of a worker's people to another, in every programme or in one; of one programme also
    these `people` alone; `back`: only those who came from `to`. All of them or nobody.

    The reply says how many there are in each programme; with `dry_run` nothing else happens. Who is with `to` already
    is left out; somebody of `people` who is a third worker's by now is an error. `date`: today by default.
    """

    worker = WorkerName(required=True)
    to = WorkerName(required=True)
    reason = Code(*HAND_OVER_REASONS, required=True)
    date = Day(allow_none=True, load_default=None)
    programme = ProgrammeKey(allow_none=True, load_default=None)
    people = fields.List(
        SubjectRef(), allow_none=True, load_default=None, validate=validate.Length(min=1, max=MAX_ITEMS)
    )
    back = Flag(load_default=False)
    dry_run = Flag(load_default=False)


class ListWorkers(Question):
    """`intake.list_workers`: everybody who has had people here, with how many they have in which programme, and the id
    by which facts name them."""


class TasksOf(Question):
    """`pathways.tasks_of`: how many open tasks there are about the people of a worker, by programme; they go along
    when people are handed over. `worker`: the id by which facts name one."""

    worker = EntityId(required=True)


class SeesPeople(Question):
    """`intake.sees`: whom of these people a worker may see where each sees their own: theirs, and who has no worker."""

    programme = ProgrammeKey(required=True)
    worker = WorkerName(required=True)
    people = fields.List(SubjectRef(), required=True, validate=validate.Length(min=1, max=MAX_ITEMS))
