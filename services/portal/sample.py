"""A controller's sample: the file that the lead drew is opened here, and its people are shown with their evidence, to
be printed. The lead knows lines, not names; the file names nobody either."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Flask, g, request
from flask.typing import ResponseReturnValue

from services.portal import formats, talks
from services.portal.encountering import LANGUAGES
from services.portal.labels import label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import Pages
from services.portal.publicity import publicity
from services.portal.replies import ReplyKey
from services.portal.sample_draw import offered
from services.portal.start_record import answer_word, field_word, name_of
from services.portal.words import LANG_NAMES, in_language, known_keys, words
from shared.contracts.samples import MOST_ROWS
from shared.forms import Form, find_form

ROLES = ("coordinator",)
"""Whoever shows a controller papers is not everybody."""
SECONDS = 60.0
"""Of the call: each identity that is read is logged in a transaction of its own."""
_NODE = re.compile(r"[a-z0-9-]{1,24}-[0-9a-f]{8}")
_MEMBERS = ("given_name", "family_name", "token", "birth_date", "form_version", "form_kept")


@dataclass(frozen=True)
class Sample:
    """A file of the lead, as far as it is understood: lines by node."""

    indicator: str
    seed: str
    population: int
    days: tuple[str, str]
    lines: Mapping[str, list[int]]

    @property
    def size(self) -> int:
        return sum(map(len, self.lines.values()))


def read_sample(raw: bytes, programme: str) -> Sample | str:
    """The sample in a file, or the word of what is wrong with it."""
    try:
        told = json.loads(raw)
        if told["polku_sample"] != 1:
            return "problem_sample_file"
        if told["programme"] != programme:
            return "problem_sample_programme"
        lines: dict[str, list[int]] = {}
        for row in told["rows"]:
            if not _NODE.fullmatch(row["node"]) or type(row["line"]) is not int or not 1 <= row["line"] < 2**62:
                return "problem_sample_file"
            lines.setdefault(row["node"], []).append(row["line"])
        days = tuple(str(told[end] or "")[:10] for end in ("from", "to"))
        sample = Sample(
            *(str(told["indicator"])[:60], str(told["seed"])[:80], int(told["population"]), (days[0], days[1])), lines
        )
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        return "problem_sample_file"
    return sample if 0 < sample.size <= MOST_ROWS else "problem_sample_file"


@dataclass
class SamplePages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/sample/<programme:key>"
        self.pages.add(app, rule, "sample", self.ask, ROLES)
        self.pages.add(app, rule, "show_sample", self.show, ROLES, "POST")

    def ask(self, key: str) -> ResponseReturnValue:
        return self._page(self.pages.programme(key))

    def show(self, key: str) -> ResponseReturnValue:
        names, file = self.pages.programme(key), request.files.get("file")
        sample = read_sample(file.read() if file else b"", key)
        if isinstance(sample, str):
            return self._page(names, problem=sample), 400
        people, others = [], 0
        for node, lines in sample.lines.items():
            reply = ReplyKey()
            given: dict[str, Any] = {"programme": key, "node": node, "lines": lines, "by": g.session.user.name}
            given |= {"reply_to": reply.public_hex}
            found = self.pages.context.rpc.call("intake", "show_sample", timeout=SECONDS, **given)
            people += [_person(row, reply.open_plain(row["sealed"]), names) for row in found["rows"]]
            others += 0 if found["own"] else len(lines)
        return self._page(names, sample, people, others)

    def _page(
        self,
        names: ProgrammeNames,
        sample: Sample | None = None,
        people: list[dict[str, Any]] | None = None,
        others: int = 0,
        *,
        problem: str = "",
    ) -> str:
        say = words(g.lang)
        return self.pages.show(
            "sample.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            sample=sample,
            facts=_facts(sample, names) if sample else [],
            people=people or [],
            others=say("sample_others", n=formats.number(others, g.lang)) if others else "",
            problems={"": say(problem)} if problem else {},
            publicity=publicity(names.funding, names.logos, g.lang),
        )


def _facts(sample: Sample, names: ProgrammeNames) -> list[tuple[str, str]]:
    """What was drawn, of what, and by which seed it is drawn again."""
    say, figure = words(g.lang), dict(offered(names)).get(sample.indicator, sample.indicator)
    many = say("sample_of", n=sample.size, all=formats.number(sample.population, g.lang))
    facts = [(say("sample_figure"), figure)]
    facts += [(say("sample_rows"), many), (say("sample_seed"), sample.seed)]
    days = [talks.said_day(day) for day in sample.days]
    return [*facts, (say("period"), " – ".join(days))] if any(days) else facts


def _person(row: Mapping[str, Any], named: Mapping[str, Any], names: ProgrammeNames) -> dict[str, Any]:
    """One row: who it is and what proves it; or that nothing is kept."""
    say, line = words(g.lang), formats.number(row["line"], g.lang)
    if row["state"] != "found":
        nothing: dict[str, Any] = {"said": [], "start": [], "exit": [], "missing": []}
        return nothing | {"line": line, "name": "", "state": say(f"sample_{row['state']}")}
    said = _said(row, names)
    if "start" not in row:
        return {"line": line, "name": said[0][1], "state": "", "said": said, "start": [], "exit": [], "missing": []}
    who = {name: str(named.get(name) or "") for name in _MEMBERS}
    form, start, end = find_form(names.funding), row["start"], row["exit"]
    return {
        "line": line,
        "name": name_of(who),
        "state": "",
        "said": said,
        "start": _start(start, who, names, form),
        "exit": _exit(end, named) if end["ended"] else [],
        "missing": [field_word(form, name) for name in start["missing"]],
    }


def _said(row: Mapping[str, Any], names: ProgrammeNames) -> list[tuple[str, str]]:
    """What the line itself says, where it is not a start record: an outcome, the entry of a step, an encounter."""
    say, kind, body = words(g.lang), row["kind"].partition(".")[2], row["body"]
    day = (say("date"), talks.said_day(body["occurred_on"]))
    recorded = (say("sample_recorded"), talks.said_day(row["recorded_at"][:10]))
    if kind in ("outcome_recorded", "step_entered"):
        word = kind.partition("_")[0]
        known = {item["key"]: item["name"] for item in names.document.get(f"{word}s") or ()}
        return [(say(f"sample_{word}"), _named([body[word]], known)), day, recorded]
    if kind != "encounter_recorded":
        return []
    languages: Mapping[str, Mapping[str, str]] = {code: {g.lang: name} for code, name in LANGUAGES.items()}
    at = {"location": names.locations, "area": names.areas}
    several = {"topics": names.topics, "guided_to": names.services, "languages": languages}
    facts = [day, (say("sample_clock"), formats.clock(body["start"], g.lang) if body.get("start") else "")]
    facts += [(say(f"encounters_by_{name}"), _named([body.get(name)], known)) for name, known in at.items()]
    facts += [
        (say(f"met_{name}"), "" if body.get(name) is None else formats.number(body[name], g.lang))
        for name in ("people_new", "people_known", "women", "staff")
    ]
    facts += [(say(f"choice_{name}"), _named(body.get(name) or [], known)) for name, known in several.items()]
    return [(name, told or say("value_none")) for name, told in [*facts, recorded]]


def _named(codes: Sequence[str | None], known: Mapping[str, Mapping[str, str]]) -> str:
    return ", ".join(label_of(known.get(code, {}), g.lang, code).text for code in codes if code)


def _start(
    start: Mapping[str, Any], who: Mapping[str, str], names: ProgrammeNames, form: Form
) -> list[tuple[str, str]]:
    say, record = words(g.lang), start["record"]
    group = {item["key"]: item["name"] for item in names.document.get("target_groups") or []}
    facts = [
        (say("start_day"), talks.said_day(start["started_on"] or "")),
        (say("birth_date"), talks.said_day(who["birth_date"])),
        (say("target_group"), label_of(group.get(record.get("target_group"), {}), g.lang, "").text),
        *_proof(record, who["form_version"], who["form_kept"]),
        *(
            (in_language(q.name, g.lang, q.key)[0], answer_word(q.key, str(record[q.key]), g.lang))
            for q in form.questions
            if q.key in record
        ),
    ]
    tries = [_try(one) for one in start["attempts"] if one["record"] == "start"]
    return [*((name, said) for name, said in facts if said), *((say("tries"), said) for said in tries)]


def _exit(end: Mapping[str, Any], named: Mapping[str, Any]) -> list[tuple[str, str]]:
    say, ended = words(g.lang), end["ended"]
    reason = f"exit_{ended['reason']}"
    version, kept = (str(named.get(f"exit_{name}") or "") for name in ("form_version", "form_kept"))
    facts = [
        (say("exit_day"), talks.said_day(ended["date"])),
        (say("exit_reason"), say(reason) if reason in known_keys() else ""),
        *_proof(end["form"], version, kept),
    ]
    tries = [_try(one) for one in end["attempts"] if one["record"] == "exit"]
    return [*((name, said) for name, said in facts if said), *((say("tries"), said) for said in tries)]


def _proof(told: Mapping[str, Any], version: str, kept: str) -> list[tuple[str, str]]:
    """What proves a record: the form, or the entry in EURA."""
    say, language = words(g.lang), str(told.get("form_language") or "")
    helped, by = told.get("form_help"), told.get("eura_by")
    day = told.get("eura_on")
    entered = say("eura_entered", day=talks.said_day(day), who=say(f"eura_by_{by}")) if day and by else ""
    return [
        (say("form_version"), version),
        (say("form_language"), next((name for code, name in LANG_NAMES.items() if code == language), language)),
        (say("form_signed_on"), talks.said_day(str(told.get("form_signed_on") or ""))),
        (say("form_help"), say(f"form_help_{helped}") if helped in ("self", "with_help") else ""),
        (say("form_kept"), kept),
        (say("in_eura"), entered),
    ]


def _try(one: Mapping[str, str]) -> str:
    status = words(g.lang)(f"attempt_{one['status']}")
    return f"{formats.day(date.fromisoformat(one['date']), g.lang)}: {status}"
