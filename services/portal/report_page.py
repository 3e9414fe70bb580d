"""The lead's report as a page, made from the report JSON of `docs/interfaces` and the programme's names only.

The same template makes the portal's page and the file of ``polku report --format html``. Nothing is computed here
but what can be read off two members (lines missing, age): figures come as they are, counting bases stay apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from markupsafe import Markup

from services.portal import formats
from services.portal.charts import Bar, Tone, bar_chart
from services.portal.labels import Figure, Label, figure, label_of
from services.portal.names import ProgrammeNames
from services.portal.publicity import publicity
from services.portal.rendering import Frame, render
from services.portal.report_encounters import encounter_block
from services.portal.report_funding import funding_headings, funding_rows
from services.portal.report_indicators import indicator_headings, indicator_rows
from services.portal.report_outcomes import confirmed_rows, outcome_tables
from services.portal.report_people import people_sentences
from services.portal.steps_now import step_rows
from services.portal.words import Lang, Words, words


@dataclass(frozen=True)
class ActivityRow:
    """A group's row, in the order of the table's columns."""

    group: Label
    sessions: Figure
    hours: Figure
    participants: Figure
    attendances: Figure
    heads: Figure


@dataclass(frozen=True)
class StreamRow:
    """A partner's row of the proof."""

    partner: Label
    node: Figure
    watermark: Figure
    head: Figure
    chain: str | None
    manifest_at: Figure
    state: str
    state_kind: str


def render_report_html(
    report: Mapping[str, Any],
    names: ProgrammeNames,
    lang: Lang,
    frame: Frame | None = None,
    releases: Sequence[object] = (),
) -> str:
    """The report as HTML: in the portal's frame, or without one as a single self-contained file to be certified.
    `releases` are the rows of the reports that were frozen."""
    signed = None if frame else report.get("proof")
    return render(
        "report.html",
        lang,
        frame,
        title=label_of(names.name, lang, names.key),
        programme=names.key,
        facts=_facts(report, names, lang),
        arrived=_arrived(report, lang),
        activities=[_activity_row(row, names, lang) for row in report.get("activities") or []],
        people=people_sentences(report, lang),
        charts=_charts(report.get("activities") or [], names, lang),
        indicators=[(row, [figure(value, lang) for value in row.values]) for row in indicator_rows(report, lang)],
        indicator_headings=indicator_headings(lang),
        unproved=_unproved(report, lang),
        funding=[
            (row, [figure(value, lang) for value in row.values]) for row in funding_rows(report, names.document, lang)
        ],
        funding_headings=funding_headings(lang),
        outcomes=outcome_tables(report, names.outcomes, names.activities, lang),
        encounters=encounter_block(report, names, lang),
        steps=step_rows(report.get("steps") or [], names.document, lang),
        confirmed=confirmed_rows(report, names.periods, names.partners, lang),
        certificate=signed and _certificate(signed, names, lang),
        streams=[_stream_row(row, report, names, lang) for row in report.get("streams") or []],
        publicity=publicity(names.funding, names.logos, lang),
        releases=releases,
    )


def statement(lang: Lang) -> list[str]:
    """What a certified report says of itself: what its certificate proves and what it does not."""
    keys = ("certificate_unaltered", "certificate_held", "not_proved_recorded", "not_proved_follow")
    say = words(lang)
    return [say(key) if key.startswith("certificate") else f"{say('not_proved_title')}: {say(key)}" for key in keys]


def _certificate(signed: Mapping[str, Any], names: ProgrammeNames, lang: Lang) -> dict[str, str]:
    """Who signs, in the words of the page, and the six words of the key."""
    lead = label_of(names.partners.get(signed["lead"], {}), lang, signed["lead"])
    return {"signed": words(lang)("certificate_signed", lead=lead.text), "fingerprint": signed["fingerprint"]}


def _day(value: str | date) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _facts(report: Mapping[str, Any], names: ProgrammeNames, lang: Lang) -> list[tuple[str, str]]:
    """Period, time and audience, as pairs of a word and a value."""
    say = words(lang)
    facts = [(say("period"), period_in_words(report, names, lang))]
    as_of = _time(report.get("as_of"))
    if as_of is not None:
        facts.append((say("as_of"), formats.moment(as_of, lang)))
    if report.get("release"):
        facts.append((say("release"), report["release"]))
    if report.get("audience"):
        facts.append((say("audience"), say(f"audience_{report['audience']}")))
    if eura := (report.get("data_quality") or {}).get("eura"):
        counted = {name: formats.number(eura[name], lang) for name in ("starts", "exits")}
        facts.append((say("in_eura"), say("eura_counted", **counted)))
    return facts


def _unproved(report: Mapping[str, Any], lang: Lang) -> str | None:
    """How many start records wait for what confirms them; None: none that the report knows of."""
    waiting = (report.get("data_quality") or {}).get("unproved_records")
    return formats.number(waiting, lang) if waiting else None


def period_in_words(report: Mapping[str, Any], names: ProgrammeNames, lang: Lang) -> str:
    """Which days it is of; without days the whole project."""
    say = words(lang)
    first, last = report.get("from"), report.get("to")
    if first and last:
        return f"{formats.day(_day(first), lang)} – {formats.day(_day(last), lang)}"
    if first:
        return say("from_on", day=formats.day(_day(first), lang))
    if last:
        return say("until", day=formats.day(_day(last), lang))
    if names.period:
        start, end = (formats.day(edge, lang) for edge in names.period)
        return f"{say('whole_project')}, {start} – {end}"
    return say("whole_project")


