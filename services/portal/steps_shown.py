"""A person's steps and what is proposed, as pages show them."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import g

from services.portal import talks
from services.portal.labels import Label, label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import Pages
from services.portal.words import words
from shared.contracts.errors import UnknownPerson


def named(part: str, key: str, names: ProgrammeNames) -> Label:
    """What the programme file calls a key of one of its lists."""
    found = {item["key"]: item["name"] for item in names.document.get(part) or []}
    return label_of(found.get(key, {}), g.lang, key)


def individual(names: ProgrammeNames) -> list[str]:
    """The steps that people are on, in the file's order."""
    return [step["key"] for step in names.document.get("steps") or [] if step.get("level") == "individual"]


def steps_shown(pages: Pages, names: ProgrammeNames, person: str) -> dict[str, Any] | None:
    """On which steps the person is, and what is proposed; None: the project has no such steps, or pathways does not
    know of the person yet."""
    if not individual(names):
        return None
    try:
        found = pages.context.rpc.call("pathways", "steps_of", programme=names.key, subject=person)
    except UnknownPerson:
        return None
    on = [stay_row(stay, names) for stay in found["steps"] if stay["left_on"] is None]
    proposals = [proposal_row(one, names) for one in found["proposals"]]
    return {"on": on, "proposals": proposals, "tap_day": tap_day(pages, names)}


def tap_day(pages: Pages, names: ProgrammeNames) -> str:
    """Today, if something may be recorded of it; else nothing is offered by one tap."""
    today = talks.today(pages.context)
    return today.isoformat() if today == talks.days(pages.context, names)[1] else ""


def proposal_row(row: Mapping[str, Any], names: ProgrammeNames) -> dict[str, Any]:
    """A proposal as pages show it, with what its form sends."""
    say, enter = words(g.lang), row["what"] == "enter"
    return {
        "step": named("steps", row["step"], names),
        "what": say(f"proposal_{row['what']}"),
        "since": talks.said_day(row["since"]),
        "act": "enter" if enter else "leave",
        "code": row["step"],
        "stay": row.get("stay") or "",
        "key": talks.new_key() if enter else "",
        "tap": say("step_tap_enter" if enter else "step_tap_leave"),
    }


def away_of(stay: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The pause that has not ended."""
    pauses: Iterable[Mapping[str, Any]] = stay["pauses"]
    return next((pause for pause in pauses if pause["resumed_on"] is None), None)


def stay_row(stay: Mapping[str, Any], names: ProgrammeNames) -> dict[str, Any]:
    """A time on a step as pages show it."""
    away = away_of(stay)
    return {
        "stay": stay["stay"],
        "step": named("steps", stay["step"], names),
        "since": talks.said_day(stay["entered_on"]),
        "least": away["paused_on"] if away else stay["entered_on"],
        "until": talks.said_day(stay["left_on"]) if stay["left_on"] else "",
        "away": talks.said_day(away["paused_on"]) if away else "",
        "pauses": [
            (
                pause["pause"],
                talks.said_day(pause["paused_on"]),
                talks.said_day(pause["resumed_on"]) if pause["resumed_on"] else "",
            )
            for pause in stay["pauses"]
        ],
    }
