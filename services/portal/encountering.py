"""Outreach, written down in under a minute: when, where, how many, what about, guided where; nicknames at most."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import formats, talks
from services.portal.labels import figure, label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.words import words
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    ChangedMeanwhile,
    InvalidInput,
    NotFound,
    PolkuError,
    UnknownCode,
    unless_refused,
)
from shared.ops.clock import HELSINKI

COUNTS = ("people_new", "people_known", "women", "staff")
MOST = {"people_new": 100_000, "people_known": 100_000, "women": 200_000, "staff": 1000}
SEVERAL = ("languages", "topics", "guided_to")
LANGUAGES: Mapping[str, str] = {
    **{"fi": "suomi", "sv": "svenska", "en": "English", "ru": "русский", "ar": "العربية", "so": "Soomaali"},
    **{"fa": "فارسی", "uk": "українська", "et": "eesti"},
}
"""Languages that are offered, each by its own name; others come by import."""
MOST_TOKENS = 50
MOST_NAMED = 20
"""So many people who were left out are named."""
_SUBJECT = re.compile(r"[0-9a-f]{32}")
TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True)
class Filled:
    """The form as it was filled in, everything as text."""

    key: str
    date: str
    start: str = ""
    location: str = ""
    area: str = ""
    people_new: str = ""
    people_known: str = ""
    women: str = ""
    staff: str = ""
    languages: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    guided_to: tuple[str, ...] = ()
    tokens: str = ""

    def __repr__(self) -> str:
        return "Filled(…)"  # never a nickname in a log

    @property
    def nicknames(self) -> list[str]:
        """The nicknames typed, parted by commas, semicolons or lines."""
        return [token for part in re.split(r"[,;\n]", self.tokens) if (token := talks.cleaned(part))]

    def content(self) -> dict[str, Any]:
        """What is sent, without the nicknames; what was left blank is not recorded."""
        told: dict[str, Any] = {"date": self.date} | {name: list(getattr(self, name)) for name in SEVERAL}
        told |= {name: getattr(self, name) or None for name in ("start", "location", "area")}
        return told | {name: int(text) if (text := getattr(self, name)) else None for name in COUNTS}


@dataclass
class EncounterPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/encounters/<programme:key>"
        one = f"{rule}/<entity:encounter>"
        self.pages.add(app, rule, "encounters", self.listed, LIST_ROLES)
        self.pages.add(app, rule, "record_encounter", self.record, LIST_ROLES, "POST")
        self.pages.add(app, one, "encounter", self.one, LIST_ROLES)
        self.pages.add(app, one, "correct_encounter", self.correct, LIST_ROLES, "POST")
        self.pages.add(app, f"{one}/remove", "remove_encounter", self.remove, LIST_ROLES, "POST")

    def listed(self, key: str) -> ResponseReturnValue:
        names = self.pages.programme(key)
        today = talks.days(self.pages.context, names)[1].isoformat()
        now = self.pages.context.now().astimezone(HELSINKI)
        filled, left = Filled(talks.new_key(), today, f"{now:%H:%M}"), request.args.getlist("left")[:MOST_NAMED]
        left = [one for one in left if _SUBJECT.fullmatch(one)]
        people = talks.people_at_hand(self.pages.context, key, left, in_list=True) if left else {}
        done = request.args.get("done", "")
        return self._show(names, filled, left_out=talks.left_out(people.values()), done=done)

    def record(self, key: str) -> ResponseReturnValue:
        names = self.pages.programme(key)
        filled = _filled(talks.key_from(request.form.get("key", "")))
        if problems := self._problems(names, filled):
            return self._show(names, filled, problems), 400
        try:
            answer = self._call("record_encounters", key, items=[{"key": filled.key, **self._content(filled)}])
            unless_refused(*answer["results"])
        except talks.UNSURE:
            return self._show(names, filled, {"": "problem_unsure"}), 503
        except AlreadyRecordedDiffers:
            return self._show(names, filled, {"": "problem_saved_already"}), 409
        except (InvalidInput, UnknownCode) as error:
            return self._show(names, replace(filled, key=talks.new_key()), _refused(error)), 400
        return redirect(url_for("encounters", key=key, done="encounter_saved"), 303)

    def one(self, key: str, encounter: str) -> ResponseReturnValue:
        row = self._row(key, encounter)
        return self._show(self.pages.programme(key), _of(row), at=row)

    def correct(self, key: str, encounter: str) -> ResponseReturnValue:
        names, row = self.pages.programme(key), self._row(key, encounter)
        filled, revision = _filled(""), request.form.get("revision", "")
        if not talks.is_number(revision, 9):
            abort(400)
        if problems := self._problems(names, filled):
            return self._show(names, filled, problems, at=row), 400
        at = {"encounter": encounter, "revision": int(revision)}
        try:
            left = self._call("correct_encounter", key, content=self._content(filled), **at)["left"]
        except talks.UNSURE:
            return self._show(names, filled, {"": "problem_unsure"}, at=row), 503
        except ChangedMeanwhile:
            return self._show(names, _of(row), {"": "problem_encounter_changed"}, at=row), 409
        except (InvalidInput, UnknownCode) as error:
            return self._show(names, filled, _refused(error), at=row), 400
        return redirect(url_for("encounters", key=key, done="encounter_saved", left=left[:MOST_NAMED]), 303)

    def remove(self, key: str, encounter: str) -> ResponseReturnValue:
        names, revision = self.pages.programme(key), request.form.get("revision", "")
        if not talks.is_number(revision, 9):
            abort(400)
        try:
            left = self._call("remove_encounter", key, encounter=encounter, revision=int(revision))["left"]
        except ChangedMeanwhile:
            row = self._row(key, encounter)
            return self._show(names, _of(row), {"": "problem_encounter_changed"}, at=row), 409
        return redirect(url_for("encounters", key=key, done="encounter_removed", left=left[:MOST_NAMED]), 303)

    def _call(self, method: str, programme: str, **told: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.pages.context.rpc.call(
            "intake", method, programme=programme, by=g.session.user.name, **told
        )
        return answer

    def _content(self, filled: Filled) -> dict[str, Any]:
        nicknames = list(dict.fromkeys(filled.nicknames))
        sealed = talks.sealed(self.pages.context, {"tokens": nicknames}) if nicknames else None
        return filled.content() | {"sealed": sealed}

    def _row(self, key: str, encounter: str) -> dict[str, Any]:
        self.pages.programme(key)
        try:
            found = self.pages.context.rpc.call("intake", "list_encounters", programme=key, encounter=encounter)
        except NotFound:
            abort(404)
        return dict(found["encounters"][0]) if found["encounters"] else abort(404)

    def _problems(self, names: ProgrammeNames, filled: Filled) -> dict[str, str]:
        problems, (start, end) = {}, talks.days(self.pages.context, names)
        day = talks.day_from(filled.date)
        if day is None:
            problems["date"] = "problem_day"
        elif not start <= day <= end:
            problems["date"] = "problem_day_outside"
        if filled.start and not TIME.fullmatch(filled.start):
            problems["start"] = "problem_time"
        for name in COUNTS:
            text = getattr(filled, name)
            if text and not is_count(text, MOST[name]):
                problems[name] = "problem_count"
        for name, known in (("location", names.locations), ("area", names.areas)):
            if getattr(filled, name) and getattr(filled, name) not in known:
                problems[name] = "problem_choose"
        for name, offered in _offered(names).items():
            if set(getattr(filled, name)) - set(offered):
                problems[name] = "problem_choose"
        if len(filled.nicknames) > MOST_TOKENS or any(len(token) > 80 for token in filled.nicknames):
            problems["tokens"] = "problem_token"
        if not problems and _too_many_women(*(filled.content()[name] for name in COUNTS[:3])):
            problems["women"] = "problem_women"
        return problems

    def _show(
        self,
        names: ProgrammeNames,
        filled: Filled,
        problems: Mapping[str, str] | None = None,
        *,
        at: Mapping[str, Any] | None = None,
        left_out: Mapping[str, str] | None = None,
        done: str = "",
    ) -> str:
        say, (start, end) = words(g.lang), talks.days(self.pages.context, names)
        found: dict[str, Any] = {"encounters": [], "total": 0}
        if at is None:
            page = {"limit": self.pages.context.page_size, "offset": self.pages.offset()}
            found = self._listed(names.key, page)
        return self.pages.show(
            "encounters.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            filled=filled,
            at=at,
            done=say(done) if done in ("encounter_saved", "encounter_removed") else "",
            problems={name: say(problem) for name, problem in (problems or {}).items()} | dict(left_out or {}),
            choices=[
                (name, [(code, _label(shown, code)) for code in shown])
                for name, shown in _offered(names).items()
                if shown
            ],
            places=[
                (name, [(code, _label(known, code)) for code in known])
                for name, known in (("location", names.locations), ("area", names.areas))
                if known
            ],
            counts=COUNTS,
            most=MOST,
            days=(start.isoformat(), end.isoformat()),
            rows=[_shown(row, names) for row in found["encounters"]],
            total=formats.number(found["total"], g.lang),
            pages=self.pages.paging(found["total"]),
        )

    def _listed(self, key: str, page: Mapping[str, int]) -> dict[str, Any]:
        """Where the service has just not answered the form is shown all the same."""
        try:
            return dict(self.pages.context.rpc.call("intake", "list_encounters", programme=key, **page))
        except talks.UNSURE:
            return {"encounters": [], "total": 0}


def is_count(text: str, most: int) -> bool:
    """Whether what was typed is a number of people."""
    return talks.is_number(text, 6) and int(text) <= most


def _too_many_women(new: int | None, known: int | None, women: int | None) -> bool:
    """As intake will see it: where only one of the two was written down, there may have been more people."""
    if women is None:
        return False
    return (new is None and known is None) or (new is not None and known is not None and women > new + known)


def _offered(names: ProgrammeNames) -> dict[str, Mapping[str, Any]]:
    """What can be ticked, with names."""
    languages = {code: {g.lang: name} for code, name in LANGUAGES.items()}
    return {"topics": names.topics, "guided_to": names.services, "languages": languages}


def _label(known: Mapping[str, Mapping[str, str]], code: str) -> Any:
    return label_of(known[code], g.lang, code)


def _filled(key: str) -> Filled:
    form = request.form
    names = [name for name in asdict(Filled("", "")) if name not in ("key", "tokens", *SEVERAL)]
    told: dict[str, Any] = {name: form.get(name, "").strip() for name in names}
    told |= {name: tuple(dict.fromkeys(form.getlist(name))) for name in SEVERAL}
    return Filled(key, **told, tokens=form.get("tokens", ""))


def _of(row: Mapping[str, Any]) -> Filled:
    """The form of what is recorded; nicknames are not shown again."""
    told: dict[str, Any] = {name: "" if row[name] is None else str(row[name]) for name in COUNTS}
    told |= {name: row[name] or "" for name in ("start", "location", "area")}
    return Filled("", row["date"], **told | {name: tuple(row[name]) for name in SEVERAL})


def _refused(error: PolkuError) -> dict[str, str]:
    if error.params.get("field") == "token":
        return {"tokens": "problem_token_several"}
    if error.params.get("field") == "sealed.tokens":
        return {"tokens": "problem_token_new"}
    return {"": "problem_encounter"}


def _shown(row: Mapping[str, Any], names: ProgrammeNames) -> dict[str, Any]:
    place = row["location"] or row["area"]
    known: Mapping[str, Any] = names.locations if row["location"] else names.areas
    counts: Sequence[str] = ("people_new", "people_known", "women")
    return {
        "encounter": row["encounter"],
        "day": talks.said_day(row["date"]),
        "start": formats.clock(row["start"], g.lang) if row["start"] else "",
        "place": label_of(known.get(place, {}), g.lang, place) if place else None,
        "visitors": figure(row["visitors"], g.lang),
        **{name: figure(row[name], g.lang) for name in counts},
    }
