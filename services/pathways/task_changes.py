"""What changes tasks by itself: opening and closing them, state and facts together. When, is said by `rules`."""

from datetime import date

from services.pathways import store
from services.pathways.rules import Change, Task
from shared.contracts.catalogue import TaskClosed, TaskOpened
from shared.journal import Unit
from shared.journal.closing import OPEN, state_of
from shared.journal.unit import new_id
from shared.ops.metrics import counter

tasks_total = counter("polku_pathways_tasks_total", "Tasks by what happened to them: opened, met or dismissed", "what")


def close(unit: Unit, subject: str, task_id: str, how: str, reason: str | None, day: date) -> None:
    """Close an open task because of what was heard."""
    store.close_task(unit.connection, task_id, how, reason, day)
    unit.record(TaskClosed(subject, task=task_id, how=how, reason=reason, occurred_on=day.isoformat()))
    tasks_total.labels(how).inc()


def apply(unit: Unit, place: tuple[str, str, str], change: Change) -> dict[Task, str]:
    """Keep the track and open the tasks of a change, unless the programme is closed here; their ids."""
    programme, rule, subject = place
    made: dict[Task, str] = {}
    closed = bool(change.opened) and state_of(unit.connection, unit.home, programme) != OPEN
    for task in () if closed else change.opened:
        made[task] = task_id = new_id()
        store.add_task(unit.connection, task_id, *place, task)
        opened = {"task": task_id, "rule": rule, "programme": programme, "due_on": task.due_on.isoformat()}
        unit.record(TaskOpened(subject, **opened, text_ref=task.text_ref))
        tasks_total.labels("opened").inc()
    store.put_track(unit.connection, *place, change.track)
    return made
