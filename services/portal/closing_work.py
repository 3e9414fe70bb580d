"""What stands in the way of closing a programme, and having it done: for the command line and the page alike.

Each thing is named by what it is and its item; it ends (a person leaves, a task is dismissed) or is left open, always
for a reason. Which reasons there are depends on what it is.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from shared.contracts.catalogue import TASK_REASONS
from shared.contracts.closing_facts import LEFT_REASONS
from shared.contracts.commands import MAX_ITEMS
from shared.contracts.errors import InvalidInput, NotFound, TaskClosedAlready
from shared.contracts.record_facts import EXITS

WHATS = ("exit", "task", "evidence", "period", "receipts")
NOT_OVER = "not_over"
_LEFT = tuple(reason for reason in LEFT_REASONS if reason not in (NOT_OVER, "on_its_way"))
REASONS: Mapping[str, tuple[str, ...]] = {
    "exit": (*EXITS, "restricted"),
    "task": TASK_REASONS,
    "evidence": _LEFT,
    "period": (NOT_OVER, "agreed_with_funder"),
    "receipts": ("on_its_way",),
}
"""By what it is; an exit for `restricted` is none: the person stays in, because nothing may be recorded about them."""


class Calls(Protocol):
    """Whoever can call a service."""

    def call(self, service: str, method: str, /, **arguments: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Open:
    """One thing that stands in the way. `item`: a subject, a task, a period, or empty; `since`: a day, or which lines
    (`number` of them). `over`: a period that is over, and so needs another reason than that it is not."""

    what: str
    item: str
    since: str
    restricted: bool = False
    missing: tuple[str, ...] = ()
    number: int = 1
    over: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """How one thing ends, or why it is left; `day` is the day of an exit."""

    what: str
    item: str
    reason: str
    day: str = ""


def look(calls: Calls, programme: str) -> tuple[dict[str, Any], list[Open]]:
    """The state of the closing, and everything that has neither an end nor a reason that still holds. Raises
    `UnknownProgramme`."""
    state = calls.call("pathways", "closing_state", programme=programme)
    left = {(one["what"], one["item"] or "") for one in pages(calls, "pathways", "list_left", "items", programme)}
    found = [*_exits(calls, programme), *_tasks(calls, programme), *_evidence(calls, programme)]
    for one in state["periods"]:
        if one["left"] == NOT_OVER and one["over"]:
            left.discard(("period", one["period"]))
        if not one["confirmed_on"]:
            found.append(Open("period", one["period"], one["end"], over=one["over"]))
    if state["receipted"] < state["head"]:
        since = f"{state['receipted'] + 1}–{state['head']}"
        found.append(Open("receipts", "", since, number=state["head"] - state["receipted"]))
    return state, [one for one in found if (one.what, one.item) not in left]


def _exits(calls: Calls, programme: str) -> Iterator[Open]:
    for row in pages(calls, "intake", "list_still_in", "people", programme):
        yield Open("exit", row["person"], row["started_on"], row["restricted"])


def _tasks(calls: Calls, programme: str) -> Iterator[Open]:
    for row in pages(calls, "pathways", "list_tasks", "tasks", programme, state="open"):
        yield Open("task", row["task"], row["due_on"], missing=(row["rule"],))


def _evidence(calls: Calls, programme: str) -> Iterator[Open]:
    for row in pages(calls, "intake", "list_missing_evidence", "people", programme):
        if row["missing"]:  # what is merely to be looked at stands in nobody's way
            yield Open("evidence", row["person"], "", missing=tuple(row["missing"]))


def pages(
    calls: Calls, service: str, method: str, member: str, programme: str, **more: Any
) -> Iterator[dict[str, Any]]:
    """Every row of a paged list."""
    offset = 0
    while True:
        found = calls.call(service, method, programme=programme, limit=MAX_ITEMS, offset=offset, **more)
        yield from found[member]
        offset += len(found[member])
        if offset >= found["total"] or not found[member]:
            return


def check(reasons: Iterable[Reason], known: Sequence[Open]) -> None:
    """Refuse a reason that is none, or of what is not open. Raises `InvalidInput` naming the row."""
    there = {(one.what, one.item): one for one in known}
    for number, one in enumerate(reasons, 1):
        if one.reason not in REASONS.get(one.what, ()):
            raise InvalidInput(
                field=f"row {number}, reason", reason=f"one of {', '.join(REASONS.get(one.what, WHATS))}"
            )
        if (one.what, one.item) not in there:
            raise InvalidInput(field=f"row {number}, item", reason="is not open")
        if one.reason == NOT_OVER and there[one.what, one.item].over:
            raise InvalidInput(field=f"row {number}, reason", reason="the period is over")
        if one.what == "exit" and one.reason in EXITS and not one.day:
            raise InvalidInput(field=f"row {number}, day", reason="an exit has one")


def for_all(what: str, reason: str, day: str, found: Sequence[Open]) -> list[Reason]:
    """The same reason for all of a kind of which it can be true; who has had the processing restricted stays in, for
    that."""
    same = Reason(what, "", reason, day)
    return [
        Reason(what, one.item, "restricted") if what == "exit" and one.restricted else replace(same, item=one.item)
        for one in found
        if one.what == what and not (one.over and reason == NOT_OVER)
    ]


def settle(calls: Calls, programme: str, reasons: Sequence[Reason], by: str) -> dict[str, int]:
    """End or leave these things; how many of each, and how many exits a rule refused (`refused`): they stay open.

    Done again it goes on: exits are known by what they say, a task that is closed stays so, whoever closed it.
    """
    done = dict.fromkeys((*WHATS, "refused"), 0)
    exits = [one for one in reasons if one.what == "exit" and one.reason in EXITS]
    for some in _chunks(exits):
        items = [_exit(programme, one) for one in some]
        answer = calls.call("intake", "record_exits", by=by, programme=programme, items=items, skip_bad=True)
        refused = sum("error" in result for result in answer["results"])
        done["exit"] += len(some) - refused
        done["refused"] += refused
    for one in reasons:
        if one.what == "task":
            with contextlib.suppress(TaskClosedAlready, NotFound):  # by a colleague since, or with the person
                calls.call("pathways", "close_task", by=by, task=one.item, how="dismissed", reason=one.reason)
                done["task"] += 1
    for some in _chunks([one for one in reasons if one not in exits and one.what != "task"]):
        items = [_left(one) for one in some]
        calls.call("pathways", "leave_open", by=by, programme=programme, items=items)
        for one in some:
            done[one.what] += 1
    return done


def _exit(programme: str, one: Reason) -> dict[str, Any]:
    said = "\0".join(("closing", programme, one.item, one.day, one.reason))
    key = hashlib.sha256(said.encode()).hexdigest()
    return {"key": key, "subject": one.item, "date": one.day, "reason": one.reason, "results": None}


def _left(one: Reason) -> dict[str, Any]:
    name = {"exit": "subject", "evidence": "subject", "period": "period"}.get(one.what)
    return {"what": one.what, "reason": one.reason, **({name: one.item} if name else {})}


def _chunks(rows: Sequence[Reason]) -> Iterator[Sequence[Reason]]:
    for start in range(0, len(rows), MAX_ITEMS):
        yield rows[start : start + MAX_ITEMS]
