"""A visitor registers: a name, and whether what is known of their visits goes along. It is their wish."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import contacting, talks
from services.portal.labels import label_of
from services.portal.pages import LIST_ROLES, Pages
from services.portal.words import words
from shared.contracts.commands import CONTACT_WAYS
from shared.contracts.errors import AlreadyRecordedDiffers, InvalidInput, PolkuError, UnknownPerson

LONGEST_NAME = 200
_REFUSED = {
    **{"birth_date": "problem_day", "standing": "problem_registered"},
    **{"phone": "problem_phone", "email": "problem_email"},
}
NOBODY = contacting.Contact()
_AT_FIELD = ("birth_date", "phone", "email")
WISHES = {"yes": True, "no": False}


@dataclass(frozen=True)
class Filled:
    """The form as it was filled in."""

    key: str
    given_name: str = ""
    family_name: str = ""
    birth_date: str = ""
    history: str = ""
    contact: contacting.Contact = NOBODY

    def __repr__(self) -> str:
        return "Filled(…)"  # never a name in a log


@dataclass
class RegisteringPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/standing/<programme:key>/<entity:person>"
        self.pages.add(app, rule, "standing", self.form, LIST_ROLES)
        self.pages.add(app, rule, "raise_standing", self.save, LIST_ROLES, "POST")

    def form(self, key: str, person: str) -> ResponseReturnValue:
        return self._show(key, person, Filled(talks.new_key()))

    def save(self, key: str, person: str) -> ResponseReturnValue:
        self.pages.programme(key)
        told = {name: talks.cleaned(request.form.get(name, "")) for name in ("given_name", "family_name", "birth_date")}
        contact = contacting.typed(request.form)
        key_given, history = talks.key_from(request.form.get("key", "")), request.form.get("history", "")
        filled = Filled(key_given, **told, history=history, contact=contact)
        problems = _problems(filled)
        if problems:
            return self._show(key, person, filled, problems), 400
        reached = {name: getattr(contact, name) for name in contacting.MEMBERS}
        identity = {name: value for name, value in (told | reached).items() if value}
        item = {"key": filled.key, "subject": person, "standing": "client", "keeps_history": WISHES[filled.history]}
        if contact.contact_language:
            item["contact_language"] = contact.contact_language
        item["sealed"] = talks.sealed(self.pages.context, identity)
        try:
            common = {"programme": key, "by": g.session.user.name, "worker": g.session.user.name}
            answer = self.pages.context.rpc.call("intake", "raise_standing", **common, items=[item])
            if "error" in answer["results"][0]:
                raise PolkuError.from_wire(answer["results"][0]["error"])
        except talks.UNSURE:
            return self._show(key, person, filled, {"": "problem_unsure"}), 503
        except AlreadyRecordedDiffers:
            return self._show(key, person, filled, {"": "problem_saved_already"}), 409
        except UnknownPerson:
            abort(404)
        except InvalidInput as error:
            field = str(error.params["field"])
            problem = _REFUSED.get(field, "problem_registering")
            return self._show(key, person, filled, {field if field in _AT_FIELD else "": problem}), 400
        return redirect(url_for("people", key=key), 303)

    def _show(self, key: str, person: str, filled: Filled, problems: dict[str, str] | None = None) -> str:
        names, say = self.pages.programme(key), words(g.lang)
        found: Any = talks.people_at_hand(self.pages.context, key, [person]).get(person)
        if found is None:
            abort(404)
        return self.pages.show(
            "standing.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            person=found,
            filled=filled,
            longest=LONGEST_NAME,
            ways=[(way, say(f"contact_{way}")) for way in CONTACT_WAYS],
            languages=contacting.languages(None),
            problems={name: say(problem) for name, problem in (problems or {}).items()},
        )


def _problems(filled: Filled) -> dict[str, str]:
    problems = {}
    if not (filled.given_name or filled.family_name):
        problems["given_name"] = "problem_name"
    for name in ("given_name", "family_name"):
        if len(getattr(filled, name)) > LONGEST_NAME or "\n" in getattr(filled, name):
            problems[name] = "problem_name"
    if filled.birth_date and talks.day_from(filled.birth_date) is None:
        problems["birth_date"] = "problem_day"
    if filled.history not in WISHES:
        problems["history"] = "problem_history"
    return problems | contacting.problems(filled.contact)
