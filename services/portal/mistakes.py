"""Taking back what was recorded of the wrong person, or by a wrong tap: small forms on the pages that show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import talks
from services.portal.labels import Label, label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.words import words
from shared.contracts.errors import InvalidInput, UnknownPerson


@dataclass
class MistakePages:
    """The views; `install` adds them to a node's portal. Of two workers who take back the same, both are answered that
    it is gone."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/exit/<programme:key>/<entity:person>"
        self.pages.add(app, f"{rule}/outcome", "remove_outcome", self.outcome, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/not-asked", "remove_follow_up", self.follow_up, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/not-back", "remove_return", self.return_, LIST_ROLES, "POST")
        rule = "/start/<programme:key>/<entity:person>/no-try"
        self.pages.add(app, rule, "remove_attempt", self.attempt, LIST_ROLES, "POST")
        rule = "/steps/<programme:key>/<entity:person>/mistake"
        self.pages.add(app, rule, "remove_step", self.step, LIST_ROLES, "POST")
        rule = "/questionnaire/<programme:key>/<entity:person>/mistake"
        self.pages.add(app, rule, "remove_assessment", self.form, LIST_ROLES, "POST")

    def outcome(self, key: str, person: str) -> ResponseReturnValue:
        self._remove(key, person, "pathways", "remove_outcome", "outcome_id")
        return redirect(url_for("exit_record", key=key, person=person, saved="removed"), 303)

    def follow_up(self, key: str, person: str) -> ResponseReturnValue:
        self._remove(key, person, "intake", "remove_follow_up", "follow_up")
        return redirect(url_for("exit_record", key=key, person=person, saved="removed"), 303)

    def return_(self, key: str, person: str) -> ResponseReturnValue:
        self._remove(key, person, "intake", "remove_return", "date")
        return redirect(url_for("exit_record", key=key, person=person, saved="removed"), 303)

    def attempt(self, key: str, person: str) -> ResponseReturnValue:
        self._remove(key, person, "intake", "remove_attempt", "attempt")
        back = "exit_record" if request.form.get("record") == "exit" else "start_record"
        return redirect(url_for(back, key=key, person=person, saved="removed"), 303)

    def step(self, key: str, person: str) -> ResponseReturnValue:
        self._remove(key, person, "pathways", "remove_step", "stay")
        return redirect(url_for("steps", key=key, person=person, done="removed"), 303)

    def form(self, key: str, person: str) -> ResponseReturnValue:
        self._remove(key, person, "measurement", "remove_assessment", "assessment")
        return redirect(url_for("questionnaire", key=key, person=person, done="removed"), 303)

    def _remove(self, key: str, person: str, service: str, method: str, member: str) -> None:
        self.pages.programme(key)
        given: dict[str, Any] = {"programme": key, "subject": person, "by": g.session.user.name}
        try:
            self.pages.context.rpc.call(service, method, **given | {member: request.form.get(member, "")})
        except InvalidInput:
            abort(400)  # no form of ours
        except UnknownPerson:
            abort(404)


def outcomes_of(pages: Pages, names: ProgrammeNames, person: str) -> list[tuple[str, str, Label]]:
    """What is recorded of what became of a person: its id, its day, what the programme file calls it."""
    known: dict[str, Any] = {item["key"]: item["name"] for item in names.document.get("outcomes") or []}
    if not known:
        return []
    try:
        found = pages.context.rpc.call("pathways", "outcomes_of", programme=names.key, subject=person)
    except UnknownPerson:  # not heard of there yet
        return []
    return [
        (
            row["outcome_id"],
            talks.said_day(row["date"]),
            label_of(known.get(row["outcome"], {}), g.lang, row["outcome"]),
        )
        for row in found
    ]


def tries_of(shown: Mapping[str, Any], record: str) -> list[tuple[str, str, str]]:
    """The tries in vain to get the start or exit form: each one's id, its day, what came of it."""
    say = words(g.lang)
    return [
        (one["attempt"], talks.said_day(one["date"]), say(f"attempt_{one['status']}"))
        for one in shown["attempts"]
        if one["record"] == record
    ]
