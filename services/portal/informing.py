"""Writing down that a person was informed about the processing, and to what they agreed; part of the page of rights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import g, request

from services.portal import talks
from services.portal.encountering import LANGUAGES
from services.portal.names import ProgrammeNames
from services.portal.pages import Pages
from services.portal.words import words
from shared.contracts.errors import AlreadyRecordedDiffers, InvalidInput, unless_refused
from shared.programmes.purposes import purposes

_WHY = {"date": "problem_informed_day", "consents": "problem_consent_older"}


@dataclass(frozen=True)
class Informing:
    """The form as it was filled in; `consents`: the purposes that the person agreed to."""

    key: str
    notice: str
    language: str
    date: str
    consents: tuple[str, ...] = ()


def typed() -> Informing:
    """The form of this request."""
    form = request.form
    told = {name: talks.cleaned(form.get(name, "")) for name in ("notice", "language", "date")}
    consents = tuple(dict.fromkeys(form.getlist("consents")))
    return Informing(talks.key_from(form.get("key", "")), **told, consents=consents)


def problems(filled: Informing, names: ProgrammeNames) -> dict[str, str]:
    """What is wrong before anything is sent, by field."""
    found = {}
    number = filled.notice
    if not (talks.is_number(number, 4) and int(number)):
        found["notice"] = "problem_notice"
    if filled.language not in LANGUAGES:
        found["language"] = "problem_choose"
    if talks.day_from(filled.date) is None:
        found["date"] = "problem_informed_day"
    if not {*filled.consents} <= {key for key in _asked(names)}:
        found["consents"] = "problem_answer"
    return found


def send(pages: Pages, names: ProgrammeNames, person: str, filled: Informing) -> dict[str, str]:
    """Record it; what is wrong, by field. Raises what the page says of an answer that did not come."""
    item = {"key": filled.key, "subject": person, "notice": int(filled.notice), "language": filled.language}
    item |= {"date": filled.date, "consents": list(filled.consents)}
    given = {"programme": names.key, "by": g.session.user.name, "items": [item]}
    results = pages.context.rpc.call("intake", "record_informed", **given)["results"]
    try:
        unless_refused(*results)
    except AlreadyRecordedDiffers:
        return {"": "problem_saved_already"}
    except InvalidInput as error:
        field = str(error.params.get("field"))
        return {field if field in _WHY else "": _WHY.get(field, "problem_answer")}
    return {}


def values(
    pages: Pages, names: ProgrammeNames, person: str, spoken: str | None, filled: Informing | None
) -> dict[str, Any]:
    """What the page shows of it: who was informed when, and the form."""
    say = words(g.lang)
    asked: dict[str, Any] = {"programme": names.key, "subject": person}
    told: list[Mapping[str, Any]] = pages.context.rpc.call("intake", "list_informed", **asked)["informed"]
    if filled is None:
        language = spoken if spoken and spoken in LANGUAGES else str(g.lang)
        notice = str(told[-1]["notice"]) if told else ""
        filled = Informing(talks.new_key(), notice, language, talks.today(pages.context).isoformat())
    return {
        "informed": [
            say(
                "informed_then",
                day=talks.said_day(one["occurred_on"]),
                notice=one["notice"],
                language=LANGUAGES.get(one["language"], one["language"]),
                agreed=", ".join(say(f"purpose_{key}") for key in one["consents"]) or say("informed_no_consent"),
            )
            for one in told
        ],
        "informing": filled,
        "consents": [(key, say(f"purpose_{key}")) for key in _asked(names)],
        "informed_languages": list(LANGUAGES.items()),
        "last_day": talks.today(pages.context).isoformat(),
    }


def _asked(names: ProgrammeNames) -> list[str]:
    return [purpose.key for purpose in purposes(names.document) if purpose.basis == "consent"]
