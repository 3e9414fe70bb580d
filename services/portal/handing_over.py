"""Handing people over: all of a worker's, in every project, or some of them in one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import formats, talks
from services.portal.labels import label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.replies import ReplyKey
from services.portal.users import case_workers
from services.portal.words import words
from shared.contracts.commands import MAX_ITEMS
from shared.contracts.errors import InvalidInput, NotFound
from shared.contracts.worker_facts import HAND_OVER_REASONS

_PROBLEMS = {"to": "problem_hand_over_to", "date": "problem_hand_over_day"}


@dataclass(frozen=True)
class Filled:
    """The form as it was filled in."""

    to: str = ""
    reason: str = ""
    date: str = ""
    people: frozenset[str] | None = None
    """Who is ticked; None: everybody, as when the page is first shown."""
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass
class HandOverPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/handover/<programme:key>"
        self.pages.add(app, rule, "handover", self.show, LIST_ROLES)
        self.pages.add(app, rule, "hand_over", self.save, LIST_ROLES, "POST")

    def show(self, key: str) -> ResponseReturnValue:
        names = self.pages.programme(key)
        return self._page(names, self._whose(request.args.get("worker", "")), Filled())

    def save(self, key: str) -> ResponseReturnValue:
        names, form = self.pages.programme(key), request.form
        whole, whose = form.get("which") == "all", self._whose(form.get("worker", ""))
        given = {name: form.get(name, "").strip() for name in ("to", "reason", "date")}
        ticked = frozenset(form.getlist("people"))
        if problems := self._problems(given, whose, whole=whole, ticked=ticked):
            return self._page(names, whose, Filled(**given, people=ticked, problems=problems)), 400
        asked: dict[str, Any] = given | {"worker": whose, "back": whole and given["reason"] == "back"}
        if not whole:
            asked |= {"programme": key, "people": sorted(ticked)}
        try:
            answer = self.pages.context.rpc.call("intake", "hand_over", by=g.session.user.name, **asked)
        except (InvalidInput, NotFound) as error:
            name = str(error.params.get("field", ""))
            problems = {name if name in _PROBLEMS else "": _PROBLEMS.get(name, "problem_hand_over_changed")}
            return self._page(names, whose, Filled(**given, people=ticked, problems=problems)), 409
        except talks.UNSURE:
            return self._page(names, whose, Filled(**given, people=ticked, problems={"": "problem_unsure"})), 503
        return redirect(url_for("handover", key=key, worker=whose, done=answer["total"]), 303)

    def _whose(self, asked: str) -> str:
        """Whose people: where each sees their own, one's own."""
        return g.session.user.name if g.own_only or not asked else asked

    def _problems(self, given: Mapping[str, str], whose: str, *, whole: bool, ticked: frozenset[str]) -> dict[str, str]:
        problems = {}
        if given["to"] not in case_workers(self.pages.context.engine) or given["to"] == whose:
            problems["to"] = "problem_hand_over_to"
        if given["reason"] not in HAND_OVER_REASONS:
            problems["reason"] = "problem_choose"
        if talks.day_from(given["date"]) is None:
            problems["date"] = "problem_hand_over_day"
        if not whole and not 1 <= len(ticked) <= MAX_ITEMS:
            problems["people"] = "problem_hand_over_nobody"
        return problems

    def _page(self, names: ProgrammeNames, whose: str, filled: Filled) -> str:
        say, context = words(g.lang), self.pages.context
        users = sorted(case_workers(context.engine))
        held = {row["name"]: row for row in context.rpc.call("intake", "list_workers")}
        mine = held.get(whose, {"programmes": [], "worker": None})
        total = sum(at["people"] for at in mine["programmes"])
        here = self._people(names.key, whose) if total else []
        tasks = context.rpc.call("pathways", "tasks_of", worker=mine["worker"]) if total else []
        done = request.args.get("done", "")
        counts = {"here": len(here), "all": total, "tasks": sum(at["tasks"] for at in tasks)}
        return self.pages.show(
            "handover.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            whose=whose,
            givers=[] if g.own_only else sorted({*users, *(n for n, row in held.items() if row["programmes"])}),
            takers=[name for name in users if name != whose],
            reasons=[(reason, say(f"hand_over_{reason}")) for reason in HAND_OVER_REASONS],
            today=talks.today(context).isoformat(),
            filled=filled,
            people=[(one, label, filled.people is None or one in filled.people) for one, label in here],
            total=total,
            counts=say("hand_over_counts", **{name: formats.number(n, g.lang) for name, n in counts.items()}),
            done=say("handed_over", n=done) if talks.is_number(done, 6) else "",
            problems={name: say(problem) for name, problem in filled.problems.items()},
        )

    def _people(self, key: str, whose: str) -> list[tuple[str, str]]:
        """The worker's people in this project by name; no others are read. Logged as read, in intake."""
        reply, say = ReplyKey(), words(g.lang)
        asked = {"programme": key, "by": g.session.user.name, "worker": whose, "reply_to": reply.public_hex}
        found = self.pages.context.rpc.call("intake", "list_people", **asked, limit=MAX_ITEMS)["people"]
        people = []
        for row in found:
            who = reply.open(row["sealed"])
            missing = "protected_person" if row.get("protected") else "cannot_open"
            people.append((row["person"], talks.label_in_list(row, who) or say(missing)))
        return sorted(people, key=lambda one: (one[1].casefold(), one[0]))
