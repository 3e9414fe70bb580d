"""Somebody registers: whom nobody knew, or a visitor, who says whether what is known of their visits goes along."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import contacting, talks
from services.portal.labels import label_of
from services.portal.pages import LIST_ROLES, Pages
from services.portal.words import words
from shared import hetu
from shared.contracts.errors import AlreadyRecordedDiffers, InvalidInput, UnknownPerson, unless_refused
from shared.contracts.people import CONTACT, CONTACT_WAYS

LONGEST_NAME = 200
_REFUSED = {
    **{"given_name": "problem_name", "family_name": "problem_name"},
    **{"birth_date": "problem_day", "identity_code": "problem_identity_code", "standing": "problem_registered"},
    **{"phone": "problem_phone", "email": "problem_email"},
}
NOBODY = contacting.Contact()
_AT_FIELD = ("given_name", "family_name", "birth_date", "phone", "email", "identity_code")
_WHO = ("given_name", "family_name", "birth_date", "identity_code")
WISHES = {"yes": True, "no": False}


@dataclass(frozen=True)
class Filled:
    """The form as it was filled in."""

    key: str
    given_name: str = ""
    family_name: str = ""
    birth_date: str = ""
    identity_code: str = ""
    history: str = ""
    contact: contacting.Contact = NOBODY
    protected: bool = False

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
        rule = "/new/<programme:key>"
        self.pages.add(app, rule, "new_client", self.blank, LIST_ROLES)
        self.pages.add(app, rule, "register_client", self.register, LIST_ROLES, "POST")

    def blank(self, key: str) -> ResponseReturnValue:
        return self._show(key, None, Filled(talks.new_key()))

    def register(self, key: str) -> ResponseReturnValue:
        """A client whom nobody knew under a nickname; who may be here already is found as those of a list are."""
        return self._save(key, None)

    def form(self, key: str, person: str) -> ResponseReturnValue:
        return self._show(key, person, Filled(talks.new_key()))

    def save(self, key: str, person: str) -> ResponseReturnValue:
        return self._save(key, person)

    def _save(self, key: str, person: str | None) -> ResponseReturnValue:
        self.pages.programme(key)
        filled = _typed()
        problems = _problems(filled, visitor=person is not None)
        if problems:
            return self._show(key, person, filled, problems), 400
        try:
            subject = self._send(key, person, filled)
        except talks.UNSURE:
            return self._show(key, person, filled, {"": "problem_unsure"}), 503
        except AlreadyRecordedDiffers:
            return self._show(key, person, filled, {"": "problem_saved_already"}), 409
        except UnknownPerson:
            abort(404)
        except InvalidInput as error:
            field = str(error.params["field"]).rpartition(".")[2]
            problem = _REFUSED.get(field, "problem_registering")
            return self._show(key, person, filled, {field if field in _AT_FIELD else "": problem}), 400
        if person is None:
            return redirect(url_for("person", key=key, person=subject), 303)
        return redirect(url_for("people", key=key), 303)

    def _send(self, key: str, person: str | None, filled: Filled) -> str:
        """The subject under which they are registered. Raises what intake says against it."""
        told = {name: getattr(filled, name) for name in _WHO}
        told |= {name: getattr(filled.contact, name) for name in CONTACT}
        identity = {name: value for name, value in told.items() if value}
        item: dict[str, Any] = {"key": filled.key, "standing": "client"}
        if filled.contact.contact_language:
            item["contact_language"] = filled.contact.contact_language
        if filled.protected:
            item["protected_address"] = "yes"
        item["sealed"] = talks.sealed(self.pages.context, identity)
        method = "register_participants"
        if person is not None:
            method, item = "raise_standing", item | {"subject": person, "keeps_history": WISHES[filled.history]}
        common = {"programme": key, "by": g.session.user.name, "worker": g.session.user.name}
        results = self.pages.context.rpc.call("intake", method, **common, items=[item])["results"]
        return str(unless_refused(*results)["subject"])

    def _show(self, key: str, person: str | None, filled: Filled, problems: dict[str, str] | None = None) -> str:
        names, say = self.pages.programme(key), words(g.lang)
        found: Any = person and (talks.people_at_hand(self.pages.context, key, [person]).get(person) or abort(404))
        return self.pages.show(
            "standing.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            person=found,
            filled=filled,
            longest=LONGEST_NAME,
            ways=[(way, say(f"contact_{way}")) for way in CONTACT_WAYS],
            languages=contacting.languages(None),
            asks_code=names.document.get("identity_code") == "required" or "identity_code" in (problems or {}),
            problems={name: say(problem) for name, problem in (problems or {}).items()},
        )


def _typed() -> Filled:
    """The form of this request."""
    form = request.form
    told = {name: talks.cleaned(form.get(name, "")) for name in _WHO} | {"history": form.get("history", "")}
    told["identity_code"] = hetu.normalise(told["identity_code"])
    protected = bool(form.get("protected_address"))
    return Filled(talks.key_from(form.get("key", "")), **told, contact=contacting.typed(form), protected=protected)


def _problems(filled: Filled, *, visitor: bool) -> dict[str, str]:
    problems = {}
    if not (filled.given_name or filled.family_name):
        problems["given_name"] = "problem_name"
    for name in ("given_name", "family_name"):
        if len(getattr(filled, name)) > LONGEST_NAME or "\n" in getattr(filled, name):
            problems[name] = "problem_name"
    if filled.birth_date and talks.day_from(filled.birth_date) is None:
        problems["birth_date"] = "problem_day"
    if filled.identity_code and not hetu.is_valid(filled.identity_code):
        problems["identity_code"] = "problem_identity_code"
    if visitor and filled.history not in WISHES:
        problems["history"] = "problem_history"
    problems |= contacting.problems(filled.contact)
    if filled.protected:
        problems |= {name: "contact_protected" for name in CONTACT if getattr(filled.contact, name)}
    return problems
