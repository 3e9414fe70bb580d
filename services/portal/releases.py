"""The list of releases, reports that the lead has frozen, as rows for the report page and the project's page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.portal import formats
from services.portal.names import ProgrammeNames
from services.portal.report_page import period_in_words
from services.portal.words import Lang, words


@dataclass(frozen=True)
class ReleaseRow:
    """One release; `details` are its id, its digest cut short and what it follows, a line each; `kept`: the lead still
    has the file."""

    release: str
    made_on: str
    period: str
    audience: str
    details: tuple[str, ...]
    kept: bool


def release_rows(told: Iterable[Mapping[str, Any]], names: ProgrammeNames, lang: Lang) -> list[ReleaseRow]:
    """The rows, the newest first; `told` is the answer of `list_releases`."""
    say = words(lang)
    rows = []
    for row in told:
        details = [row["release"], f"SHA-256 {row['digest'][:8]}…{row['digest'][-8:]}"]
        details += [say("release_follows", release=f"{row['follows'][:8]}…")] if row["follows"] else []
        made_on = formats.day(date.fromisoformat(row["made_on"]), lang)
        shown = made_on, period_in_words(row, names, lang), say(f"audience_{row['audience']}")
        rows.append(ReleaseRow(row["release"], *shown, tuple(details), row.get("kept", True)))
    return rows[::-1]
