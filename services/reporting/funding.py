"""The report's `funding`: where the project's money comes from, as its file says; nothing of it is recorded."""

from datetime import date
from typing import Any

from shared.programmes import Programme
from shared.programmes.plan import in_force


def rows(programme: Programme, day: date, *, whole: bool) -> list[dict[str, Any]]:
    """A row per source, in the file's order: euros planned, as it held on `day` (null: nothing was set then), and
    realised as the project itself has published it.

    What was realised is of the whole project, so a report of some of its days has null there. A source with `includes`
    is a total of those and others.
    """
    published = programme.figures.funding if whole and programme.figures else {}
    found = []
    for source in programme.funding:
        held = in_force(programme.budget, "source", source.key, day)
        row: dict[str, Any] = {"source": source.key}
        if source.includes:
            row["includes"] = list(source.includes)
        row |= {"planned_label": source.planned_is, "planned": held["planned"] if held else None}
        found.append(row | {"realised": published.get(source.key)})
    return found
