"""Outcomes and confirmed periods on the report page: figures come as they are in the report JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.portal import formats
from services.portal.labels import Figure, Label, Names, figure, label_of
from services.portal.words import Lang, words


@dataclass(frozen=True)
class OutcomeTable:
    """What became of one activity's participants; `rows` end with the unknown."""

    activity: Label
    participants: str
    rows: list[tuple[Label, Figure]]


@dataclass(frozen=True)
class ConfirmedRow:
    """One partner and one reporting period."""

    partner: Label
    period: Label
    state: str
    day: str | None
    """The day as in the report JSON; None: not confirmed."""


def outcome_tables(report: Mapping[str, Any], outcomes: Names, activities: Names, lang: Lang) -> list[OutcomeTable]:
    """A table for each activity that has outcomes."""
    say = words(lang)
    tables = []
    for row in report.get("outcomes") or []:
        lines = [
            (label_of(outcomes.get(key, {}), lang, key), figure(count, lang)) for key, count in row["outcomes"].items()
        ]
        lines.append((Label(say("outcome_unknown"), None), figure(row["unknown"], lang)))
        activity = label_of(activities.get(row["activity"], {}), lang, row["activity"])
        tables.append(OutcomeTable(activity, say("outcome_of", n=formats.number(row["participants"], lang)), lines))
    return tables


def confirmed_rows(report: Mapping[str, Any], periods: Names, partners: Names, lang: Lang) -> list[ConfirmedRow]:
    """Every reporting period of every partner, confirmed or not; a report that says nothing of it has no rows."""
    if "confirmed" not in report:
        return []
    say = words(lang)
    days = {(row["partner"], row["period"]): row["on"] for row in report["confirmed"]}
    told = [row["partner"] for row in report.get("streams") or []]
    shown = dict.fromkeys((*told, *(partner for partner, _ in days)))
    keys = dict.fromkeys((*periods, *(period for _, period in days)))
    rows = []
    for partner in shown:
        for key in keys:
            on = days.get((partner, key))
            state = say("not_confirmed")
            if on is not None:
                state = say("confirmed_on", day=formats.day(date.fromisoformat(on), lang))
            names = label_of(partners.get(partner, {}), lang, partner), label_of(periods.get(key, {}), lang, key)
            rows.append(ConfirmedRow(*names, state, on))
    return rows
