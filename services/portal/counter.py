"""The tap counter: heads at an event, one big button. Each tap is kept at once; the same tap twice counts once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import formats, talks
from services.portal.labels import Label, label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.words import words
from shared.contracts.errors import AlreadyRecordedDiffers, UnknownSession

TAPS: Mapping[str, tuple[int, int]] = {
    "add": (1, 0),
    "add_woman": (1, 1),
    "undo": (-1, 0),
    "undo_woman": (-1, -1),
    "done": (0, 0),
    "go_on": (0, 0),
}
"""What each button adds: heads, and women of them."""


@dataclass(frozen=True)
class Filled:
    """The form that begins a count, as it was filled in."""

    key: str
    activity: str
    date: str
    location: str
    women: bool


@dataclass
class CounterPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/counter/<programme:key>"
        self.pages.add(app, rule, "counter", self.begin, LIST_ROLES)
        self.pages.add(app, rule, "start_counter", self.start, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/<entity:counter>", "counting", self.counting, LIST_ROLES)
        self.pages.add(app, f"{rule}/<entity:counter>", "tap", self.tap, LIST_ROLES, "POST")

    def begin(self, key: str) -> ResponseReturnValue:
        names = self.pages.programme(key)
        today = talks.days(self.pages.context, names)[1].isoformat()
        return self._show(names, Filled(talks.new_key(), "", today, "", women=False))

    def start(self, key: str) -> ResponseReturnValue:
        names, form = self.pages.programme(key), request.form
        plain = {name: form.get(name, "").strip() for name in ("activity", "date", "location")}
        filled = Filled(talks.key_from(form.get("key", "")), **plain, women=form.get("women") == "yes")
        if problems := self._problems(names, filled):
            return self._show(names, filled, problems), 400
        try:
            answer = self.pages.context.rpc.call(
                "activities",
                "start_counter",
                programme=key,
                by=g.session.user.name,
                key=filled.key,
                activity=filled.activity,
                date=filled.date,
                location=filled.location or None,
                women=filled.women,
            )
        except AlreadyRecordedDiffers:
            return self._show(names, filled, {"": "problem_saved_already"}), 409
        return redirect(url_for("counting", key=key, counter=answer["counter"]), 303)

    def counting(self, key: str, counter: str) -> ResponseReturnValue:
        names = self.pages.programme(key)
        found = self._counters(key, counter=counter)
        if not found:
            abort(404)
        return self.pages.show(
            "counting.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            missed=request.args.get("missed") == "1",
            **self._state(names, found[0]),
        )

    def tap(self, key: str, counter: str) -> ResponseReturnValue:
        self.pages.programme(key)
        button, revision = request.form.get("tap", ""), request.form.get("revision", "")
        if button not in TAPS or not talks.is_number(revision, 9):
            abort(400)
        heads, women = TAPS[button]
        try:
            state = self.pages.context.rpc.call(
                "activities",
                "count_heads",
                programme=key,
                by=g.session.user.name,
                counter=counter,
                revision=int(revision),
                heads=heads,
                women=women,
                done=button == "done",
            )
        except UnknownSession:
            abort(404)
        missed = None if state["taken"] else 1
        return redirect(url_for("counting", key=key, counter=counter, missed=missed), 303)

    def _counters(self, key: str, **which: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.pages.context.rpc.call("activities", "list_counters", programme=key, **which)
        return found

    def _problems(self, names: ProgrammeNames, filled: Filled) -> dict[str, str]:
        problems, (start, end) = {}, talks.days(self.pages.context, names)
        day = talks.day_from(filled.date)
        if day is None:
            problems["date"] = "problem_day"
        elif not start <= day <= end:
            problems["date"] = "problem_day_outside"
        if filled.activity not in events(names):
            problems["activity"] = "problem_choose"
        if filled.location and filled.location not in names.locations:
            problems["location"] = "problem_choose"
        return problems

    def _show(self, names: ProgrammeNames, filled: Filled, problems: Mapping[str, str] | None = None) -> str:
        say, (start, end) = words(g.lang), talks.days(self.pages.context, names)
        return self.pages.show(
            "counter.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            filled=filled,
            problems={name: say(problem) for name, problem in (problems or {}).items()},
            activities=[(code, self._label(names.activities, code)) for code in events(names)],
            locations=[(code, self._label(names.locations, code)) for code in names.locations],
            days=(start.isoformat(), end.isoformat()),
            running=[self._state(names, state) for state in self._counters(names.key)],
        )

    def _state(self, names: ProgrammeNames, state: Mapping[str, Any]) -> dict[str, Any]:
        place = state["location"]
        return {
            "counter": state["counter"],
            "activity": self._label(names.activities, state["activity"]),
            "day": talks.said_day(state["occurred_on"]),
            "place": self._label(names.locations, place) if place else None,
            "revision": state["revision"],
            "heads": formats.number(state["heads"], g.lang),
            "women": None if state["women"] is None else formats.number(state["women"], g.lang),
            "others": state["heads"] - (state["women"] or 0),
            "done": state["done"],
        }

    def _label(self, named: Mapping[str, Mapping[str, str]], code: str) -> Label:
        return label_of(named.get(code, {}), g.lang, code)


def events(names: ProgrammeNames) -> list[str]:
    """The activities where heads are counted."""
    return [offered.key for offered in names.offered if offered.counts == "heads"]
