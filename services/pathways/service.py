"""pathways on the bus: parse by contract, call once, answer."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from services.pathways import (
    closing,
    hearing,
    mistakes,
    operations,
    plans,
    queries,
    sharing,
    step_queries,
    stepping,
    versions,
)
from services.pathways.domain import NewOutcome, NewPause, NewStay
from services.pathways.planning import Entry, NewPlan
from shared.bus.entrypoints import JournalFollower, rpc, subscribes, timer
from shared.bus.home import EVERYTHING, HomeResource
from shared.bus.parked import ParkedLines
from shared.contracts.catalogue import FACTS, ProgrammeVersion
from shared.contracts.closing import AskClosing, CloseProgramme, LeaveOpen, ListLeft, ReopenProgramme, SealStream
from shared.contracts.commands import load
from shared.contracts.facts import Fact
from shared.contracts.mistakes import OutcomesOf, RemoveOutcome, RemovePause, RemoveStep
from shared.contracts.plans import RecordPlans, ShowPlan
from shared.contracts.releases import ListReleases
from shared.contracts.rights import PersonShare
from shared.contracts.steps import (
    CountWaiting,
    ListProposals,
    RecordPauses,
    RecordProduct,
    RecordSteps,
    RehearseProgramme,
    StepsOf,
    StepStates,
)
from shared.contracts.workers import TasksOf
from shared.contracts.workflow import AskPeriod, CloseTask, ConfirmPeriod, ListTasks, LoadProgramme, RecordOutcomes
from shared.journal import Line, Unit
from shared.ops.clock import day_of, iso_day

CLOCK_SECONDS = 60
"""How often the clock is looked at: a task appears at most so long after midnight in Helsinki."""


class PathwaysService(ParkedLines):
    """Keeps the programme definitions of the node, steps, outcomes, periods and tasks."""

    name = "pathways"
    home = HomeResource()
    follower = JournalFollower("home")

    @rpc
    def ping(self) -> dict[str, Any]:
        return {"service": self.name, "ready": True}

    @rpc
    def person_share(self, **command: Any) -> dict[str, Any]:
        body = load(PersonShare, command)
        self.home.follow_to(body["after"])
        return sharing.person_share(self.home.engine, body["programme"], body["subject"])

    @rpc
    def load_programme(self, **command: Any) -> dict[str, Any]:
        body = load(LoadProgramme, command)
        programme, pos = versions.load_programme(
            self.home.journal, body["document"], by=body["by"], now=self.home.now()
        )
        return {"pos": self.home.committed(pos), "programme": programme.key, "digest": programme.digest}

    @rpc
    def rehearse_programme(self, **question: Any) -> dict[str, Any]:
        self.home.follow_to(EVERYTHING)
        return versions.rehearse(self.home.journal, load(RehearseProgramme, question)["document"], self.home.now())

    @rpc
    def list_programmes(self) -> list[dict[str, Any]]:
        return queries.list_programmes(self.home.engine)

    @rpc
    def list_releases(self, **question: Any) -> list[dict[str, Any]]:
        return queries.list_releases(self.home.engine, load(ListReleases, question)["programme"])

    @rpc
    def record_steps(self, **command: Any) -> dict[str, Any]:
        body = load(RecordSteps, command)
        self.home.follow_to(EVERYTHING)  # conditions of a step may be met by what was recorded a moment ago
        return self.home.record(body, stepping.record_steps, [_stay(item) for item in body["items"]])

    @rpc
    def record_pauses(self, **command: Any) -> dict[str, Any]:
        body = load(RecordPauses, command)
        return self.home.record(body, stepping.record_pauses, [_pause(item) for item in body["items"]])

    @rpc
    def record_product(self, **command: Any) -> dict[str, Any]:
        body = load(RecordProduct, command)
        what = (body["programme"], body["product"], body["state"], date.fromisoformat(body["date"]))
        new, pos = stepping.record_product(self.home.journal, *what, by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "new": new}

    @rpc
    def steps_of(self, **question: Any) -> dict[str, Any]:
        body = load(StepsOf, question)
        self.home.follow_to(EVERYTHING)
        return step_queries.steps_of(self.home.engine, body["programme"], body["subject"])

    @rpc
    def list_proposals(self, **question: Any) -> dict[str, Any]:
        body = load(ListProposals, question)
        self.home.follow_to(EVERYTHING)
        return step_queries.list_proposals(self.home.engine, body["programme"], body["limit"], body["offset"])

    @rpc
    def step_states(self, **question: Any) -> list[dict[str, Any]]:
        return step_queries.step_states(self.home.engine, load(StepStates, question)["programme"], self.home.now())

    @rpc
    def record_outcomes(self, **command: Any) -> dict[str, Any]:
        body = load(RecordOutcomes, command)
        return self.home.record(body, operations.record_outcomes, [_outcome(item) for item in body["items"]])

    @rpc
    def outcomes_of(self, **question: Any) -> list[dict[str, Any]]:
        body = load(OutcomesOf, question)
        return queries.outcomes_of(self.home.engine, body["programme"], body["subject"])

    @rpc
    def remove_outcome(self, **command: Any) -> dict[str, Any]:
        body = load(RemoveOutcome, command)
        what = body["programme"], body["subject"], body["outcome_id"]
        removed, pos = mistakes.remove_outcome(self.home.journal, *what, by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "removed": removed}

    @rpc
    def remove_step(self, **command: Any) -> dict[str, Any]:
        body = load(RemoveStep, command)
        self.home.follow_to(EVERYTHING)
        what = body["programme"], body["subject"], body["stay"]
        removed, pos = mistakes.remove_step(self.home.journal, *what, by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "removed": removed}

    @rpc
    def remove_pause(self, **command: Any) -> dict[str, Any]:
        body = load(RemovePause, command)
        self.home.follow_to(EVERYTHING)
        what = body["programme"], body["subject"], body["pause"]
        removed, pos = mistakes.remove_pause(self.home.journal, *what, by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "removed": removed}

    @rpc
    def period_state(self, **command: Any) -> dict[str, Any]:
        body = load(AskPeriod, command)
        self.home.follow_to(EVERYTHING)  # who is asked to confirm must see what was recorded a moment ago
        return queries.period_state(self.home.engine, body["programme"], body["period"], self.home.now())

    @rpc
    def confirm_period(self, **command: Any) -> dict[str, Any]:
        body = load(ConfirmPeriod, command)
        self.home.follow_to(EVERYTHING)
        common = {"by": body["by"], "now": self.home.now(), "again": body["again"]}
        day, pos = operations.confirm_period(self.home.journal, body["programme"], body["period"], **common)
        return {"pos": self.home.committed(pos), "on": day.isoformat(), "new": pos is not None}

    @rpc
    def closing_state(self, **question: Any) -> dict[str, Any]:
        body = load(AskClosing, question)
        self.home.follow_to(EVERYTHING)
        return closing.closing_state(self.home.journal, body["programme"], self.home.now())

    @rpc
    def list_left(self, **question: Any) -> dict[str, Any]:
        return closing.list_left(self.home.journal, **load(ListLeft, question))

    @rpc
    def leave_open(self, **command: Any) -> dict[str, Any]:
        body = load(LeaveOpen, command)
        self.home.follow_to(EVERYTHING)  # who has just come in can be named
        what = body["programme"], closing.items(body["items"])
        new, pos = closing.leave_open(self.home.journal, *what, by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "new": new}

    @rpc
    def close_programme(self, **command: Any) -> dict[str, Any]:
        return self._step(closing.close_programme, load(CloseProgramme, command))

    @rpc
    def reopen_programme(self, **command: Any) -> dict[str, Any]:
        body = load(ReopenProgramme, command)
        return self._step(partial(closing.reopen_programme, reason=body["reason"]), body)

    @rpc
    def seal_stream(self, **command: Any) -> dict[str, Any]:
        return self._step(closing.seal_stream, load(SealStream, command))

    def _step(self, operation: Any, body: dict[str, Any]) -> dict[str, Any]:
        self.home.follow_to(EVERYTHING)
        day, pos = operation(self.home.journal, body["programme"], by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "on": iso_day(day), "new": pos is not None}

    @rpc
    def list_tasks(self, **command: Any) -> dict[str, Any]:
        body = load(ListTasks, command)
        page = (body["state"], body["limit"], body["offset"], self.home.now(), body["worker"])
        return queries.list_tasks(self.home.engine, body["programme"], *page, own_only=body["own_only"])

    @rpc
    def tasks_of(self, **question: Any) -> list[dict[str, Any]]:
        body = load(TasksOf, question)
        self.home.follow_to(EVERYTHING)  # whoever hands people over must see whose they became a moment ago
        return queries.tasks_of(self.home.engine, body["worker"])

    @rpc
    def count_waiting(self, **question: Any) -> dict[str, Any]:
        load(CountWaiting, question)
        return queries.waiting(self.home.engine, self.home.now())

    @rpc
    def close_task(self, **command: Any) -> dict[str, Any]:
        body = load(CloseTask, command)
        self.home.follow_to(EVERYTHING if body["own_only"] else body["after"])
        common = {name: body[name] for name in ("by", "worker", "own_only")} | {"now": self.home.now()}
        new, pos = operations.close_task(self.home.journal, body["task"], body["how"], body["reason"], **common)
        return {"pos": self.home.committed(pos), "new": new}

    @rpc
    def record_plans(self, **command: Any) -> dict[str, Any]:
        body = load(RecordPlans, command)
        return self.home.record(body, plans.record_plans, [_plan(item) for item in body["items"]])

    @rpc
    def show_plan(self, **command: Any) -> dict[str, Any]:
        body = load(ShowPlan, command)
        self.home.follow_to(EVERYTHING)  # who has just come in can be asked for
        return plans.show_plan(self.home.engine, body["programme"], body["subject"])

    @timer(interval=CLOCK_SECONDS)
    def look_at_clock(self) -> None:
        self.home.follow_to(EVERYTHING)  # what was done while this service was down has not to be asked for
        for pos in hearing.look_at_clock(self.home.journal, self.home.now()):
            self.home.committed(pos)
        hearing.measure(self.home.engine, self.home.now())

    @subscribes(ProgrammeVersion)
    def on_programme_version(self, unit: Unit, line: Line, piece: Fact) -> None:
        versions.take_version(unit, line, piece)


def _hears(fact: type[Fact]) -> Callable[..., None]:
    @subscribes(fact)
    def on_fact(_service: PathwaysService, unit: Unit, line: Line, heard: Fact) -> None:
        hearing.heard(unit, line, heard)

    return on_fact


for _kind in hearing.KINDS:
    if (_kind, 1) in FACTS:
        setattr(PathwaysService, f"on_{_kind.replace('.', '_')}", _hears(FACTS[_kind, 1]))


def _stay(item: dict[str, Any]) -> NewStay:
    left_on = day_of(item.get("left_on"))
    return NewStay(item["key"], item["subject"], item["step"], date.fromisoformat(item["entered_on"]), left_on)


def _pause(item: dict[str, Any]) -> NewPause:
    resumed_on = day_of(item.get("resumed_on"))
    return NewPause(item["key"], item["subject"], item["step"], date.fromisoformat(item["paused_on"]), resumed_on)


def _outcome(item: dict[str, Any]) -> NewOutcome:
    return NewOutcome(item["key"], item["subject"], item["outcome"], date.fromisoformat(item["date"]))


def _plan(item: dict[str, Any]) -> NewPlan:
    whole = tuple(item["strengths"]), item.get("next"), item["ready"]
    return NewPlan(item["key"], item["subject"], item["was"], *whole, tuple(map(_entry, item["entries"])))


def _entry(told: dict[str, Any]) -> Entry:
    day = day_of(told.get("day"))
    what = told.get("entry") or "", told["what"], told["state"], told["shown"], told.get("text_ref"), told.get("who")
    return Entry(*what, day, told.get("barrier"), tuple(told["solutions"]))
