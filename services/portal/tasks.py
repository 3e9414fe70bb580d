"""The page of what waits: a project's open tasks, whose they are and when they were due; and what is proposed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import contacting, formats, talks
from services.portal.labels import label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.replies import ReplyKey
from services.portal.steps_shown import named, proposal_row, tap_day
from services.portal.words import words
from shared.contracts.catalogue import TASK_REASONS
from shared.contracts.errors import NotFound, TaskClosedAlready

PROPOSALS = 20
"""So many proposals are shown."""
_DONE = {"1": "task_marked", "enter": "step_done_enter", "leave": "step_done_leave"}


@dataclass(frozen=True)
class Listed:
    """A person in the list: the name, and whose they are ("": nobody's)."""

    name: str
    worker: str = ""

    def __repr__(self) -> str:
        return "Listed(…)"  # never a name in a log


@dataclass
class TaskPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/tasks/<programme:key>"
        self.pages.add(app, rule, "tasks", self.show, LIST_ROLES)
        self.pages.add(app, rule, "close_task", self.close, LIST_ROLES, "POST")

    def show(self, key: str) -> ResponseReturnValue:
        return self._page(self.pages.programme(key))

    def close(self, key: str) -> ResponseReturnValue:
        names, task, how = self.pages.programme(key), request.form.get("task", ""), request.form.get("how", "")
        if how != "done" and how not in TASK_REASONS:
            return self._page(names, "problem_task_how"), 400
        reason = None if how == "done" else how
        try:
            self.pages.context.rpc.call(
                "pathways",
                "close_task",
                by=g.session.user.name,
                task=task,
                how="dismissed" if reason else "done",
                reason=reason,
                worker=self._me(),
            )
        except TaskClosedAlready:  # by a colleague, or by what was recorded meanwhile
            return self._page(names, "problem_task_closed"), 409
        except NotFound:
            abort(404)
        return redirect(url_for("tasks", key=key, done=1), 303)

    def _page(self, names: ProgrammeNames, problem: str | None = None) -> str:
        rpc, limit, offset = self.pages.context.rpc, self.pages.context.page_size, self.pages.offset()
        page: dict[str, Any] = {"limit": limit, "offset": offset, "worker": self._me()}
        found = rpc.call("pathways", "list_tasks", programme=names.key, **page)
        proposed = rpc.call("pathways", "list_proposals", programme=names.key, limit=PROPOSALS)
        people = self._people(
            names.key, {row["person"] for row in found["tasks"]} | {row["subject"] for row in proposed["proposals"]}
        )
        refs = [row["text_ref"] for row in found["tasks"] if row["text_ref"]]
        texts = talks.read_texts(self.pages.context, names.key, refs)
        first, whom = (names.document.get("languages") or ["fi"])[0], {row["person"] for row in found["tasks"]}
        contacts = contacting.read_contacts(self.pages.context, names.key, whom, first)
        say = words(g.lang)
        return self.pages.show(
            "tasks.html",
            programme=names.key,
            title=label_of(names.name, g.lang, names.key),
            problems={"": say(problem)} if problem else {},
            done=_DONE.get(request.args.get("done", ""), "") if not problem else "",
            tap_day=tap_day(self.pages, names),
            total=formats.number(found["total"], g.lang),
            rows=[
                _task_row(row, names, people, texts) | {"links": _links(row, names, contacts)} for row in found["tasks"]
            ],
            proposals=[
                _proposal_row(row, names, people)
                for row in proposed["proposals"]
                if row["subject"] in people or not g.own_only
            ],
            proposed=formats.number(proposed["total"], g.lang),
            reasons=[(reason, say(f"task_reason_{reason}")) for reason in TASK_REASONS],
            pages=self.pages.paging(found["total"]),
        )

    def _me(self) -> str | None:
        """By which id facts name the user; None: who has had nobody yet."""
        held = self.pages.context.rpc.call("intake", "list_workers")
        return next((row["worker"] for row in held if row["name"] == g.session.user.name), None)

    def _people(self, programme: str, subjects: Collection[str]) -> dict[str, Listed]:
        """These people alone, by name; logged as read, in intake."""
        if not subjects:
            return {}
        reply, ids = ReplyKey(), sorted(subjects)
        answer = self.pages.context.rpc.call(
            "intake",
            "list_people",
            programme=programme,
            people=ids,
            reply_to=reply.public_hex,
            limit=len(ids),
            by=g.session.user.name,
        )
        say, me = words(g.lang), g.session.user.name
        named = {}
        for row in answer["people"]:
            missing = "protected_person" if row.get("protected") else "cannot_open"
            name, whose = talks.label_in_list(row, reply.open(row["sealed"])) or say(missing), row.get("worker")
            named[row["person"]] = Listed(name, say("worker_me") if whose == me else whose or "")
        return named


def _links(
    row: Mapping[str, Any], names: ProgrammeNames, contacts: Mapping[str, contacting.Contact]
) -> list[contacting.Link]:
    """How to reach whom the task is about, with a text that fits it."""
    rules = {rule["key"]: rule for rule in names.document.get("tasks") or []}
    text, day = contacting.text_for(rules.get(row["rule"], {}), row["opened_on"])
    return contacting.links(contacts.get(row["person"]), text, day)


def _task_row(
    row: Mapping[str, Any], names: ProgrammeNames, people: Mapping[str, Listed], texts: Mapping[str, str | None]
) -> dict[str, Any]:
    say = words(g.lang)
    who = people.get(row["person"]) or Listed(say("cannot_open"))
    return {
        "task": row["task"],
        "subject": row["person"],
        "person": who.name,
        "name": named("tasks", row["rule"], names),
        "text": texts.get(row["text_ref"]) if row["text_ref"] else None,
        "due": talks.said_day(row["due_on"]),
        "late": row["late"],
        "owner": say(f"owner_{row['owner']}"),
        "worker": who.worker if row["owner"] == "case_worker" else "",
    }


def _proposal_row(row: Mapping[str, Any], names: ProgrammeNames, people: Mapping[str, Listed]) -> dict[str, Any]:
    who = people.get(row["subject"]) or Listed(words(g.lang)("cannot_open"))
    return proposal_row(row, names) | {"subject": row["subject"], "person": who.name}
