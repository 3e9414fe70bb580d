"""The lead's report as plain tables for a spreadsheet, made from the report JSON like the page.

UTF-8, comma, one table after another with an empty row between, each with its name, a row of headings and rows. Numbers
are digits with a decimal point, days and times ISO. No cell is empty: where there is no number its reason stands in
words (interfaces.md, the five values). A cell that a spreadsheet would take for a formula gets an apostrophe in front.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.portal.labels import STATED, Names, figure, label_of
from services.portal.names import ProgrammeNames
from services.portal.publicity import publicity
from services.portal.report_encounters import encounter_heads, encounter_rows
from services.portal.report_funding import funding_headings, funding_rows
from services.portal.report_indicators import indicator_headings, indicator_rows
from services.portal.report_outcomes import confirmed_rows
from services.portal.report_page import arrived_kind, stream_state
from services.portal.steps_now import step_rows
from services.portal.words import Lang, words

Row = Iterable[object]
Table = tuple[str, Row, Iterable[Row]]
_FORMULA = ("=", "+", "-", "@")


def render_report_csv(report: Mapping[str, Any], names: ProgrammeNames, lang: Lang, statement: Iterable[str]) -> str:
    """The report as CSV; `statement` is what its certificate proves and does not, a sentence a row."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    for title, headings, rows in _tables(report, names, lang, statement):
        writer.writerow([_safe(title)])
        writer.writerow([_safe(heading) for heading in headings])
        writer.writerows([_safe(cell) for cell in row] for row in rows)
        writer.writerow([])
    return file.getvalue()


def _safe(cell: object) -> object:
    """A cell on one line that no spreadsheet runs; numbers stay numbers."""
    if not isinstance(cell, str):
        return cell
    text = " ".join(cell.split())
    return f"'{text}" if text.startswith(_FORMULA) else text


def _tables(report: Mapping[str, Any], names: ProgrammeNames, lang: Lang, statement: Iterable[str]) -> Iterator[Table]:
    say = words(lang)
    yield say("report"), (say("matter"), say("value")), _about(report, names, lang)
    bases = ("sessions", "hours", "participants", "attendances", "heads")
    head = (say("code"), say("activity"), *(say(basis) for basis in bases))
    rows = (
        (row["group"], _named(names.groups, row["group"], lang), *(_cell(row.get(basis), lang) for basis in bases))
        for row in report.get("activities") or []
    )
    yield say("activities"), head, rows
    indicators = [
        (row.code, row.label.text, *(_cell(value, lang) for value in row.values))
        for row in indicator_rows(report, lang)
    ]
    if indicators:
        yield say("indicators"), (say("code"), say("indicator"), *indicator_headings(lang)), indicators
    funding = [
        (row.source, row.label.text, row.includes or "–", row.state, *(_cell(value, lang) for value in row.values))
        for row in funding_rows(report, names.document, lang)
    ]
    if funding:
        head = (say("code"), say("source"), say("of_which"), *funding_headings(lang))
        yield say("funding"), head, funding
    yield from _outcomes(report, names, lang)
    if report.get("encounters"):
        yield say("encounters"), encounter_heads(lang), encounter_rows(report, names, lang)
    stand = step_rows(report.get("steps") or [], names.document, lang)
    if stand:
        head = (say("code"), say("step"), say("level"), say("state"), say("step_details"))
        rows = ((r.key, r.step.text, r.level, r.state, "; ".join(r.details)) for r in stand)
        yield say("steps_now"), head, rows
    confirmed = confirmed_rows(report, names.periods, names.partners, lang)
    if confirmed:
        head = (say("partner"), say("reporting_period"), say("confirmed_day"))
        yield say("confirmed"), head, ((row.partner.text, row.period.text, row.day or row.state) for row in confirmed)
    columns = ("code", "partner", "state", "watermark", "head", "heard_at", "node", "epoch", "chain")
    streams = (_stream(row, report, names, lang) for row in report.get("streams") or [])
    yield say("proof"), [say(column) for column in columns], streams
    yield say("certificate"), (say("matter"),), ((sentence,) for sentence in statement)


def _about(report: Mapping[str, Any], names: ProgrammeNames, lang: Lang) -> Iterator[Row]:
    say = words(lang)
    quality = report.get("data_quality") or {}
    yield say("code"), names.key
    yield say("programme"), label_of(names.name, lang, names.key).text
    yield say("first_day"), report.get("from") or say("whole")
    yield say("last_day"), report.get("to") or say("whole")
    yield say("as_of"), report.get("as_of") or say("value_none")
    if report.get("release"):
        yield say("release"), report["release"]
    told = publicity(names.funding, names.logos, lang)
    if told is not None:
        yield say("eu_support"), f"{told.mark}. {told.statement}" if told.mark else told.statement
    yield say("audience"), say(f"audience_{report['audience']}") if report.get("audience") else say("value_none")
    yield say("state"), say(f"arrived_{arrived_kind(report)}")
    yield say("lines_newer"), _cell(report.get("newer_facts"), lang)
    counts = (
        *(("lines_refused", "refused_lines"), ("people_erased", "erased_people"), ("lines_erased", "erased_lines")),
        *(("people_restricted", "restricted_people"), ("records_unproved", "unproved_records")),
    )
    for word, member in counts:
        yield say(word), _cell(quality.get(member), lang)


def _outcomes(report: Mapping[str, Any], names: ProgrammeNames, lang: Lang) -> Iterator[Table]:
    say = words(lang)
    for row in report.get("outcomes") or []:
        activity = _named(names.activities, row["activity"], lang)
        told = [(key, _named(names.outcomes, key, lang), count) for key, count in row["outcomes"].items()]
        told.append(("unknown", say("outcome_unknown"), row["unknown"]))
        # The participants stand in every row, as what the people are a part of: not as one more row to add up.
        rows = [(key, name, _cell(count, lang), _cell(row["participants"], lang)) for key, name, count in told]
        head = (say("code"), say("outcome"), say("outcome_people"), say("participants"))
        yield f"{say('outcomes')}: {activity}", head, rows


def _stream(row: Mapping[str, Any], report: Mapping[str, Any], names: ProgrammeNames, lang: Lang) -> Row:
    say = words(lang)
    joined = row.get("node") is not None

    def cell(member: str, missing: str) -> object:
        value = row.get(member)
        return value if value is not None else say(missing if joined else "state_not_joined")

    return (
        row["partner"],
        _named(names.partners, row["partner"], lang),
        stream_state(row, report, say, lang)[1],
        cell("watermark", "value_not_arrived"),
        cell("head", "never_heard"),
        cell("manifest_at", "never_heard"),
        cell("node", "state_not_joined"),
        cell("epoch", "value_not_arrived"),
        cell("chain", "value_not_arrived"),
    )


def _named(names: Names, key: str, lang: Lang) -> str:
    return label_of(names.get(key, {}), lang, key).text


def _cell(value: object, lang: Lang) -> object:
    """A number as it is, 0 too; a reason in words where there is none. ValueError for anything else."""
    shown = figure(value, lang)
    return shown.words or shown.text if value is None or value in STATED else value
