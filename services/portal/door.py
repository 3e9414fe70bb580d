"""The door: who comes, one tap a head, and regulars by a tile with their own nickname; no name on this screen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import formats, talks
from services.portal.encountering import MOST, TIME, is_count
from services.portal.labels import label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.replies import ReplyKey
from services.portal.words import words
from shared.contracts.encounters import TAPS
from shared.contracts.errors import AlreadyRecordedDiffers, InvalidInput, NotFound, UnknownPerson
from shared.ops.clock import HELSINKI

LONGEST_TOKEN = 80


@dataclass(frozen=True)
class Filled:
    """The form that opens a door, as it was filled in."""

    key: str
    date: str
    start: str
    location: str = ""
    area: str = ""
    staff: str = ""
    women: bool = False


@dataclass(frozen=True)
class Tile:
    """A regular at the door: what stands on the tile is their own nickname, or initials."""

    subject: str
    label: str
    there: bool

    def __repr__(self) -> str:
        return "Tile(…)"  # never a nickname in a log


@dataclass
class DoorPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/door/<programme:key>"
        one = f"{rule}/<entity:encounter>"
        self.pages.add(app, rule, "door", self.begin, LIST_ROLES)
        self.pages.add(app, rule, "open_door", self.open, LIST_ROLES, "POST")
        self.pages.add(app, one, "at_door", self.at_door, LIST_ROLES)
        self.pages.add(app, one, "tap_door", self.tap, LIST_ROLES, "POST")
        self.pages.add(app, f"{one}/visitor", "tap_visitor", self.visitor, LIST_ROLES, "POST")

    def begin(self, key: str) -> ResponseReturnValue:
        names = self.pages.programme(key)
        today = talks.days(self.pages.context, names)[1].isoformat()
        now = self.pages.context.now().astimezone(HELSINKI)
        return self._show(names, Filled(talks.new_key(), today, f"{now:%H:%M}"))

    def open(self, key: str) -> ResponseReturnValue:
        names, form = self.pages.programme(key), request.form
        plain = {name: form.get(name, "").strip() for name in ("date", "start", "location", "area", "staff")}
        filled = Filled(talks.key_from(form.get("key", "")), **plain, women=form.get("women") == "yes")
        if problems := self._problems(names, filled):
            return self._show(names, filled, problems), 400
        told: dict[str, Any] = {"key": filled.key, "date": filled.date, "women": filled.women}
        told |= {name: getattr(filled, name) or None for name in ("start", "location", "area")}
        told |= {"staff": int(filled.staff) if filled.staff else None}
        try:
            answer = self._call("open_door", key, **told)
        except AlreadyRecordedDiffers:
            return self._show(names, filled, {"": "problem_saved_already"}), 409
        return redirect(url_for("at_door", key=key, encounter=answer["encounter"]), 303)

    def at_door(self, key: str, encounter: str) -> ResponseReturnValue:
        names, problem = self.pages.programme(key), request.args.get("problem", "")
        found = self._doors(key, encounter=encounter)
        if not found:
            abort(404)
        say = words(g.lang)
        return self.pages.show(
            "at_door.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            missed=request.args.get("missed") == "1",
            tiles=self._tiles(key, encounter),
            problems={"token": say(problem)} if problem in ("problem_token", "problem_token_several") else {},
            longest=LONGEST_TOKEN,
            **self._state(names, found[0]),
        )

    def tap(self, key: str, encounter: str) -> ResponseReturnValue:
        self.pages.programme(key)
        button, revision = request.form.get("tap", ""), request.form.get("revision", "")
        if button not in TAPS or not talks.is_number(revision, 9):
            abort(400)
        try:
            state = self._call("tap_door", key, encounter=encounter, revision=int(revision), tap=button)
        except NotFound:
            abort(404)
        missed = None if state["taken"] else 1
        return redirect(url_for("at_door", key=key, encounter=encounter, missed=missed), 303)

    def visitor(self, key: str, encounter: str) -> ResponseReturnValue:
        """A tile was tapped, or a nickname typed."""
        self.pages.programme(key)
        form, problem = request.form, None
        come, gone, token = (form.get(name, "") for name in ("come", "gone", "token"))
        try:
            if come or gone:
                self._call("tap_visitor", key, encounter=encounter, subject=come or gone, there=bool(come))
            else:
                problem = self._meet(key, encounter, talks.cleaned(token), woman=form.get("woman") == "yes")
        except (NotFound, UnknownPerson):
            abort(404)
        return redirect(url_for("at_door", key=key, encounter=encounter, problem=problem), 303)

    def _meet(self, key: str, encounter: str, token: str, *, woman: bool) -> str | None:
        """What is wrong with the nickname; None after it was sent."""
        if not 0 < len(token) <= LONGEST_TOKEN or ";" in token or "\n" in token:
            return "problem_token"
        sealed = talks.sealed(self.pages.context, {"tokens": [token]})
        try:
            self._call("meet_visitor", key, encounter=encounter, sealed=sealed, woman=woman)
        except InvalidInput as error:
            return "problem_token_several" if error.params["field"] == "token" else "problem_token"
        return None

    def _call(self, method: str, programme: str, **told: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.pages.context.rpc.call(
            "intake", method, programme=programme, by=g.session.user.name, **told
        )
        return answer

    def _doors(self, key: str, **which: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.pages.context.rpc.call("intake", "list_doors", programme=key, **which)
        return found

    def _tiles(self, key: str, encounter: str) -> list[Tile]:
        reply, common = ReplyKey(), {"programme": key, "by": g.session.user.name}
        rows = self.pages.context.rpc.call(
            "intake", "list_regulars", **common, encounter=encounter, reply_to=reply.public_hex
        )
        say = words(g.lang)
        opened = [(row, reply.open_text(row["sealed"]) or say("visitor_unnamed")) for row in rows]
        return [Tile(row["subject"], label, row["there"]) for row, label in opened]

    def _problems(self, names: ProgrammeNames, filled: Filled) -> dict[str, str]:
        problems, (start, end) = {}, talks.days(self.pages.context, names)
        day = talks.day_from(filled.date)
        if day is None:
            problems["date"] = "problem_day"
        elif not start <= day <= end:
            problems["date"] = "problem_day_outside"
        if filled.start and not TIME.fullmatch(filled.start):
            problems["start"] = "problem_time"
        for name, known in (("location", names.locations), ("area", names.areas)):
            if getattr(filled, name) and getattr(filled, name) not in known:
                problems[name] = "problem_choose"
        if filled.staff and not is_count(filled.staff, MOST["staff"]):
            problems["staff"] = "problem_count"
        return problems

    def _show(self, names: ProgrammeNames, filled: Filled, problems: Mapping[str, str] | None = None) -> str:
        say, (start, end) = words(g.lang), talks.days(self.pages.context, names)
        return self.pages.show(
            "door.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            filled=filled,
            problems={name: say(problem) for name, problem in (problems or {}).items()},
            locations=[(code, label_of(names.locations[code], g.lang, code)) for code in names.locations],
            areas=[(code, label_of(names.areas[code], g.lang, code)) for code in names.areas],
            most_staff=MOST["staff"],
            days=(start.isoformat(), end.isoformat()),
            running=[self._state(names, state) for state in self._doors(names.key)],
        )

    def _state(self, names: ProgrammeNames, state: Mapping[str, Any]) -> dict[str, Any]:
        place, heads = state["location"] or state["area"], state["people_new"] + state["people_known"]
        places = names.locations if state["location"] else names.areas
        shown = {name: formats.number(state[name], g.lang) for name in ("people_new", "people_known")}
        return {
            "encounter": state["encounter"],
            "day": talks.said_day(state["occurred_on"]),
            "place": label_of(places.get(place, {}), g.lang, place) if place else None,
            "revision": state["revision"],
            "heads": formats.number(heads, g.lang),
            "women": None if state["women"] is None else formats.number(state["women"], g.lang),
            "can_undo": state["can_undo"],
            "done": state["done"],
            **shown,
        }
