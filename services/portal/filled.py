"""On the page of the start form: whether the other partners say that it is filled there already."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from flask import g

from services.portal import talks
from services.portal.labels import label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import Pages
from services.portal.words import words


@dataclass(frozen=True)
class Elsewhere:
    """What the page says: `lines` of what was answered; `may_ask`, and whether it would be again."""

    lines: list[str]
    may_ask: bool
    again: bool


def elsewhere(pages: Pages, names: ProgrammeNames, person: str) -> Elsewhere | None:
    """What was asked and answered about a person; None where the project's file has no tag and nobody has told."""
    found = pages.context.rpc.call("intake", "show_filled", programme=names.key, subject=person)
    if found["why_not"] == "no_tag" and not found["answers"]:
        return None
    lines = _lines(names, found)
    return Elsewhere(lines, may_ask=found["why_not"] is None, again=any(row["asked_on"] for row in found["answers"]))


def _lines(names: ProgrammeNames, found: dict[str, Any]) -> list[str]:
    say, rows = words(g.lang), found["answers"]
    counts = Counter(row["answer"] for row in rows)
    lines = [
        say("filled_at", partner=_named(names, row["partner"]), day=talks.said_day(row["signed_on"]))
        for row in rows
        if row["answer"] == "yes"
    ]
    if rows and counts["no"] == len(rows):
        lines.append(say("filled_nowhere", n=len(rows)))
    elif counts["no"]:
        lines.append(say("filled_not_at", partners=_list(names, rows, "no")))
    if counts[None]:
        lines.append(say("filled_waits", k=counts[None], n=len(rows)))
    if counts["cannot_say"]:
        lines.append(say("filled_cannot_say", partners=_list(names, rows, "cannot_say")))
    if days := sorted(row["asked_on"] for row in rows if row["asked_on"]):
        lines.append(say("filled_asked_on", day=talks.said_day(days[-1])))
    if days and found["not_asked"]:
        partners = ", ".join(_named(names, partner) for partner in found["not_asked"])
        lines.append(say("filled_not_asked", partners=partners))
    if found["why_not"] == "protected":
        lines.append(say("filled_protected"))
    return lines


def _list(names: ProgrammeNames, rows: list[dict[str, Any]], answer: str) -> str:
    return ", ".join(_named(names, row["partner"]) for row in rows if row["answer"] == answer)


def _named(names: ProgrammeNames, partner: str) -> str:
    return label_of(names.partners.get(partner, {}), g.lang, partner).text
