"""Indicators on the report page and in its tables: figures come as they are in the report JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.labels import Label, label_of
from services.portal.words import Lang, words

_GENDERS = ("f", "m", "x", "unknown")


@dataclass(frozen=True)
class IndicatorRow:
    """One indicator; `values` in the order of `indicator_headings`, each a number or why there is none."""

    code: str
    label: Label
    values: tuple[object, ...]


def indicator_headings(lang: Lang) -> tuple[str, ...]:
    """What the values of a row are: planned, realised, the realised by gender."""
    say = words(lang)
    return (say("planned"), say("realised"), *(say(f"gender_{gender}") for gender in _GENDERS))


def indicator_rows(report: Mapping[str, Any], lang: Lang) -> Iterator[IndicatorRow]:
    """What the funder follows the project by: planned, and counted from what has arrived."""
    for row in report.get("indicators") or ():
        planned = "not_set" if row["planned"] is None else row["planned"]
        by_gender = (row["by"].get("gender", {}).get(gender) for gender in _GENDERS)
        label = label_of(row["label"], lang, row["code"])
        yield IndicatorRow(row["code"], label, (planned, row["realised"], *by_gender))
