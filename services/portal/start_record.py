"""The start form of one person: what the fund's form of the project's period asks, in the person's language; the
evidence for it; and tries to get it that were in vain. One page, no script."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import talks
from services.portal.filled import elsewhere
from services.portal.labels import Label, label_of
from services.portal.mistakes import tries_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.publicity import publicity
from services.portal.replies import ReplyKey
from services.portal.words import LANG_NAMES, LANGS, Lang, in_language, known_keys, pick_lang, words
from shared import hetu
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    ChangedMeanwhile,
    InvalidInput,
    UnknownCode,
    UnknownPerson,
    unless_refused,
)
from shared.contracts.start_facts import ATTEMPTS
from shared.forms import Form, Question, find_form

_SEALED = ("given_name", "family_name", "birth_date", "identity_code", "form_version", "form_kept")
_PLAIN = ("municipality", "area", "target_group", "paid_by_project")
_PROOF = ("form_signed_on", "form_language", "form_help", "eura_on", "eura_by")
_DAYS = ("start_date", "birth_date", "form_signed_on", "eura_on")
_LONGEST = {"given_name": 200, "family_name": 200, "identity_code": 11, "form_version": 80, "form_kept": 200}
_DONE = {"1": "saved", "try": "attempt_saved", "asked": "filled_asked", "asked_nobody": "filled_asked_nobody"}
_DONE |= {"removed": "mistake_removed"}
_WHY = {
    **{"start_date": "problem_day_outside", "birth_date": "problem_birth_date", "paid_by_project": "problem_paid"},
    **{"form_signed_on": "problem_future", "eura_on": "problem_future", "eura_by": "problem_eura_by"},
    **{"given_name": "problem_name_needed", "unemployed_months": "problem_months"},
    **{"identity_code": "problem_identity_code"},
    **{"municipality": "problem_municipality", "area": "problem_choose", "target_group": "problem_choose"},
}


@dataclass(frozen=True)
class Asked:
    """A question as the page shows it: choices, or a number between `low` and `high`; one name is enough for both."""

    key: str
    label: str
    choices: list[tuple[str, str]]
    low: int | None
    high: int | None
    special: bool
    listed: bool


@dataclass
class StartPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/start/<programme:key>/<entity:person>"
        self.pages.add(app, rule, "start_record", self.shown, LIST_ROLES)
        self.pages.add(app, rule, "save_start_record", self.save, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/elsewhere", "ask_filled", self.ask, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/try", "start_attempt", self.attempt, LIST_ROLES, "POST")

    def shown(self, key: str, person: str) -> ResponseReturnValue:
        names = self.pages.programme(key)
        done = _DONE.get(request.args.get("saved", ""), "")
        at_hand = shown_start(self.pages, key, person)
        if at_hand[0]["standing"] == "visitor":  # who registers is asked about the history first (decision 0202)
            return redirect(url_for("standing", key=key, person=person), 303)
        return self._show(names, person, done=done, at_hand=at_hand)

    def save(self, key: str, person: str) -> ResponseReturnValue:
        names, form = self.pages.programme(key), request.form
        filled = {name: talks.cleaned(form.get(name, "")) for name in _fields(_form(names))}
        filled |= {"key": talks.key_from(form.get("key", "")), "was": form.get("was", "")}
        filled["identity_code"] = hetu.normalise(filled["identity_code"])
        problems = _problems(names, filled)
        if problems:
            return self._show(names, person, filled | {"key": talks.new_key()}, problems), 400
        try:
            self._record(names, person, filled)
        except ChangedMeanwhile:
            return self._show(names, person, problems={"": "problem_record_changed"}), 409
        except AlreadyRecordedDiffers:
            return self._show(names, person, problems={"": "problem_saved_already"}), 409
        except (InvalidInput, UnknownCode) as error:
            at_hand = shown_start(self.pages, key, person)
            wrong = _why(_form(names), filled, at_hand[0], str(error.params.get("field")))
            return self._show(names, person, filled | {"key": talks.new_key()}, wrong, at_hand=at_hand), 400
        except talks.UNSURE:
            return self._show(names, person, filled, {"": "problem_unsure"}), 503
        except UnknownPerson:
            abort(404)
        return redirect(url_for("start_record", key=key, person=person, saved=1), 303)

    def attempt(self, key: str, person: str) -> ResponseReturnValue:
        names, form = self.pages.programme(key), request.form
        given = {"subject": person, "record": "start", "status": form.get("status", ""), "date": form.get("date", "")}
        if given["status"] not in ATTEMPTS or talks.day_from(given["date"]) is None:
            return self._show(names, person, problems={"": "problem_day"}), 400
        item = given | {"key": talks.key_from(form.get("key", ""))}
        try:
            call(self.pages, "record_attempts", key, item)
        except (InvalidInput, AlreadyRecordedDiffers):
            return self._show(names, person, problems={"": "problem_future"}), 400
        except talks.UNSURE:
            return self._show(names, person, problems={"": "problem_unsure"}), 503
        except UnknownPerson:
            abort(404)
        return redirect(url_for("start_record", key=key, person=person, saved="try"), 303)

    def ask(self, key: str, person: str) -> ResponseReturnValue:
        """Ask the other partners whether the form is filled there."""
        names = self.pages.programme(key)
        given = {"programme": key, "subject": person, "by": g.session.user.name}
        try:
            asked = self.pages.context.rpc.call("intake", "ask_filled", **given)["asked"]
        except InvalidInput as error:
            why = "programme" if error.params.get("field") == "programme" else "person"
            return self._show(names, person, problems={"": f"problem_filled_{why}"}), 409
        except talks.UNSURE:
            return self._show(names, person, problems={"": "problem_unsure"}), 503
        except UnknownPerson:
            abort(404)
        return redirect(
            url_for("start_record", key=key, person=person, saved="asked" if asked else "asked_nobody"), 303
        )

    def _record(self, names: ProgrammeNames, person: str, filled: Mapping[str, str]) -> None:
        numbers = {question.key for question in _asked_here(names) if not question.answers}
        coded = {name: filled[name] for name in (*_PLAIN, *_PROOF) if filled[name]}
        coded["gender"] = "unknown"
        answers = {question.key: filled[question.key] for question in _asked_here(names) if filled[question.key]}
        coded |= {name: answer for name, answer in answers.items() if name not in numbers}
        content = {name: filled[name] for name in _SEALED if filled[name]}
        item: dict[str, Any] = coded | {name: int(answers[name]) for name in numbers & set(answers)}
        item |= {"key": filled["key"], "subject": person, "was": filled["was"]}
        item |= {"start_date": filled["start_date"], "sealed": talks.sealed(self.pages.context, content)}
        call(self.pages, "record_starts", names.key, item)

    def _show(
        self,
        names: ProgrammeNames,
        person: str,
        filled: Mapping[str, str] | None = None,
        problems: Mapping[str, str] | None = None,
        *,
        done: str = "",
        at_hand: tuple[dict[str, Any], dict[str, str]] | None = None,
    ) -> str:
        say, form = words(g.lang), _form(names)
        shown, who = at_hand or shown_start(self.pages, names.key, person)
        record = shown["record"]
        filled = filled or _recorded(names, shown, who) | {"key": talks.new_key(), "was": shown["revision"]}
        lang = _form_lang(record)
        start, end = talks.days(self.pages.context, names)
        return self.pages.show(
            "start_record.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            person=person,
            name=name_of(who) or say("cannot_open"),
            named=bool(who["given_name"] or who["family_name"]),
            asks_code=shown.get("lacks_code") or "identity_code" in (problems or {}),
            filled=filled,
            done=say(done) if done else "",
            problems={name: _said(form, name, problem) for name, problem in (problems or {}).items()},
            state=_state(shown, form),
            elsewhere=elsewhere(self.pages, names, person),
            form_lang=lang,
            form_langs=[(code, LANG_NAMES[code]) for code in LANGS],
            form_title=in_language(form.name, lang, form.key)[0],
            questions=[asked(question, lang) for question in _asked_here(names)],
            areas=_listed(names, "areas"),
            target_groups=_listed(names, "target_groups"),
            versions=_versions(names, form, filled["form_version"]),
            languages=listed_languages(filled["form_language"]),
            eura=names.funding == "esf_plus_2021_2027" or not _here(names),
            here=_here(names),
            days=(start.isoformat(), end.isoformat()),
            attempts=tries_of(shown, "start"),
            tries=[(code, say(f"attempt_{code}")) for code in ATTEMPTS],
            new_key=talks.new_key(),
            publicity=publicity(names.funding, names.logos, lang),
        )


def shown_start(pages: Pages, programme: str, person: str) -> tuple[dict[str, Any], dict[str, str]]:
    """A person's start record and, opened, the identity with it. Logged as read, in intake."""
    reply = ReplyKey()
    given = {"programme": programme, "subject": person, "reply_to": reply.public_hex, "by": g.session.user.name}
    try:
        shown = pages.context.rpc.call("intake", "show_start", **given)
    except UnknownPerson:
        abort(404)
    plain = reply.open_plain(shown["sealed"])
    return shown, {name: str(plain.get(name) or "") for name in (*_SEALED, "token")}


