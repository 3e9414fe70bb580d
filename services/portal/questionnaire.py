"""One questionnaire for one person, in their language: what is asked, what is missing, what was answered before.

The page may be in the hands of the person, on the worker's tablet: while it is filled in and after it no other
person's name stands on it. No script.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import talks
from services.portal.instruments import instrument_title
from services.portal.labels import Label, label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.publicity import publicity
from services.portal.replies import ReplyKey
from services.portal.words import LANG_NAMES, LANGS, pick_lang, words
from shared.contracts.catalogue import OCCASIONS
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    ChangedMeanwhile,
    InvalidInput,
    PolkuError,
    UnknownAssessment,
    UnknownPerson,
    unless_refused,
)
from shared.instruments import Instrument, Item, find_instrument, has_instrument

NOT_ANSWERED = "none"
MOST_BUTTONS = 11
"""An item with more answers than this has a field to type the number."""


@dataclass(frozen=True)
class Which:
    """An instrument, as the programme's file uses it, on an occasion."""

    instrument: str
    version: str
    occasion: str


@dataclass(frozen=True)
class Asked:
    """One item as the page asks it; without `choices` it is a number from `low` to `high`."""

    key: str
    label: Label
    low: int
    high: int
    choices: Sequence[int]
    best: int | None
    """The answer of whoever fares best, where the scales say which end that is."""


