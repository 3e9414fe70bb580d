"""The end of a project on this node: what stands in the way, a reason for all of a kind, closing, the last line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import closing_work as work
from services.portal import formats, talks
from services.portal.closing_work import Open
from services.portal.labels import label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import Pages
from services.portal.words import Words, words
from shared.contracts.errors import ClosingBlocked, InvalidInput
from shared.contracts.record_facts import EXITS

ROLES = ("coordinator",)
SHOWN = 10
"""So many of each kind are named."""


@dataclass
class ClosingPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/closing/<programme:key>"
        self.pages.add(app, rule, "closing", self.shown, ROLES)
        self.pages.add(app, rule, "settle_closing", self.settle, ROLES, "POST")
        self.pages.add(app, f"{rule}/close", "close_programme", self.close, ROLES, "POST")
        self.pages.add(app, f"{rule}/seal", "seal_stream", self.seal, ROLES, "POST")

    def shown(self, key: str) -> ResponseReturnValue:
        return self._page(self.pages.programme(key))

    def settle(self, key: str) -> ResponseReturnValue:
        """One reason for all of a kind that are open now."""
        names, form = self.pages.programme(key), request.form
        what, reason, day = form.get("what", ""), form.get("reason", ""), form.get("day", "")
        needs_day = what == "exit" and reason in EXITS
        if reason not in work.REASONS.get(what, ()) or (needs_day and talks.day_from(day) is None):
            return self._page(names, "problem_closing_reason"), 400
        rpc, by = self.pages.context.rpc, g.session.user.name
        _, found = work.look(rpc, key)
        given = work.for_all(what, reason, day if needs_day else "", found)
        if not given and any(one.what == what for one in found):
            return self._page(names, "problem_closing_reason"), 400
        try:
            done = work.settle(rpc, key, given, by)
        except talks.UNSURE:
            return self._page(names, "problem_unsure"), 503
        if done["refused"]:
            said = words(g.lang)("problem_closing_refused", n=formats.number(done["refused"], g.lang))
            return self._page(names, said=said), 409
        return redirect(url_for("closing", key=key, saved=1), 303)

    def close(self, key: str) -> ResponseReturnValue:
        names, rpc = self.pages.programme(key), self.pages.context.rpc
        if request.form.get("sure") != "1":
            return self._page(names, "problem_closing_sure"), 400
        _, found = work.look(rpc, key)
        if found:
            return self._page(names, "problem_closing_blocked"), 409
        return self._step(names, "close_programme", "problem_closing_blocked")

    def seal(self, key: str) -> ResponseReturnValue:
        names = self.pages.programme(key)
        if request.form.get("sure") != "1":
            return self._page(names, "problem_closing_sure"), 400
        return self._step(names, "seal_stream", "problem_closing_seal")

    def _step(self, names: ProgrammeNames, method: str, problem: str) -> ResponseReturnValue:
        try:
            self.pages.context.rpc.call("pathways", method, by=g.session.user.name, programme=names.key)
        except (ClosingBlocked, InvalidInput):
            return self._page(names, problem), 409
        except talks.UNSURE:
            return self._page(names, "problem_unsure"), 503
        return redirect(url_for("closing", key=names.key, saved=1), 303)

    def _page(self, names: ProgrammeNames, problem: str = "", *, said: str = "") -> str:
        say, key, context = words(g.lang), names.key, self.pages.context
        state, found = work.look(context.rpc, key)
        sealed = state["state"] == "sealed"
        people = self._people(key, found)
        wrong = said or (say(problem) if problem else "")
        on = talks.said_day(state["closed_on"]) if state["closed_on"] else ""
        return self.pages.show(
            "closing.html",
            programme=key,
            title=label_of(names.name, g.lang, key),
            problems={"": wrong} if wrong else {},
            done=say("closing_done") if request.args.get("saved") == "1" and not wrong else "",
            state=state["state"],
            stands=say(f"closing_state_{state['state']}", on=on),
            left=formats.number(state["left"], g.lang) if state["left"] else "",
            kinds=[] if sealed else [kind for what in work.WHATS if (kind := _kind(what, found, people, names, say))],
            today=talks.days(context, names)[1].isoformat(),
            kept=[_kept(row, say) for row in state["kept"]],
            due=self._due(key, say),
        )

    def _due(self, key: str, say: Words) -> str:
        """Of how many people something is kept longer than the file says, who has had it restricted among them."""
        total = self.pages.context.rpc.call("intake", "list_due", programme=key, limit=1)["total"]
        return say("closing_due", n=formats.number(total, g.lang)) if total else ""

    def _people(self, key: str, found: Sequence[Open]) -> dict[str, str]:
        """The names of who is shown, and of nobody else: each is logged as read."""
        shown = [one.item for what in ("exit", "evidence") for one in _first(what, found)]
        if not shown:
            return {}
        known = talks.people_at_hand(self.pages.context, key, sorted(set(shown)), in_list=True)
        return {subject: person.label for subject, person in known.items()}


def _first(what: str, found: Sequence[Open]) -> list[Open]:
    return [one for one in found if one.what == what][:SHOWN]


def _kind(
    what: str, found: Sequence[Open], people: Mapping[str, str], names: ProgrammeNames, say: Words
) -> dict[str, Any] | None:
    """One kind of what stands in the way: how many, the first of them, and the reasons there are."""
    total = sum(one.number for one in found if one.what == what)
    if not total:
        return None
    spoken = {"exit": "exit_{}", "task": "task_reason_{}"}.get(what, "closing_left_{}")
    reasons = [code for code in work.REASONS[what] if code != "restricted" and work.for_all(what, code, "", found)]
    return {
        "what": what,
        "title": say(f"closing_{what}"),
        "total": formats.number(total, g.lang),
        "rows": [_row(one, people, names, say) for one in _first(what, found)],
        "more": formats.number(total - SHOWN, g.lang) if total > SHOWN and what != "receipts" else "",
        "reasons": [(code, say(spoken.format(code))) for code in reasons],
        "needs_day": what == "exit",
    }


def _row(one: Open, people: Mapping[str, str], names: ProgrammeNames, say: Words) -> dict[str, Any]:
    since = talks.said_day(one.since) if one.what in ("exit", "task", "period") else one.since
    if one.what in ("exit", "evidence"):
        place = "exit" if one.what == "exit" else "start"
        said, link = people.get(one.item) or say("nobody_kept"), f"/{place}/{names.key}/{one.item}"
    elif one.what == "receipts":
        said, link = one.since, ""
        since = ""
    else:
        listed = names.document.get("tasks" if one.what == "task" else "periods") or []
        key = one.missing[0] if one.what == "task" else one.item
        found: dict[str, str] = next((item["name"] for item in listed if item["key"] == key), {})
        said = label_of(found, g.lang, key).text
        link = f"/tasks/{names.key}" if one.what == "task" else ""
    return {"said": said, "link": link, "since": since}


def _kept(row: Mapping[str, Any], say: Words) -> tuple[str, str]:
    times = [say("closing_kept_until", day=talks.said_day(row["keep_until"]))] if row["keep_until"] else []
    times += [say("closing_kept_months", n=row["keep_months"])] if row["keep_months"] is not None else []
    return say(f"closing_{row['purpose']}"), ", ".join(times) or say("closing_kept_not_said")