def name_of(who: Mapping[str, str]) -> str:
    """The name, or what the person is known by."""
    return " ".join(filter(None, (who["given_name"], who["family_name"]))) or who["token"]


def call(pages: Pages, method: str, programme: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """One item to intake; its result. Raises what it was refused with."""
    given = {"programme": programme, "by": g.session.user.name, "items": [item]}
    return unless_refused(*pages.context.rpc.call("intake", method, **given)["results"])


def answer_word(question: str, answer: str, lang: Lang) -> str:
    """An answer in words; one of a form that this table does not know stands as it is."""
    known = (key for key in (f"answer_{question}_{answer}", f"answer_{answer}") if key in known_keys())
    found = next(known, None)
    return words(lang)(found) if found else answer


def asked(question: Question, lang: Lang) -> Asked:
    """A question in the language of the form."""
    codes = [*question.answers, *question.unanswered]
    low, high = question.low, question.high
    listed = not codes and low is not None and high is not None and high - low < 20
    if listed and low is not None and high is not None:
        codes = [str(number) for number in range(low, high + 1)]
    label = in_language(question.name, lang, question.key)[0]
    choices = [(code, answer_word(question.key, code, lang)) for code in codes]
    return Asked(question.key, label, choices, low, high, question.special, listed)


def _listed(names: ProgrammeNames, part: str) -> list[tuple[str, Label]]:
    items = names.document.get(part) or []
    return [(item["key"], label_of(item["name"], g.lang, item["key"])) for item in items]


def _form(names: ProgrammeNames) -> Form:
    return find_form(names.funding)


def _here(names: ProgrammeNames) -> bool:
    return bool(names.document.get("esf_record", "here") == "here")


def _asked_here(names: ProgrammeNames) -> list[Question]:
    """What the page asks: all but the age, which follows; where people tell EURA themselves, the gender alone."""
    return [q for q in _form(names).questions if q.key != "age" and (_here(names) or q.key == "gender")]


def _fields(form: Form) -> tuple[str, ...]:
    return ("start_date", *_SEALED, *_PLAIN, *_PROOF, *(q.key for q in form.questions if q.key != "age"))


def _recorded(names: ProgrammeNames, shown: Mapping[str, Any], who: Mapping[str, str]) -> dict[str, str]:
    form = _form(names)
    record = {"paid_by_project": ""} | shown["record"]
    filled = {name: str(record.get(name, "")) for name in _fields(form)}
    filled |= {name: who[name] for name in _SEALED} | {"start_date": shown["started_on"] or ""}
    filled["form_version"] = filled["form_version"] or _versions(names, form, "")[0][0]
    filled["form_language"] = record.get("form_language") or _form_lang(record)
    return filled


def _form_lang(record: Mapping[str, Any]) -> Lang:
    """As chosen, else as the form was, else as the person is served, else as the screen is."""
    told = (request.args.get("form"), record.get("form_language"), record.get("service_language"))
    return next((lang for lang in map(pick_lang, told) if lang), g.lang)


def _problems(names: ProgrammeNames, filled: Mapping[str, str]) -> dict[str, str]:
    """What is wrong before anything is sent, by field."""
    found: dict[str, str] = {}
    for name in _DAYS:
        if (filled[name] or name == "start_date") and talks.day_from(filled[name]) is None:
            found[name] = "problem_day"
    if filled["paid_by_project"] != "no":
        found["paid_by_project"] = "problem_paid" if filled["paid_by_project"] == "yes" else "problem_paid_unasked"
    for question in _asked_here(names):
        answer = filled[question.key]
        if answer and not question.answers and not talks.is_number(answer, 4):
            found[question.key] = "problem_number"
        elif answer and not question.may_be(answer if question.answers else int(answer)):
            found[question.key] = "problem_number" if not question.answers else "problem_choose"
    if filled["eura_by"] and not filled["eura_on"]:
        found["eura_on"] = "problem_eura_on"
    for name, longest in _LONGEST.items():
        if len(filled[name]) > longest or "\n" in filled[name]:
            found[name] = "problem_short"
    if filled["identity_code"] and not hetu.is_valid(filled["identity_code"]):
        found["identity_code"] = "problem_identity_code"
    if filled["municipality"] and not (len(filled["municipality"]) == 3 and filled["municipality"].isdigit()):
        found["municipality"] = "problem_municipality"
    return found


def _why(form: Form, filled: Mapping[str, str], shown: Mapping[str, Any], field: str) -> dict[str, str]:
    """What intake has refused, at the page's field; what the page has no field for, above it. A code that is known
    is `shown` nowhere: it is the birth date beside it that was typed."""
    name = field.rpartition(".")[2]
    question = form.question_by_key.get(name)
    if question is not None and question.special and filled.get(name) == "refused":
        return {name: "problem_unsigned"}
    if name == "identity_code" and not filled[name]:
        missing = bool(shown.get("lacks_code"))
        return {name: "problem_code_required"} if missing else {"birth_date": "problem_born_otherwise"}
    if name in _WHY or question is not None:
        return {name: _WHY.get(name, "problem_answer")}
    return {"": "problem_answer"}


def _said(form: Form, name: str, problem: str) -> str:
    question = form.question_by_key.get(name)
    limits = {"low": question.low, "high": question.high} if question is not None else {}
    return words(g.lang)(problem, **limits)


def _state(shown: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """Whether the person is a participant, and what is missing, in words."""
    say, participant = words(g.lang), shown["standing"] == "esf_participant"
    lacks = set(shown["lacks"])
    return {
        "participant": participant,
        "lacks": [field_word(form, name) for name in shown["lacks"]],
        "missing": [field_word(form, name) for name in shown["missing"] if name not in lacks],
        "misfits": [say("does_not_fit", what=field_word(form, name).lower()) for name in shown["misfits"]],
        "age": shown["record"].get("age"),
    }


def field_word(form: Form, name: str) -> str:
    """What is missing, in the words of the screen."""
    question = form.question_by_key.get(name)
    if question is not None:
        return in_language(question.name, g.lang, name)[0]
    return words(g.lang)(f"field_{name}") if f"field_{name}" in known_keys() else name


def _versions(names: ProgrammeNames, form: Form, kept: str) -> list[tuple[str, Label]]:
    """The start forms that the project's file names, or the fund's; and what was written down, if it is another."""
    told = [item for item in names.document.get("forms") or [] if item.get("when") == "start"]
    found = [(item["key"], Label(f"{label_of(item['name'], g.lang, '').text} ({item['key']})", None)) for item in told]
    found = found or [(form.key, label_of(form.name, g.lang, form.key))]
    return found if not kept or kept in dict(found) else [*found, (kept, Label(kept, None))]


def listed_languages(kept: str) -> Iterator[tuple[str, str]]:
    """Ours, and what was written down, if it is another."""
    yield from ((code, LANG_NAMES[code]) for code in LANGS)
    if kept and kept not in LANGS:
        yield kept, kept
