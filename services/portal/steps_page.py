"""The page of one person's steps: enter, leave, pause, return, several in parallel; and what is proposed, by one tap.

No script. What is proposed can be taken up from the page of tasks and the person's page too: each is a small form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import talks
from services.portal.labels import label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.person_page import person_row
from services.portal.steps_shown import away_of, individual, named, proposal_row, stay_row, tap_day
from services.portal.words import words
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    InvalidInput,
    PolkuError,
    UnknownCode,
    UnknownPerson,
    unless_refused,
)

ACTS = ("enter", "leave", "pause", "return", "past")
_DONE = {act: f"step_done_{act}" for act in ACTS}
_DONE["removed"] = "mistake_removed"
_BACK = ("tasks", "person")
_WHY = {
    **{("enter", "from"): "problem_step_taken", ("enter", "step"): "problem_step_condition"},
    ("enter", "to"): "problem_step_left",
    **{("past", "from"): "problem_step_past", ("past", "to"): "problem_step_past"},
    ("past", "step"): "problem_step_condition",
    **{("leave", "from"): "problem_step_changed", ("leave", "to"): "problem_step_leave"},
    **{("pause", "from"): "problem_step_pause", ("pause", "to"): "problem_step_changed"},
    **{("return", "from"): "problem_step_changed", ("return", "to"): "problem_step_return"},
}
"""Why a service has refused, by what was wanted and the field that it names."""


@dataclass(frozen=True)
class Refused(Exception):
    """Nothing was recorded; the word that says why, and the answer's status."""

    word: str
    status: int = 400


