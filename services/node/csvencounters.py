"""encounters.csv: people met in outreach or at a drop-in, as heads. Nicknames in `token` are for the vault alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time

from services.node.csvcells import LANGUAGE, Cells, owner
from services.node.csvrows import ENCOUNTERS, row_digest, row_key
from shared.programmes import Programme

Say = Callable[[str, str], None]
"""Takes column and reason."""
MOST_TOKENS = 50
LONGEST_TOKEN = 80
_KEYS = "is not a list of keys parted by semicolons"


@dataclass(frozen=True, slots=True)
class EncounterRow:
    """One encounter; None and an empty tuple: nobody wrote it down. `token` holds nicknames of visitors."""

    line: int
    digest: str
    ref: str
    programme: str
    partner: str
    date: date
    time: time | None
    location: str | None
    area: str | None
    staff: int | None
    people_new: int | None
    people_known: int | None
    women: int | None
    languages: tuple[str, ...]
    topics: tuple[str, ...]
    guided_to: tuple[str, ...]
    token: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<EncounterRow of line {self.line}>"

    @property
    def key(self) -> str:
        return row_key(self.programme, self.partner, ENCOUNTERS, self.ref)


def encounter(line: int, raw: list[str], report: Say, programmes: Mapping[str, Programme]) -> EncounterRow | None:
    """The row, or None after reporting every bad cell."""
    cells = Cells(ENCOUNTERS, raw, report)
    ref = cells.text("ref", needed=True)
    key, programme, partner = owner(cells, programmes)
    day = cells.day("date", needed=True)
    if programme and day and day not in programme.period:
        cells.bad("date", "lies outside the programme's period", day.isoformat())
    at = cells.time("time")
    location = cells.key("location", programme.location_by_key if programme else None, "location of the programme")
    area = cells.key("area", programme.area_by_key if programme else None, "area of the programme")
    staff = cells.whole("staff", 0, 1000)
    new, known = cells.whole("people_new", 0, 100_000), cells.whole("people_known", 0, 100_000)
    women = cells.whole("women", 0, 200_000)
    _women(cells, new, known, women)
    languages = cells.several("languages", LANGUAGE, "is not a list of ISO 639 codes parted by semicolons")
    topics = _keys(cells, "topics", programme.topic_by_key if programme else None, "topic of the programme")
    guided_to = _keys(cells, "guided_to", programme.service_by_key if programme else None, "service of the programme")
    tokens = _tokens(cells)
    if not cells.ok or ref is None or key is None or partner is None or day is None:
        return None
    where = (ref, key, partner, day, at, location, area)
    return EncounterRow(line, row_digest(raw), *where, staff, new, known, women, languages, topics, guided_to, tokens)


def _women(cells: Cells, new: int | None, known: int | None, women: int | None) -> None:
    """As intake will see it, in the words of the columns; a count that is no number has been told already."""
    if women is None or not cells.ok:
        return
    if new is None and known is None:
        cells.bad("women", "is given without people_new or people_known")
    elif new is not None and known is not None and women > new + known:
        cells.bad("women", f"is more than the {new + known} people who were met", str(women))


def _keys(cells: Cells, column: str, known: Mapping[str, object] | None, what: str) -> tuple[str, ...]:
    values = cells.several(column, None, _KEYS)
    if known is not None:
        for value in values:
            if value not in known:
                cells.bad(column, f"is no {what}", value)
    return values


def _tokens(cells: Cells) -> tuple[str, ...]:
    cells.normal("token")
    tokens = cells.several("token", None, "is not a list parted by semicolons")
    if len(tokens) > MOST_TOKENS:
        cells.bad("token", f"names more than {MOST_TOKENS} visitors")
    if any(len(token) > LONGEST_TOKEN for token in tokens):
        cells.bad("token", f"has one longer than {LONGEST_TOKEN} characters")
    return tokens
