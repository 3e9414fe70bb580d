"""How the steps stand, as rows for the report, its CSV and the project's page."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.portal import formats
from services.portal.labels import Label, label_of
from services.portal.words import Lang, Words, words

_COUNTS = ("entered", "on", "paused", "left")


@dataclass(frozen=True)
class StepRow:
    """One step: its name, level and state, and what has come of it, a line each."""

    key: str
    step: Label
    level: str
    state: str
    kind: str
    details: list[str]


def step_rows(told: Iterable[Mapping[str, Any]], document: Mapping[str, Any], lang: Lang) -> list[StepRow]:
    """The rows; `told` is the report's `steps`, or the answer of `step_states`."""
    say = words(lang)
    steps, products = (
        {item["key"]: item["name"] for item in document.get(part) or []} for part in ("steps", "products")
    )
    rows = []
    for row in told:
        people = row.get("participations")
        kind = "people" if people else row.get("state") or "not_set"
        details = _people(people, say, lang) if people else _made(row, products, say, lang)
        name, level = label_of(steps.get(row["step"], {}), lang, row["step"]), say(f"level_{row['level']}")
        rows.append(
            StepRow(row["step"], name, level, say(f"step_state_{kind}"), kind, list(details) or [say("value_none")])
        )
    return rows


def _people(people: Mapping[str, int], say: Words, lang: Lang) -> Iterator[str]:
    for what in _COUNTS:
        yield say(f"step_{what}", n=formats.number(people[what], lang))


def _made(row: Mapping[str, Any], products: Mapping[str, Any], say: Words, lang: Lang) -> Iterator[str]:
    if row.get("sessions"):
        span = {edge: formats.day(date.fromisoformat(row[edge]), lang) for edge in ("first", "last")}
        yield say("step_sessions", n=formats.number(row["sessions"], lang), **span)
    elif row.get("sessions") == 0:
        yield say("step_no_session")
    for product in row.get("products") or []:
        name = label_of(products.get(product["product"], {}), lang, product["product"]).text
        day = formats.day(date.fromisoformat(product["on"]), lang) if product["on"] else ""
        yield say(f"product_{product['state'] or 'none'}", name=name, day=day)