@dataclass
class StepPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/steps/<programme:key>/<entity:person>"
        self.pages.add(app, rule, "steps", self.show, LIST_ROLES)
        self.pages.add(app, rule, "record_step", self.record, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/no-pause", "remove_pause", self.no_pause, LIST_ROLES, "POST")

    def show(self, key: str, person: str) -> ResponseReturnValue:
        return self._page(self.pages.programme(key), person)

    def record(self, key: str, person: str) -> ResponseReturnValue:
        names, act = self.pages.programme(key), request.form.get("act", "")
        try:
            self._record(names, person, act)
        except Refused as refused:
            return self._page(names, person, refused.word), refused.status
        back = request.form.get("to", "")
        if back == "tasks":
            return redirect(url_for("tasks", key=key, done=act), 303)
        return redirect(url_for("person" if back in _BACK else "steps", key=key, person=person, done=act), 303)

    def no_pause(self, key: str, person: str) -> ResponseReturnValue:
        names, by = self.pages.programme(key), g.session.user.name
        given: dict[str, Any] = {"programme": key, "subject": person, "pause": request.form.get("pause", "")}
        try:
            self.pages.context.rpc.call("pathways", "remove_pause", **given, by=by)
        except InvalidInput:  # another step was begun meanwhile
            return self._page(names, person, "problem_pause_removed"), 409
        except UnknownPerson:
            abort(404)
        return redirect(url_for("steps", key=key, person=person, done="removed"), 303)

    def _record(self, names: ProgrammeNames, person: str, act: str) -> None:
        """What the form wants. Raises `Refused`, or what is no fault of the form."""
        day = talks.day_from(request.form.get("day", ""))
        first, last = talks.days(self.pages.context, names)
        if act not in ACTS or (act in ("enter", "past") and request.form.get("step", "") not in individual(names)):
            raise Refused("problem_choose")
        if day is None or not first <= day <= last:
            raise Refused("problem_step_day")
        if act in ("enter", "leave", "past"):
            method, item = "record_steps", self._stay(names, person, act, day)
        else:
            method, item = "record_pauses", self._pause(names, person, act, day)
        given = {"programme": names.key, "by": g.session.user.name, "items": [item | {"subject": person}]}
        try:
            results = self.pages.context.rpc.call("pathways", method, **given)["results"]
        except talks.UNSURE:
            raise Refused("problem_unsure", 503) from None
        try:
            unless_refused(*results)
        except PolkuError as error:
            raise _refusal(error, act) from None

    def _stay(self, names: ProgrammeNames, person: str, act: str, day: date) -> dict[str, Any]:
        form = request.form
        if act in ("enter", "past"):
            item = {"key": talks.key_from(form.get("key", "")), "step": form["step"], "entered_on": day.isoformat()}
            return item | self._until(names, day) if act == "past" else item
        stay = self._open_stay(names, person)
        # By what it ends, not by the form: of two workers who end it at once, one does.
        key = talks.part_key(stay["stay"], "left")
        return {"key": key, "step": stay["step"], "entered_on": stay["entered_on"], "left_on": day.isoformat()}

    def _until(self, names: ProgrammeNames, since: date) -> dict[str, str]:
        """The last day of a time that is over, as it is told of who has left."""
        day = talks.day_from(request.form.get("until", ""))
        if day is None or not since <= day <= talks.days(self.pages.context, names)[1]:
            raise Refused("problem_step_day")
        return {"left_on": day.isoformat()}

    def _pause(self, names: ProgrammeNames, person: str, act: str, day: date) -> dict[str, Any]:
        form, stay = request.form, self._open_stay(names, person)
        if act == "pause":
            return {"key": talks.key_from(form.get("key", "")), "step": stay["step"], "paused_on": day.isoformat()}
        away = away_of(stay)
        if away is None:
            raise Refused("problem_step_changed", 409)
        key, since = talks.part_key(away["pause"], "returned"), away["paused_on"]
        return {"key": key, "step": stay["step"], "paused_on": since, "resumed_on": day.isoformat()}

    def _open_stay(self, names: ProgrammeNames, person: str) -> Mapping[str, Any]:
        """The time on a step that the form is about, if the person is still on it."""
        wanted = request.form.get("stay", "")
        found: list[Mapping[str, Any]] = self._steps(names, person)["steps"]
        stay = next((row for row in found if row["stay"] == wanted and row["left_on"] is None), None)
        if stay is None:
            raise Refused("problem_step_changed", 409)
        return stay

    def _steps(self, names: ProgrammeNames, person: str) -> Any:
        try:
            return self.pages.context.rpc.call("pathways", "steps_of", programme=names.key, subject=person)
        except UnknownPerson:
            abort(404)

    def _page(self, names: ProgrammeNames, person: str, problem: str | None = None) -> str:
        say, context = words(g.lang), self.pages.context
        row, name = person_row(self.pages, names.key, person)
        found, (first, last) = self._steps(names, person), talks.days(context, names)
        known = not row.get("end_reason") or row.get("ended_on")  # whose exit is erased are on no step any more
        return self.pages.show(
            "steps.html",
            programme=names.key,
            person=person,
            title=label_of(names.name, g.lang, names.key),
            name=name,
            restricted=bool(row.get("restricted")),
            on=[stay_row(stay, names) for stay in found["steps"] if stay["left_on"] is None],
            earlier=[stay_row(stay, names) for stay in found["steps"] if stay["left_on"] is not None],
            proposals=[proposal_row(one, names) for one in found["proposals"]],
            steps=[(key, named("steps", key, names)) for key in individual(names)] if known else [],
            ended=min(row["ended_on"], last.isoformat()) if row.get("ended_on") else "",
            tap_day=tap_day(self.pages, names),
            first=first.isoformat(),
            last=last.isoformat(),
            new_key=talks.new_key,
            done=_DONE.get(request.args.get("done", ""), "") if problem is None else "",
            problems={"": say(problem)} if problem else {},
        )


def _refusal(error: PolkuError, act: str) -> Exception:
    if isinstance(error, AlreadyRecordedDiffers):  # ended by a colleague on another day, a moment ago
        return Refused("problem_step_changed", 409)
    if isinstance(error, UnknownCode):
        return Refused("problem_choose")
    if isinstance(error, InvalidInput):
        word = _WHY.get((act, str(error.params.get("field"))), "problem_step_day")
        return Refused(word, 409 if word == "problem_step_changed" else 400)
    return error
