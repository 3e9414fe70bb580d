"""The workflow parts of a programme as frozen values: areas of work, steps, outcomes, reporting periods, task rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from shared.documents.values import Named

Level = Literal["individual", "community", "service_system"]
Owner = Literal["case_worker", "coordinator"]
Entry = Literal["open", "conditional"]
Completion = Literal["proposed", "automatic"]
MappedList = Literal["steps", "activities", "outcomes", "areas"]

FILTERS: Mapping[str, tuple[str, ...]] = {
    "standing_reached": ("standing",),
    "participation_started": ("target_group",),
    "attendance_recorded": ("activity",),
    "conversation_held": (),
    "step_entered": ("step",),
    "step_left": ("step",),
    "outcome_recorded": ("activity", "outcome"),
    "action_agreed": (),
    "meeting_planned": (),
    "answers_recorded": ("instrument", "occasion"),
    "participation_ended": ("reason",),
    "follow_up_recorded": ("status",),
    "exit_form_recorded": (),
    "record_attempted": ("record", "status"),
    "eura_entered": ("record",),
    "visitor_met": (),
    "plan_action": ("who",),
    "plan_reviewed": (),
}
"""What a rule may wait for, and by which of the fact's codes it may be narrowed."""

TASKS_ALONE = (
    *("answers_recorded", "participation_ended", "follow_up_recorded", "exit_form_recorded", "record_attempted"),
    *("eura_entered", "visitor_met", "plan_action", "plan_reviewed"),
)
"""What only a task may wait for: on which step somebody is must not hang on what they answered, or that they did; nor
on forms, plans and visits, which say nothing of where somebody stands."""

ONE_EACH = ("action_agreed", "meeting_planned", "plan_action")
"""Each of these facts is a thing to do of its own; of the others a person has one open task of a rule at a time."""

OF_LEAVING = ("participation_ended", "follow_up_recorded", "exit_form_recorded")
"""Facts of who has left; tries and EURA entries are so too if they are of the exit."""


@dataclass(frozen=True)
class WorkArea(Named):
    """What the project does, as the application divides it."""


@dataclass(frozen=True)
class Condition:
    """A fact about a person that a rule waits for; `codes` narrows it."""

    on: str
    codes: Mapping[str, str]

    def holds(self, on: str, codes: Mapping[str, str | None]) -> bool:
        """Whether a fact `on` with these codes is one that is waited for."""
        return on == self.on and all(codes.get(word) == value for word, value in self.codes.items())


@dataclass(frozen=True)
class Step(Named):
    """A step at one level; people are only ever on individual ones. `work_area` is a key or None.

    Whoever is on a step that is `alone` is on no other at the same time. `advanced_by` are the activities whose
    sessions carry a step that nobody is on.
    """

    level: Level
    work_area: str | None = None
    alone: bool = False
    enter_when: tuple[Condition, ...] = ()
    entry: Entry = "open"
    complete_when: tuple[Condition, ...] = ()
    completion: Completion = "proposed"
    advanced_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Product(Named):
    """What the project makes; `step` is the key of the step that it carries forward, or None."""

    step: str | None = None


@dataclass(frozen=True)
class Outcome(Named):
    """What may have become of a participant of `activity`; `is_plan`: a plan that names the next service."""

    activity: str
    is_plan: bool = False


@dataclass(frozen=True)
class ReportingPeriod(Named):
    """A span of days, both included, that each partner confirms once it is over."""

    start: date
    end: date


@dataclass(frozen=True)
class TaskRule(Named):
    """Which fact opens a task, when it is due, what closes it; all in days. `after_leaving`: it is asked also about who
    has left."""

    opens: Condition
    due_days: int
    closes: Condition | None
    repeats_days: int | None
    owner: Owner
    after_leaving: bool = False

    @property
    def one_each(self) -> bool:
        """Whether every opening fact has a task of its own."""
        return self.opens.on in ONE_EACH

    @property
    def of_leaving(self) -> bool:
        """Whether leaving opens it, or what is done after that."""
        return self.opens.on in OF_LEAVING or self.opens.codes.get("record") == "exit"


def work_areas(document: Mapping[str, Any]) -> tuple[WorkArea, ...]:
    """The areas of work of a checked document."""
    return tuple(WorkArea(a["key"], dict(a["name"])) for a in document.get("work_areas", ()))


def steps(document: Mapping[str, Any]) -> tuple[Step, ...]:
    """The steps of a checked document."""
    return tuple(
        Step(
            s["key"],
            dict(s["name"]),
            level=s["level"],
            work_area=s.get("work_area"),
            alone=s.get("alone", False),
            enter_when=tuple(_condition(c) for c in s.get("enter_when", ())),
            entry=s.get("entry", "open"),
            complete_when=tuple(_condition(c) for c in s.get("complete_when", ())),
            completion=s.get("completion", "proposed"),
            advanced_by=tuple(s.get("advanced_by", ())),
        )
        for s in document.get("steps", ())
    )


def products(document: Mapping[str, Any]) -> tuple[Product, ...]:
    """The products of a checked document."""
    return tuple(Product(p["key"], dict(p["name"]), p.get("step")) for p in document.get("products", ()))


def mapping(document: Mapping[str, Any]) -> dict[tuple[MappedList, str], str]:
    """What became of old keys: by list and old key, the key of this version."""
    return {(row["list"], row["key"]): row["becomes"] for row in document.get("mapping", ())}


def outcomes(document: Mapping[str, Any]) -> tuple[Outcome, ...]:
    """The outcomes of a checked document."""
    return tuple(
        Outcome(o["key"], dict(o["name"]), o["activity"], o.get("is_plan", False)) for o in document.get("outcomes", ())
    )


def periods(document: Mapping[str, Any]) -> tuple[ReportingPeriod, ...]:
    """The reporting periods of a checked document."""
    return tuple(
        ReportingPeriod(p["key"], dict(p["name"]), date.fromisoformat(p["start"]), date.fromisoformat(p["end"]))
        for p in document.get("periods", ())
    )


def tasks(document: Mapping[str, Any]) -> tuple[TaskRule, ...]:
    """The task rules of a checked document."""
    return tuple(
        TaskRule(
            t["key"],
            dict(t["name"]),
            opens=_condition(t["opens"]),
            due_days=t["due_days"],
            closes=_condition(t["closes"]) if "closes" in t else None,
            repeats_days=t.get("repeats_days"),
            owner=t.get("owner", "case_worker"),
            after_leaving=t.get("after_leaving", False),
        )
        for t in document.get("tasks", ())
    )


def _condition(part: Mapping[str, str]) -> Condition:
    return Condition(part["on"], {word: value for word, value in part.items() if word != "on"})
