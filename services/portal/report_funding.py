"""Funding on the report page and in its tables: sums come as they are in the report JSON, euros."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.labels import Label, label_of
from services.portal.words import Lang, words


@dataclass(frozen=True)
class FundingRow:
    """A source; `includes` says what it is a total of, "" nothing; `values` as `funding_headings`."""

    source: str
    label: Label
    includes: str
    state: str
    values: tuple[object, object]


def funding_headings(lang: Lang) -> tuple[str, ...]:
    """Of a row: what the planned sum is called, that sum, and what was realised."""
    say = words(lang)
    return say("state"), say("planned"), say("published")


def funding_rows(report: Mapping[str, Any], document: Mapping[str, Any], lang: Lang) -> Iterator[FundingRow]:
    """Every source, in the order of the project's file (`document`, which has their names)."""
    say, items = words(lang), {item["key"]: item["name"] for item in document.get("funding") or ()}

    def named(key: str) -> Label:
        return label_of(items.get(key, {}), lang, key)

    for row in report.get("funding") or ():
        inside = ", ".join(named(key).text for key in row.get("includes", ()))
        planned = "not_set" if row["planned"] is None else row["planned"]
        yield FundingRow(
            row["source"],
            named(row["source"]),
            say("includes", what=inside) if inside else "",
            say(row["planned_label"]),
            (planned, row["realised"]),
        )