@dataclass
class QuestionnairePages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/questionnaire/<programme:key>/<entity:person>"
        self.pages.add(app, rule, "questionnaire", self.shown, LIST_ROLES)
        self.pages.add(app, rule, "save_questionnaire", self.save, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/thanks", "questionnaire_thanks", self.thanks, LIST_ROLES)

    def shown(self, key: str, person: str) -> ResponseReturnValue:
        names = self.pages.programme(key)
        which = _which(names, request.args)
        return self._choose(names, person) if which is None else self._show(names, person, which)

    def save(self, key: str, person: str) -> ResponseReturnValue:
        names, form = self.pages.programme(key), request.form
        which = _which(names, form) or abort(404)
        instrument = find_instrument(which.instrument, which.version)
        filled = {f"item.{item.key}": form.get(f"item.{item.key}", "").strip() for item in instrument.items}
        filled |= {name: form.get(name, "").strip() for name in ("date", "was", "corrects", "revision")}
        filled["key"] = talks.key_from(form.get("key", ""))
        answers, problems = _answers(instrument, filled)
        if talks.day_from(filled["date"]) is None:
            problems["date"] = "problem_day"
        if problems:
            return self._show(names, person, which, filled | {"key": talks.new_key()}, problems), 400
        item: dict[str, Any] = {"key": filled["key"], "subject": person, "date": filled["date"], "answers": answers}
        item |= {"instrument": which.instrument, "version": which.version, "occasion": which.occasion}
        item |= _count(filled["was"]) | {name: filled[name] for name in ("corrects", "revision") if filled[name]}
        try:
            self._record(names.key, item)
        except ChangedMeanwhile:
            return self._show(names, person, which, problems={"": "problem_answered_already"}), 409
        except AlreadyRecordedDiffers:
            return self._show(names, person, which, problems={"": "problem_saved_already"}), 409
        except InvalidInput as error:
            name = {"date": "date"}.get(str(error.params.get("field")), "")
            wrong = {name: "problem_form_day" if name else "problem_answer"}
            return self._show(names, person, which, filled | {"key": talks.new_key()}, wrong), 400
        except talks.UNSURE:
            return self._show(names, person, which, filled, {"": "problem_unsure"}), 503
        except UnknownAssessment:
            return self._show(names, person, which, filled | {"key": talks.new_key()}), 409
        except UnknownPerson:
            abort(404)
        at: dict[str, Any] = {"occasion": which.occasion, "instrument": which.instrument, "form": _form_lang(None)}
        at |= {name: told or None for name, told in _here().items()}
        return redirect(url_for("questionnaire_thanks", key=key, person=person, **at), 303)

    def thanks(self, key: str, person: str) -> ResponseReturnValue:
        """Nobody is named: the tablet may still be in the hands of whoever has answered."""
        names, g.lang = self.pages.programme(key), _form_lang(None)
        told = ("activity", "due", "instrument", "occasion")
        at: dict[str, Any] = {name: request.args.get(name, "") for name in told}
        following = url_for("round_next", key=key, person=person, **at) if at["due"] else ""
        return self.pages.show(
            "questionnaire_thanks.html",
            programme=key,
            person=person,
            following=following,
            publicity=publicity(names.funding, names.logos, g.lang),
        )

    def _record(self, programme: str, item: Mapping[str, Any]) -> None:
        given = {"programme": programme, "by": g.session.user.name, "items": [dict(item)]}
        unless_refused(*self.pages.context.rpc.call("measurement", "record_assessments", **given)["results"])

    def _who(self, programme: str, person: str) -> tuple[str, str | None]:
        """The person's name and the language they are served in; logged as read, in intake."""
        reply = ReplyKey()
        asked = {"people": [person], "reply_to": reply.public_hex, "by": g.session.user.name}
        rows = self.pages.context.rpc.call("intake", "list_people", programme=programme, limit=1, **asked)["people"]
        if not rows:
            abort(404)
        name = talks.full_name(reply.open(rows[0]["sealed"]))
        return name or words(g.lang)("cannot_open"), rows[0].get("service_language")

    def _forms(self, programme: str, person: str) -> dict[str, Any]:
        asked = {"programme": programme, "subject": person, "by": g.session.user.name}
        try:
            return dict(self.pages.context.rpc.call("measurement", "show_forms", **asked))
        except UnknownPerson:
            abort(404)

    def _choose(self, names: ProgrammeNames, person: str) -> str:
        """All that the person may be asked, and what they have answered."""
        say, (name, _) = words(g.lang), self._who(names.key, person)
        return self.pages.show(
            "questionnaires.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            person=person,
            name=name,
            offered=[
                (
                    use,
                    instrument_title(names.document, use["key"], use["version"], g.lang),
                    [(o, say(f"occasion_{o}")) for o in on],
                )
                for use, on in _uses(names)
            ],
            rows=[_form_row(form, names) for form in self._forms(names.key, person)["forms"]],
            done="mistake_removed" if request.args.get("done") == "removed" else "",
        )

    def _show(
        self,
        names: ProgrammeNames,
        person: str,
        which: Which,
        filled: Mapping[str, str] | None = None,
        problems: Mapping[str, str] | None = None,
    ) -> str:
        name, language = self._who(names.key, person)
        form_lang = g.lang = _form_lang(language)
        say, instrument = words(form_lang), find_instrument(which.instrument, which.version)
        found = self._forms(names.key, person)
        if found["refused"]:  # nobody fills in a form for nothing
            raise PolkuError.from_wire(found["refused"])
        same = [f for f in found["forms"] if (f["instrument"], f["occasion"]) == (which.instrument, which.occasion)]
        corrects = (filled or {}).get("corrects") or request.values.get("corrects", "")
        before = next((f for f in same if f["assessment"] == corrects and f["version"] == which.version), None)
        if filled is None:
            filled = self._recorded(instrument, before, len(same), self._last_day(names, which))
        if corrects and before is None:  # taken back meanwhile (0249): what was typed is not lost
            filled = {**filled, "corrects": "", "revision": "", "was": str(len(same))}
            problems = {"": "problem_form_removed", **(problems or {})}
        meant: dict[str, Any] = {"instrument": which.instrument, "version": which.version}
        told = self.pages.context.rpc.call("measurement", "show_wording", **meant)
        items = [_asked(item, instrument, told["texts"].get(item.key) or item.name) for item in instrument.items]
        return self.pages.show(
            "questionnaire.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            person=person,
            name=name,
            which=which,
            heading=instrument_title(names.document, which.instrument, which.version, g.lang),
            occasion=say(f"occasion_{which.occasion}"),
            filled=filled,
            problems={at: say(problem, **_limits(items, at)) for at, problem in (problems or {}).items()},
            items=items,
            not_answered=NOT_ANSWERED,
            answered_on=[talks.said_day(f["date"]) for f in same] if before is None else [],
            correcting=before is not None,
            form_lang=form_lang,
            form_langs=[(code, LANG_NAMES[code]) for code in LANGS],
            here=_here(),
            last_day=self._last_day(names, which),
            publicity=publicity(names.funding, names.logos, g.lang),
        )

    def _last_day(self, names: ProgrammeNames, which: Which) -> str:
        """Afterwards people are asked after the project's last day too."""
        today = talks.today(self.pages.context)
        return (today if which.occasion == "followup" else talks.days(self.pages.context, names)[1]).isoformat()

    def _recorded(
        self, instrument: Instrument, before: Mapping[str, Any] | None, seen: int, today: str
    ) -> dict[str, str]:
        """An empty form, or the one that is to be corrected."""
        told = before["answers"] if before else {}
        blank = NOT_ANSWERED if before else ""
        filled = {f"item.{item.key}": str(told.get(item.key, blank)) for item in instrument.items}
        day = before["date"] if before else today
        corrects, revision = (before["assessment"], before["revision"]) if before else ("", "")
        filled |= {"corrects": corrects, "revision": revision}
        return filled | {"key": talks.new_key(), "date": day, "was": str(seen)}


def _uses(names: ProgrammeNames) -> list[tuple[dict[str, Any], list[str]]]:
    """The project's instruments that this release has, and on which occasions they are asked."""
    used = names.document.get("instruments") or []
    return [(use, list(use.get("occasions", OCCASIONS))) for use in used if has_instrument(use["key"], use["version"])]


def _which(names: ProgrammeNames, told: Mapping[str, str]) -> Which | None:
    """What is asked for, if the project uses it so; None if nothing is asked for."""
    which = Which(*(told.get(name, "") for name in ("instrument", "version", "occasion")))
    if not which.instrument:
        return None
    for use, occasions in _uses(names):
        if (use["key"], use["version"]) == (which.instrument, which.version) and which.occasion in occasions:
            return which
    abort(404)


def _here() -> dict[str, str]:
    """Which round this is a part of, and the day of the row; both empty outside of one."""
    return {name: request.values.get(name, "")[:40] for name in ("activity", "due")}


def _form_lang(language: str | None) -> Any:
    """As chosen on the page, else as the person is served, else as the screen is."""
    told = (request.form.get("form_lang"), request.args.get("form"), language)
    return next((lang for lang in map(pick_lang, told) if lang), g.lang)


def _asked(item: Item, instrument: Instrument, text: Mapping[str, str]) -> Asked:
    """The item in the organisation's own words, if it has loaded any, else by the instrument's name."""
    ends = {
        item.high if (scale.better == "higher") != (item.key in scale.reversed) else item.low
        for scale in instrument.scales
        if item.key in scale.items
    }
    few = item.high - item.low < MOST_BUTTONS
    choices = range(item.low, item.high + 1) if few else ()
    best = ends.pop() if len(ends) == 1 else None
    return Asked(f"item.{item.key}", label_of(text, g.lang, item.key), item.low, item.high, choices, best)


def _answers(instrument: Instrument, filled: Mapping[str, str]) -> tuple[dict[str, int], dict[str, str]]:
    """The answers, and what is wrong by field: an item is answered, or it is said that it is not."""
    answers, problems = {}, {}
    for item in instrument.items:
        name, few = f"item.{item.key}", item.high - item.low < MOST_BUTTONS
        given = filled[name]
        if given == NOT_ANSWERED or (given == "" and not few):
            continue
        if talks.is_number(given, 4) and item.low <= int(given) <= item.high:
            answers[item.key] = int(given)
        else:
            problems[name] = "problem_item" if given == "" else "problem_item_range"
    return answers, problems


def _limits(items: Sequence[Asked], at: str) -> dict[str, object]:
    """What a problem of an item says of it."""
    return next(({"item": i.label.text, "low": i.low, "high": i.high} for i in items if i.key == at), {})


def _count(text: str) -> dict[str, int]:
    number = int(text) if talks.is_number(text, 4) else None
    return {} if number is None else {"was": number}


def _form_row(form: Mapping[str, Any], names: ProgrammeNames) -> dict[str, Any]:
    say, key, version, occasion = words(g.lang), form["instrument"], form["version"], form["occasion"]
    known = has_instrument(key, version)
    used = any((use["key"], use["version"]) == (key, version) and occasion in on for use, on in _uses(names))
    scales = find_instrument(key, version).scale_by_key if known else {}
    return {
        "assessment": form["assessment"],
        "title": instrument_title(names.document, key, version, g.lang),
        "occasion": say(f"occasion_{occasion}"),
        "day": talks.said_day(form["date"]),
        "scores": [
            (label_of(scales[scale].name if scale in scales else {}, g.lang, scale), score or say("no_score"))
            for scale, score in form["scores"].items()
        ],
        # What the project's file does not ask any more has no form.
        "correct": dict(instrument=key, version=version, occasion=occasion, corrects=form["assessment"])
        if used
        else None,
    }