def arrived_kind(report: Mapping[str, Any]) -> str:
    """Which word of `arrived_true`, `arrived_false` (something is missing), `arrived_null` (not known since)."""
    arrived = report.get("arrived")
    return "null" if arrived is None else str(bool(arrived)).lower()


def _arrived(report: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    """Heading, text and kind of the notice on completeness."""
    say = words(lang)
    kind = arrived_kind(report)
    text = _not_known_since(report, say, lang) if kind == "null" else say(f"arrived_{kind}_text")
    refused = (report.get("data_quality") or {}).get("refused_lines")
    apart = (("newer_facts", report.get("newer_facts")), ("refused_lines", refused))
    more = [say(key, n=formats.number(count, lang)) for key, count in apart if count]
    return {"kind": kind, "title": say(f"arrived_{kind}"), "text": text, "more": more}


def _not_known_since(report: Mapping[str, Any], say: Words, lang: Lang) -> str:
    heard = [_time(row.get("manifest_at")) for row in report.get("streams") or [] if row.get("node")]
    known = [at for at in heard if at is not None]
    if not known or len(known) < len(heard):
        return say("arrived_null_never")
    return say("arrived_null_since", moment=formats.moment(min(known), lang))


def _activity_row(row: Mapping[str, Any], names: ProgrammeNames, lang: Lang) -> ActivityRow:
    def cell(member: str) -> Figure:
        return figure(row.get(member), lang)

    return ActivityRow(
        group=label_of(names.groups.get(row["group"], {}), lang, row["group"]),
        sessions=cell("sessions"),
        hours=cell("hours"),
        participants=cell("participants"),
        attendances=cell("attendances"),
        heads=cell("heads"),
    )


def _charts(rows: Sequence[Mapping[str, Any]], names: ProgrammeNames, lang: Lang) -> list[tuple[str, Markup]]:
    """One chart per counting basis that has a number, each with its title."""
    say = words(lang)
    charts: list[tuple[str, Markup]] = []
    bases: tuple[tuple[Tone, str], ...] = (("sessions", "sessions"), ("people", "participants"), ("heads", "heads"))
    for tone, member in bases:
        bars = [
            Bar(
                label=label_of(names.groups.get(row["group"], {}), lang, row["group"]).text,
                value=float(row[member]),
                shown=formats.number(row[member], lang),
            )
            for row in rows
            if isinstance(row.get(member), int | float)
        ]
        if bars:
            title = say(f"chart_{tone}")
            drawn = bar_chart(bars, chart_id=f"chart-{tone}", title=title, tone=tone)
            charts.append((title, drawn))
    return charts


def _stream_row(row: Mapping[str, Any], report: Mapping[str, Any], names: ProgrammeNames, lang: Lang) -> StreamRow:
    say = words(lang)
    joined = row.get("node") is not None

    def cell(member: str, missing: str) -> Figure:
        value = row.get(member)
        if value is None:
            return Figure("–", say(missing if joined else "state_not_joined"))
        return Figure(formats.number(value, lang), None)

    kind, state = stream_state(row, report, say, lang)
    return StreamRow(
        partner=label_of(names.partners.get(row["partner"], {}), lang, row["partner"]),
        node=Figure(row["node"], None) if joined else Figure("–", say("state_not_joined")),
        watermark=cell("watermark", "value_not_arrived"),
        head=cell("head", "never_heard"),
        chain=row.get("chain"),
        manifest_at=_age(row, report, joined, lang),
        state=state,
        state_kind=kind,
    )


def stream_state(row: Mapping[str, Any], report: Mapping[str, Any], say: Words, lang: Lang) -> tuple[str, str]:
    """Kind and words. Equal numbers alone are not called complete: the chains might differ, or the news be old."""
    watermark, head = row.get("watermark"), row.get("head")
    if row.get("node") is None:
        return "none", say("state_not_joined")
    if ended := _time(row.get("expelled")):
        return "none", say("state_expelled", on=formats.moment(ended, lang))
    if head is None:
        return "unknown", say("state_unknown")
    if row.get("closed"):
        on = formats.day(date.fromisoformat(row["closed"]), lang)
        return "complete", say("state_closed", line=formats.number(head, lang), on=on)
    if (first := (watermark or 0) + 1) <= head:
        ends = dict.fromkeys(formats.number(line, lang) for line in (first, head))
        return "missing", say("state_missing", lines="–".join(ends))
    return ("complete", say("state_complete")) if report.get("arrived") is True else ("none", say("state_to_head"))


def _age(row: Mapping[str, Any], report: Mapping[str, Any], joined: bool, lang: Lang) -> Figure:
    say = words(lang)
    at, as_of = _time(row.get("manifest_at")), _time(report.get("as_of"))
    if at is None:
        return Figure("–", say("never_heard" if joined else "state_not_joined"))
    if as_of is None:
        return Figure(formats.moment(at, lang), None)
    return Figure(say("age_old", age=formats.age(max(as_of - at, timedelta(0)), lang)), None)
