"""The read side of reporting, of outreach and drop-in: heads, on a basis of their own. Part of `queries.report`.

Nobody is named in an encounter, so these are neither people nor participants, and they are added to nothing else.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, case, func, select

from services.reporting.encounter_table import encounter
from shared.programmes import Programme

_COUNTS = ("people_new", "people_known", "women")


@dataclass(slots=True)
class EncounterFigures:
    """Encounters that were put together: how many, the heads of those where a count was written down, and at how many
    it was. A sum is unknown where nobody wrote down any, and 0 where there was no encounter or 0 was counted."""

    encounters: int = 0
    heads: int = 0
    with_heads: int = 0
    sums: tuple[int, int, int] = (0, 0, 0)
    written: tuple[int, int, int] = (0, 0, 0)

    def add(self, row: Any) -> None:
        """Take in a group of encounters as the database has added them up."""
        self.encounters += row.n
        self.heads += int(row.heads or 0)
        self.with_heads += int(row.with_heads)
        self.sums = _plus(self.sums, (getattr(row, name) for name in _COUNTS))
        self.written = _plus(self.written, (getattr(row, f"with_{name}") for name in _COUNTS))

    def to_json(self) -> dict[str, Any]:
        """`heads` are new and known ones; `women` are among them; `not_recorded`: at how many encounters nobody wrote
        a count down."""
        known = {"heads": (self.heads, self.with_heads)}
        known |= {name: (self.sums[n], self.written[n]) for n, name in enumerate(_COUNTS)}
        shown = {name: total if written or not self.encounters else None for name, (total, written) in known.items()}
        missing = {name: self.encounters - written for name, (_, written) in known.items()}
        return {"encounters": self.encounters, **shown, "not_recorded": missing}


def _plus(old: tuple[int, int, int], more: Iterable[Any]) -> tuple[int, int, int]:
    one, two, three = (had + int(new or 0) for had, new in zip(old, more, strict=True))
    return one, two, three


_BY: tuple[tuple[str, Callable[[Any], Sequence[str | None]]], ...] = (
    ("location", lambda row: [row.location]),
    ("area", lambda row: [row.area]),
    ("topic", lambda row: row.topics.split() or [None]),
    ("guided_to", lambda row: row.guided_to.split() or [None]),
)
"""By what encounters are told apart, and where one stands; None: nobody wrote it down."""


def _held(streams: Sequence[str], start: date | None, end: date | None) -> Any:
    c = encounter.c
    here: Any = c.stream.in_(streams)
    if start:
        here &= c.occurred_on >= start
    if end:
        here &= c.occurred_on <= end
    return here


def rows_behind(
    connection: Connection, streams: Sequence[str], start: date | None, end: date | None
) -> list[tuple[str, bytes]]:
    """Stream and id of each encounter of these days."""
    query = select(encounter.c.stream, encounter.c.encounter).where(_held(streams, start, end))
    return [(row.stream, bytes(row.encounter)) for row in connection.execute(query)]


def figures(
    connection: Connection, definition: Programme, streams: Sequence[str], start: date | None, end: date | None
) -> dict[str, Any]:
    """The report's `encounters` of the days `start` to `end`; nothing for a programme that has none and plans none.

    An encounter with several topics stands under each, so that these rows may add up to more than there were; so with
    `guided_to`. The row whose key is null is what was not written down, or stays on the node (decision 0200).
    """
    c, here = encounter.c, _held(streams, start, end)
    both = func.coalesce(c.people_new, 0) + func.coalesce(c.people_known, 0)
    counted = c.people_new.is_not(None) | c.people_known.is_not(None)
    columns = [func.count().label("n"), func.sum(case((counted, both), else_=0)).label("heads")]
    columns.append(func.sum(case((counted, 1), else_=0)).label("with_heads"))
    for name in _COUNTS:
        columns += [func.sum(c[name]).label(name), func.count(c[name]).label(f"with_{name}")]
    where = (c.location, c.area, c.topics, c.guided_to)
    rows = connection.execute(select(*where, *columns).where(here).group_by(*where)).all()
    told_of = definition.services or (definition.figures and definition.figures.encounters)
    if not rows and not told_of:
        return {}
    total = EncounterFigures()
    by: dict[str, dict[str | None, EncounterFigures]] = {name: {} for name, _ in _BY}
    for row in rows:
        total.add(row)
        for name, keys_of in _BY:
            for key in keys_of(row):
                by[name].setdefault(key, EncounterFigures()).add(row)
    return {"encounters": total.to_json() | {"by": {name: _in_order(definition, name, by[name]) for name, _ in _BY}}}


def _in_order(definition: Programme, name: str, found: dict[str | None, EncounterFigures]) -> list[dict[str, Any]]:
    """In the order of the programme file, then what a newer file calls so, then what was not written down."""
    files = {
        "location": definition.location_by_key,
        "area": definition.area_by_key,
        "topic": definition.topic_by_key,
        "guided_to": definition.service_by_key,
    }
    strange = sorted(key for key in found if key is not None and key not in files[name])
    keys: list[str | None] = [*files[name], *strange, None]
    return [{"key": key} | found[key].to_json() for key in keys if key in found]
