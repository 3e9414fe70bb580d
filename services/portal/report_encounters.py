"""Outreach and drop-in in the report: heads on a basis of their own, as they are in the report JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.portal import formats
from services.portal.labels import Figure, Label, Names, figure, label_of
from services.portal.names import ProgrammeNames
from services.portal.words import Lang, words

COUNTS = ("encounters", "heads", "people_new", "people_known", "women")
"""The columns, in their order; all but the first may not have been written down."""


@dataclass(frozen=True)
class EncounterTable:
    """Encounters told apart by one thing, each row with its figures in the order of `COUNTS`."""

    title: str
    kind: str
    rows: list[tuple[Label, list[Figure]]]


@dataclass(frozen=True)
class EncounterBlock:
    """All that the report says of encounters; `missing`: sentences on what nobody wrote down."""

    tables: list[EncounterTable]
    missing: list[str]


def names_by(names: ProgrammeNames) -> dict[str, Names]:
    """The names of what encounters are told apart by."""
    return {"location": names.locations, "area": names.areas, "topic": names.topics, "guided_to": names.services}


def encounter_block(report: Mapping[str, Any], names: ProgrammeNames, lang: Lang) -> EncounterBlock | None:
    """The tables; None where the report has no encounters."""
    told = report.get("encounters")
    if not told:
        return None
    say = words(lang)

    def cells(row: Mapping[str, Any]) -> list[Figure]:
        return [figure(row[count], lang) for count in COUNTS]

    tables = [EncounterTable(say("encounters_all"), "all", [(Label(say("encounters"), None), cells(told))])]
    for kind, named in names_by(names).items():
        rows = [(_label(row["key"], kind, named, lang), cells(row)) for row in told["by"][kind]]
        if any(row["key"] is not None for row in told["by"][kind]):
            tables.append(EncounterTable(say(f"encounters_by_{kind}"), kind, rows))
    missing = [
        say("encounters_missing", what=say(count), n=formats.number(number, lang))
        for count, number in told["not_recorded"].items()
        if number
    ]
    return EncounterBlock(tables, missing)


def _label(key: str | None, kind: str, named: Names, lang: Lang) -> Label:
    if key is None:
        return Label(words(lang)("encounters_untold" if kind in ("topic", "guided_to") else "value_none"), None)
    return label_of(named.get(key, {}), lang, key)


def encounter_rows(report: Mapping[str, Any], names: ProgrammeNames, lang: Lang) -> Iterator[list[object]]:
    """The same as rows of one table for a spreadsheet: by what, code, name, the figures, then at how many encounters
    each was not written down."""
    told, say = report["encounters"], words(lang)
    yield [say("encounters_all"), "all", say("encounters"), *_numbers(told, lang)]
    for kind, named in names_by(names).items():
        for row in told["by"][kind]:
            label = _label(row["key"], kind, named, lang).text
            yield [say(f"encounters_by_{kind}"), row["key"] or "not_recorded", label, *_numbers(row, lang)]


def encounter_heads(lang: Lang) -> list[str]:
    """The headings of `encounter_rows`."""
    say = words(lang)
    missing = [say("encounters_without", what=say(count)) for count in COUNTS[1:]]
    return [say("encounters_told_by"), say("code"), say("name_word"), *map(say, COUNTS), *missing]


def _numbers(row: Mapping[str, Any], lang: Lang) -> list[object]:
    none = words(lang)("value_none")
    counts = [row[count] if row[count] is not None else none for count in COUNTS]
    return [*counts, *(row["not_recorded"][count] for count in COUNTS[1:])]
