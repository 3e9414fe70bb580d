"""The page of one person: who works with them, how they are reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import contacting, talks
from services.portal.conversation import individual
from services.portal.encountering import LANGUAGES
from services.portal.labels import label_of
from services.portal.pages import LIST_ROLES, Pages, left_words, standing_word
from services.portal.replies import ReplyKey
from services.portal.steps_shown import steps_shown
from services.portal.users import case_workers
from services.portal.words import words
from shared.contracts.contacts import SPOKEN
from shared.contracts.errors import ChangedMeanwhile, InvalidInput, unless_refused
from shared.contracts.people import CONTACT, CONTACT_WAYS

_DONE = {"worker": "worker_noted", "contact": "contact_noted", "language": "language_noted"}
_DONE |= {act: f"step_done_{act}" for act in ("enter", "leave")}  # a proposal that was taken up here
_INTERPRETER = ("yes", "no")


@dataclass
class PersonPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/person/<programme:key>/<entity:person>"
        self.pages.add(app, rule, "person", self.show, LIST_ROLES)
        self.pages.add(app, f"{rule}/worker", "assign_worker", self.assign, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/language", "set_languages", self.speak, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/contact", "set_contact", self.reach, LIST_ROLES, "POST")

    def show(self, key: str, person: str) -> ResponseReturnValue:
        return self._page(key, person)

    def assign(self, key: str, person: str) -> ResponseReturnValue:
        self.pages.programme(key)
        form, context = request.form, self.pages.context
        name = form.get("worker", "")
        if name not in case_workers(context.engine):
            return self._page(key, person, {"worker": "problem_worker"}), 400
        was = form.get("was", "") or None
        item = {"key": talks.key_from(form.get("key", "")), "subject": person, "worker": name, "was": was}
        answer = context.rpc.call("intake", "assign_workers", programme=key, by=g.session.user.name, items=[item])
        try:
            unless_refused(*answer["results"])
        except ChangedMeanwhile:
            return self._page(key, person, {"": "problem_worker_changed"}), 409
        if g.own_only and name != g.session.user.name:  # given away: not to be seen any more
            return redirect(url_for("people", key=key), 303)
        return redirect(url_for("person", key=key, person=person, done="worker"), 303)

    def reach(self, key: str, person: str) -> ResponseReturnValue:
        self.pages.programme(key)
        told = contacting.typed(request.form)
        was = {name: request.form.get(f"was_{name}", "") or None for name in CONTACT}
        if problems := contacting.problems(told):
            return self._page(key, person, problems, told), 400
        now = {name: getattr(told, name) or None for name in CONTACT}
        context = self.pages.context
        try:
            context.rpc.call(
                "intake",
                "set_contact",
                programme=key,
                subject=person,
                by=g.session.user.name,
                sealed=talks.sealed(context, {"was": was, "now": now}),
                contact_language=told.contact_language or None,
            )
        except ChangedMeanwhile:
            return self._page(key, person, {"": "problem_contact_changed"}), 409
        except InvalidInput as error:
            field = str(error.params["field"])
            return self._page(key, person, {field: f"problem_{field}"} if field in contacting.TYPED else {}, told), 400
        except talks.UNSURE:
            return self._page(key, person, {"": "problem_unsure"}, told), 503
        return redirect(url_for("person", key=key, person=person, done="contact"), 303)

    def speak(self, key: str, person: str) -> ResponseReturnValue:
        """In which language the person is served, and whether with an interpreter."""
        self.pages.programme(key)
        form, context = request.form, self.pages.context
        now = {name: form.get(name, "") or None for name in SPOKEN}
        was = {name: form.get(f"was_{name}", "") or None for name in SPOKEN}
        if not contacting.is_language(now["service_language"]) or now["interpreter"] not in (None, *_INTERPRETER):
            return self._page(key, person, {"": "problem_choose"}), 400
        given = {"programme": key, "subject": person, "by": g.session.user.name}
        try:
            context.rpc.call("intake", "set_languages", **given, was=was, now=now)
        except (ChangedMeanwhile, InvalidInput):  # what was seen is none, or another by now
            return self._page(key, person, {"": "problem_language_changed"}), 409
        except talks.UNSURE:
            return self._page(key, person, {"": "problem_unsure"}), 503
        return redirect(url_for("person", key=key, person=person, done="language"), 303)

    def _page(
        self,
        key: str,
        person: str,
        problems: Mapping[str, str] | None = None,
        typed: contacting.Contact | None = None,
    ) -> str:
        names, say, context = self.pages.programme(key), words(g.lang), self.pages.context
        row, name = person_row(self.pages, key, person)
        first = (names.document.get("languages") or ["fi"])[0]
        kept = contacting.read_contacts(context, key, [person], first).get(person)
        workers = sorted(case_workers(context.engine))
        has = row.get("worker")
        return self.pages.show(
            "person.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            person=person,
            name=name,
            visitor=row.get("standing") == "visitor",
            standing=standing_word(row),
            left=left_words(row),
            died=row.get("end_reason") == "died",
            since=talks.said_day(row["started_on"]) if row.get("started_on") else "",
            talks=bool(individual(names)),
            restricted=bool(row.get("restricted")),
            steps=steps_shown(self.pages, names, person),
            new_key=talks.new_key(),
            worker=has,
            may_take=not has and g.session.user.name in workers,
            protected=bool(row.get("protected")),
            kept=kept,
            contact=typed or kept,
            links=contacting.links(kept, "call_me"),
            spoken={name: row.get(name) or "" for name in SPOKEN},
            served=list(_served(row.get("service_language")).items()),
            interpreter=[(code, say(f"answer_{code}")) for code in _INTERPRETER],
            ways=[(way, say(f"contact_{way}")) for way in CONTACT_WAYS],
            languages=contacting.languages(kept),
            workers=[(one, say("worker_me") + f" ({one})" if one == g.session.user.name else one) for one in workers],
            gone=say("worker_gone", name=has) if has and has not in workers else "",
            done=_DONE.get(request.args.get("done", ""), ""),
            problems={field: say(problem) for field, problem in (problems or {}).items()},
        )


def _served(kept: str | None) -> dict[str, str]:
    """The languages to choose from, and the one that is kept."""
    return {**LANGUAGES, **({kept: kept} if kept and kept not in LANGUAGES else {})}


def person_row(pages: Pages, key: str, person: str) -> tuple[Mapping[str, Any], str]:
    """How intake lists the person, and the name; logged as read, there. Who is not there is no page."""
    reply = ReplyKey()
    asked = {"programme": key, "people": [person], "by": g.session.user.name, "reply_to": reply.public_hex}
    found = pages.context.rpc.call("intake", "list_people", **asked, limit=1, offset=0)["people"]
    row = next(iter(found), None) or abort(404)
    return row, talks.full_name(reply.open(row["sealed"])) or words(g.lang)("cannot_open")
