"""The register of a group: one page, one tap a person, saved at once; and the same page to mend a slip."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import talks
from services.portal.labels import Label, label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.talks import Person
from services.portal.words import words
from shared.contracts.catalogue import STANDINGS
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    ChangedMeanwhile,
    InvalidInput,
    StandingTooLow,
    UnknownSession,
)

USUAL_MINUTES = 120
LONGEST = 1440
LATE = timedelta(days=60)
"""So long after it a list on paper may be written down: who left meanwhile is on it."""
MOST_NAMED = 20
"""So many people who were left out are named."""


@dataclass(frozen=True)
class Filled:
    """The page's own fields, beside the ticks."""

    key: str
    activity: str
    date: str
    minutes: str
    location: str


@dataclass(frozen=True)
class Row:
    """A person on the page: ticked or not, and whether that is how it is recorded."""

    person: Person
    ticked: bool
    recorded: bool


@dataclass(frozen=True)
class Part:
    """People who stand together; `last`: who was there last time."""

    word: str
    rows: list[Row]


@dataclass
class RegisterPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/register/<programme:key>"
        self.pages.add(app, rule, "register", self.new, LIST_ROLES)
        self.pages.add(app, rule, "save_register", self.save_new, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/<entity:session>", "register_held", self.held, LIST_ROLES)
        self.pages.add(app, f"{rule}/<entity:session>", "correct_register", self.correct, LIST_ROLES, "POST")

    def new(self, key: str) -> ResponseReturnValue:
        names = self.pages.programme(key)
        offered = groups(names)
        asked = request.args.get("activity", offered[0] if len(offered) == 1 else "")
        if asked not in offered:
            return self._choose(names, offered)
        register = self._register(key, activity=asked)
        last = register["last"] or {}
        filled = Filled(
            key=talks.new_key(),
            activity=asked,
            date=talks.days(self.pages.context, names)[1].isoformat(),
            minutes=str(last.get("minutes") or USUAL_MINUTES),
            location=last.get("location") or "",
        )
        return self._show(names, register, filled, ticked=set())

    def save_new(self, key: str) -> ResponseReturnValue:
        names, form = self.pages.programme(key), request.form
        filled = Filled(
            talks.key_from(form.get("key", "")),
            form.get("activity", ""),
            *(form.get(name, "").strip() for name in ("date", "minutes", "location")),
        )
        if filled.activity not in groups(names):
            abort(404)
        ticked = set(form.getlist("there"))
        problems = self._problems(names, filled)
        if problems:
            register = self._register(key, activity=filled.activity)
            return self._show(names, register, filled, ticked, problems), 400
        held = {
            "key": talks.part_key(filled.key, "session"),
            "activity": filled.activity,
            "date": filled.date,
            "minutes": int(filled.minutes),
            "location": filled.location or None,
        }
        try:
            made, left = self._record(key, filled.key, ticked, set(), held=held)
        except talks.UNSURE:
            register = self._register_or_empty(key, filled.activity)
            return self._show(names, register, filled, ticked, {"": "problem_unsure"}), 503
        except StandingTooLow:
            register = self._register(key, activity=filled.activity)
            return self._show(names, register, filled, ticked, {"": "problem_standing"}), 400
        except InvalidInput:
            register = self._register(key, activity=filled.activity)
            return self._show(names, register, filled, ticked, {"": "problem_refused"}), 400
        except AlreadyRecordedDiffers:
            register = self._register(key, activity=filled.activity)
            return self._show(names, register, filled, ticked, {"": "problem_saved_already"}), 409
        return redirect(url_for("register_held", key=key, session=made, saved=1, left=left), 303)

    def held(self, key: str, session: str) -> ResponseReturnValue:
        return self._show_held(
            key, session, saved=request.args.get("saved") == "1", left=request.args.getlist("left")[:MOST_NAMED]
        )

    def correct(self, key: str, session: str) -> ResponseReturnValue:
        self.pages.programme(key)
        form = request.form
        ticked, was = set(form.getlist("there")), set(form.getlist("was"))
        try:
            _, left = self._record(key, talks.key_from(form.get("key", "")), ticked, was, session=session)
        except StandingTooLow:
            return self._show_held(key, session, problem="problem_standing"), 400
        except InvalidInput:
            return self._show_held(key, session, problem="problem_refused"), 400
        except (ChangedMeanwhile, AlreadyRecordedDiffers):
            return self._show_held(key, session, problem="problem_changed"), 409
        except UnknownSession:
            abort(404)
        return redirect(url_for("register_held", key=key, session=session, saved=1, left=left), 303)

    def _record(self, key: str, form_key: str, ticked: set[str], was: set[str], **at: Any) -> tuple[str, list[str]]:
        """Only what was changed on the page is sent: whom another has ticked meanwhile stays ticked. The session, and
        about whom nothing may be recorded."""
        items = [
            {
                "key": talks.part_key(form_key, subject),
                "subject": subject,
                "there": subject in ticked,
                "was": subject in was,
            }
            for subject in sorted(ticked ^ was)
        ]
        common = {"programme": key, "by": g.session.user.name}
        answer = self.pages.context.rpc.call("activities", "record_register", **common, items=items, **at)
        results = zip(items, answer["results"], strict=False)
        refused = [str(item["subject"]) for item, result in results if "error" in result]
        return str(answer["session"]), refused[:MOST_NAMED]

    def _register(self, key: str, **which: Any) -> dict[str, Any]:
        try:
            answer = self.pages.context.rpc.call("activities", "show_register", programme=key, **which)
        except UnknownSession:
            abort(404)
        return dict(answer)

    def _register_or_empty(self, key: str, activity: str) -> dict[str, Any]:
        """Where the service has just not answered: the page must be shown all the same, ticks are on it."""
        try:
            return self._register(key, activity=activity)
        except talks.UNSURE:
            empty: dict[str, list[Any]] = {"present": [], "regulars": [], "earlier": []}
            return {"activity": activity, "session": None, "last": None, **empty}

    def _problems(self, names: ProgrammeNames, filled: Filled) -> dict[str, str]:
        problems, (start, end) = {}, talks.days(self.pages.context, names)
        day = talks.day_from(filled.date)
        if day is None:
            problems["date"] = "problem_day"
        elif not start <= day <= end:
            problems["date"] = "problem_day_outside"
        if talks.number_from(filled.minutes, LONGEST) is None:
            problems["minutes"] = "problem_minutes"
        if filled.location and filled.location not in names.locations:
            problems["location"] = "problem_choose"
        return problems

    def _choose(self, names: ProgrammeNames, offered: list[str]) -> str:
        return self.pages.show(
            "register_choose.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            activities=[(code, label_of(names.activities.get(code, {}), g.lang, code)) for code in offered],
        )

    def _show_held(
        self, key: str, session: str, *, saved: bool = False, problem: str | None = None, left: Collection[str] = ()
    ) -> str:
        names = self.pages.programme(key)
        register = self._register(key, session=session)
        at = register["session"]
        filled = Filled(talks.new_key(), register["activity"], at["occurred_on"], str(at["minutes"] or ""), "")
        present = {row["subject"] for row in register["present"]}
        problems = {"": problem} if problem else {}
        return self._show(names, register, filled, present, problems, session=session, saved=saved, left=left)

    def _show(
        self,
        names: ProgrammeNames,
        register: Mapping[str, Any],
        filled: Filled,
        ticked: set[str],
        problems: Mapping[str, str] | None = None,
        *,
        session: str = "",
        saved: bool = False,
        left: Collection[str] = (),
    ) -> str:
        say, (start, end) = words(g.lang), talks.days(self.pages.context, names)
        present = {row["subject"] for row in register["present"]}
        everybody = talks.people_at_hand(self.pages.context, names.key)
        left_out = talks.left_out(everybody[one] for one in left if one in everybody)
        day = filled.date if talks.day_from(filled.date) else end.isoformat()
        earliest = day if session else (max(date.fromisoformat(day), start) - LATE).isoformat()
        people = {
            s: one if one.was_there(day) else _who_left(one)
            for s, one in everybody.items()
            if s in present | ticked or (one.was_there(earliest) and _may(names, filled.activity, one))
        }
        return self.pages.show(
            "register.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            session=session,
            saved=say("saved_there", n=len(present)) if saved else "",
            filled=filled,
            activity=label_of(names.activities.get(filled.activity, {}), g.lang, filled.activity),
            held=talks.said_day(filled.date) if session else "",
            problems={name: say(problem) for name, problem in (problems or {}).items()} | left_out,
            parts_of_people=_parts(people, register, present, ticked, day),
            locations=[(code, _place(names, code)) for code in names.locations],
            days=(start.isoformat(), end.isoformat()),
            longest=LONGEST,
            earlier=[(row["session"], talks.said_day(row["occurred_on"])) for row in register["earlier"][:5]],
        )


def _may(names: ProgrammeNames, activity: str, person: Person) -> bool:
    """Whether the person's standing is at least the one that the activity asks; others would be refused."""
    asked = next((offered.standing for offered in names.offered if offered.key == activity), "")
    known = asked in STANDINGS and person.standing in STANDINGS
    return not known or STANDINGS.index(person.standing) >= STANDINGS.index(asked)


def groups(names: ProgrammeNames) -> list[str]:
    """The activities that have a register: people are counted, and they meet together."""
    return [offered.key for offered in names.offered if offered.counts == "people" and offered.kind != "individual"]


def _parts(
    people: Mapping[str, Person], register: Mapping[str, Any], present: set[str], ticked: set[str], day: str
) -> list[Part]:
    """Who is there, who was there last time, who comes now and then, and everybody else, who had left by that day among
    them; each by name."""
    regulars = [row for row in register["regulars"] if row["subject"] in people]
    sometimes = {row["subject"] for row in regulars if people[row["subject"]].was_there(day)}
    last = {row["subject"] for row in regulars if row["last_time"]} & sometimes
    found = []
    left = dict(people)
    for word, group in (
        ("there_now", present | (ticked - last - sometimes)),
        ("there_last_time", last),
        ("there_sometimes", sometimes),
        ("everybody_else", set(people)),
    ):
        rows = [Row(left.pop(s), s in ticked, s in present) for s in people if s in group and s in left]
        if rows:
            found.append(Part(word, rows))
    return found


def _who_left(person: Person) -> Person:
    left = words(g.lang)("left_on", day=talks.said_day(person.ended_on))
    return replace(person, label=f"{person.label} ({left})")


def _place(names: ProgrammeNames, code: str) -> Label:
    return label_of(names.locations[code], g.lang, code)
