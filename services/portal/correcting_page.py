"""The page on which it is corrected who somebody is: name, nickname, birth date, identity code, protected address.

What a start form asks is corrected on its own page, how somebody is reached on the person's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import talks
from services.portal.labels import label_of
from services.portal.pages import LIST_ROLES, Pages
from services.portal.replies import ReplyKey
from services.portal.words import words
from shared import hetu
from shared.contracts.errors import ChangedMeanwhile, InvalidInput, UnknownPerson

LONGEST = {"given_name": 200, "family_name": 200, "token": 80, "birth_date": 10, "identity_code": 11}
"""The members of an identity that are corrected here, with how many characters each may have."""
_TOLD = ("", "no", "yes")
_WHY = {
    **{"given_name": "problem_name_needed", "family_name": "problem_name_needed", "token": "problem_token_or_name"},
    **{"birth_date": "problem_birth_date", "identity_code": "problem_identity_code"},
}


@dataclass
class CorrectingPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/rights/<programme:key>/<entity:person>/correct"
        self.pages.add(app, rule, "correct", self.show, LIST_ROLES)
        self.pages.add(app, rule, "save_correction", self.save, LIST_ROLES, "POST")

    def show(self, key: str, person: str) -> ResponseReturnValue:
        return self._page(key, person)

    def save(self, key: str, person: str) -> ResponseReturnValue:
        self.pages.programme(key)
        form, context = request.form, self.pages.context
        filled = {name: talks.cleaned(form.get(name, "")) for name in (*LONGEST, "protected_address", "was")}
        filled["identity_code"] = hetu.normalise(filled["identity_code"])
        if problems := _problems(filled):
            return self._page(key, person, filled, problems), 400
        record = {"protected_address": filled["protected_address"] or None}
        told = {name: filled[name] or None for name in LONGEST}  # what is as it was is no correction
        asked: dict[str, Any] = {
            "programme": key,
            "subject": person,
            "was": filled["was"],
            "by": g.session.user.name,
        }
        asked |= {"record": record, "sealed": talks.sealed(context, told)}
        try:
            done = context.rpc.call("intake", "correct_person", **asked)["changed"]
        except ChangedMeanwhile:
            return self._page(key, person, None, {"": "problem_record_changed"}), 409
        except InvalidInput as error:
            field = str(error.params["field"]).removeprefix("sealed.")
            wrong = {field: _WHY[field]} if field in _WHY else {"": "problem_not_corrected"}
            return self._page(key, person, filled, wrong), 400
        except talks.UNSURE:
            return self._page(key, person, filled, {"": "problem_unsure"}), 503
        except UnknownPerson:
            abort(404)
        return redirect(url_for("rights", key=key, person=person, done="corrected" if done else "same"), 303)

    def _page(
        self,
        key: str,
        person: str,
        filled: Mapping[str, str] | None = None,
        problems: Mapping[str, str] | None = None,
    ) -> str:
        names, say = self.pages.programme(key), words(g.lang)
        coded, who = shown_identity(self.pages, key, person)
        was = {name: str(who.get(name) or "") for name in LONGEST}
        was |= {"protected_address": coded["protected_address"] or "", "was": coded["revision"]}
        name = " ".join(filter(None, (was["given_name"], was["family_name"]))) or was["token"]
        return self.pages.show(
            "correct.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            person=person,
            name=name or say("cannot_open"),
            visitor=coded["standing"] == "visitor",
            asks_code=names.document.get("identity_code") != "not_asked" or bool(was["identity_code"]),
            filled=filled or was,  # with what was seen when it was filled in
            longest=LONGEST,
            problems={field: say(problem) for field, problem in (problems or {}).items()},
        )


def shown_identity(pages: Pages, key: str, person: str) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """Who somebody is, as intake shows it: what is coded, and the identity opened. Logged as read, there."""
    reply = ReplyKey()
    asked = {"programme": key, "subject": person, "by": g.session.user.name, "reply_to": reply.public_hex}
    try:
        shown = pages.context.rpc.call("intake", "show_identity", **asked)
    except UnknownPerson:
        abort(404)
    return shown, reply.open_plain(shown["sealed"])


def _problems(filled: Mapping[str, str]) -> dict[str, str]:
    """What is wrong before anything is sent, by field."""
    found = {}
    for name, longest in LONGEST.items():
        if len(filled[name]) > longest or "\n" in filled[name]:
            found[name] = "problem_too_long" if name not in ("birth_date", "identity_code") else _WHY[name]
    if filled["birth_date"] and talks.day_from(filled["birth_date"]) is None:
        found["birth_date"] = "problem_day"
    if filled["identity_code"] and not hetu.is_valid(filled["identity_code"]):
        found["identity_code"] = "problem_identity_code"
    if filled["protected_address"] not in _TOLD:
        found["protected_address"] = "problem_choose"
    if not any(filled[name] for name in ("given_name", "family_name", "token")):
        found["given_name"] = "problem_token_or_name"
    return found
