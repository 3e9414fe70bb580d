"""The conversation: the form, and the page that shows what was saved. One page, no script, made for a phone."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from services.portal import formats, sight, talks
from services.portal.labels import Label, label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.talks import Person
from services.portal.words import words
from shared.contracts.catalogue import HOWS
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    InvalidInput,
    StandingTooLow,
    UnknownCode,
    UnknownPerson,
    UnknownSession,
    unless_refused,
)
from shared.contracts.talks import LONGEST_CONVERSATION
from shared.ops.clock import iso_day

_TIME = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")
USUAL_MINUTES = "45"
ACTIONS = 3
RECENT = 6
CHOICES = 12
"""So many people are offered at most where a name fits several."""


@dataclass(frozen=True)
class Filled:
    """The form as it was filled in, word for word; what a refused form shows again."""

    key: str
    person: str = ""
    who: str = ""
    activity: str = ""
    date: str = ""
    minutes: str = USUAL_MINUTES
    how: str = "meeting"
    topics: tuple[str, ...] = ()
    note: str = ""
    actions: tuple[tuple[str, str], ...] = (("", ""),) * ACTIONS
    next_on: str = ""
    next_start: str = ""
    corrects: str = ""

    def __repr__(self) -> str:
        return "Filled(…)"  # never a note in a log

    @classmethod
    def of(cls, form: MultiDict[str, str]) -> "Filled":
        plain = {n: form.get(n, "").strip() for n in ("person", "activity", "date", "minutes", "how", "corrects")}
        return cls(
            key=talks.key_from(form.get("key", "")),
            **plain,
            who=talks.cleaned(form.get("who", ""))[:200],
            topics=tuple(dict.fromkeys(form.getlist("topic"))),
            note=talks.cleaned(form.get("note", "")),
            actions=tuple(
                (talks.cleaned(form.get(f"action{n}", "")), form.get(f"due{n}", "").strip()) for n in range(ACTIONS)
            ),
            next_on=form.get("next_on", "").strip(),
            next_start=form.get("next_start", "").strip(),
        )


@dataclass
class Reading:
    """A filled form being understood: what it says, and what is wrong by field."""

    filled: Filled
    names: ProgrammeNames
    people: Mapping[str, Person]
    span: tuple[date, date]
    problems: dict[str, str] = field(default_factory=dict)
    choices: list[Person] = field(default_factory=list)

    def item(self) -> dict[str, Any]:
        """The coded part of the command; whole only if there are no problems."""
        filled = self.filled
        held = self._day("date", filled.date, required=True)
        if held and not self.span[0] <= held <= self.span[1]:
            self.problems["date"] = "problem_day_outside"
        actions = []
        for place, (text, due) in enumerate(filled.actions):
            due_on = self._later(f"due{place}", due, held)
            if talks.too_long(text):
                self.problems[f"action{place}"] = "problem_long"
            if text:
                actions.append({"due_on": iso_day(due_on)})
            elif due:
                self.problems[f"action{place}"] = "problem_action_blank"
        if talks.too_long(filled.note):
            self.problems["note"] = "problem_long"
        meets = self._later("next_on", filled.next_on, held)
        if filled.next_start and not filled.next_on:
            self.problems["next_on"] = "problem_next_day"
        if filled.next_start and not _TIME.fullmatch(filled.next_start):
            self.problems["next_start"] = "problem_time"
        return {
            "key": filled.key,
            "activity": self._one_of("activity", filled.activity, [a.key for a in individual(self.names)]),
            "subject": self._subject(),
            "date": filled.date,
            "minutes": self._minutes(),
            "how": self._one_of("how", filled.how, HOWS),
            "topics": [topic for topic in filled.topics if topic in self.names.topics],
            "actions": actions,
            "next_meeting": {"on": meets.isoformat(), "start": filled.next_start or None} if meets else None,
            "replaces": filled.corrects or None,
        }

    def _subject(self) -> str:
        """The one person meant. A name that was typed and a person that was picked must be the same."""
        filled = self.filled
        found = talks.matching(self.people.values(), filled.who) if filled.who else []
        picked = self.people.get(filled.person)
        if picked is not None and (not filled.who or found == [picked]):
            return picked.subject
        if len(found) == 1 and picked is None:
            return found[0].subject
        self.choices = list(dict.fromkeys(found + ([picked] if picked else [])))[:CHOICES]
        unknown = filled.who and not found
        self.problems["who"] = "problem_nobody" if unknown else "problem_which" if found else "problem_who"
        return ""

    def _day(self, name: str, text: str, *, required: bool = False) -> date | None:
        day = talks.day_from(text)
        if day is None and (text or required):
            self.problems[name] = "problem_day"
        return day

    def _later(self, name: str, text: str, held: date | None) -> date | None:
        day = self._day(name, text)
        if day and held and day < held:
            self.problems[name] = "problem_before"
        return day

    def _minutes(self) -> int:
        minutes = talks.number_from(self.filled.minutes, LONGEST_CONVERSATION)
        if minutes is None:
            self.problems["minutes"] = "problem_minutes"
        return minutes or 0

    def _one_of(self, name: str, value: str, known: Sequence[str]) -> str:
        if value not in known:
            self.problems[name] = "problem_choose"
        return value


def individual(names: ProgrammeNames) -> list[Any]:
    """The activities that are talks with one person."""
    return [offered for offered in names.offered if offered.kind == "individual" and offered.counts == "people"]


@dataclass
class ConversationPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/conversation/<programme:key>"
        add = self.pages.add
        add(app, rule, "conversation", self.form, LIST_ROLES)
        add(app, rule, "save_conversation", self.save, LIST_ROLES, "POST")
        add(app, f"{rule}/<entity:session>", "conversation_held", self.held, LIST_ROLES)
        add(app, f"{rule}/<entity:session>/remove", "remove_conversation", self.remove, LIST_ROLES, "POST")

    def form(self, key: str) -> ResponseReturnValue:
        names = self.pages.programme(key)
        people = talks.people_at_hand(self.pages.context, key)
        filled = Filled(key=talks.new_key(), date=talks.days(self.pages.context, names)[1].isoformat())
        offered = individual(names)
        if offered:
            filled = replace(filled, activity=offered[0].key)
        if (person := request.args.get("person", "")) in people:
            filled = replace(filled, person=person)
        if corrects := request.args.get("corrects", ""):
            filled = self._recorded(key, corrects)
        return self._show(names, people, filled, removed=request.args.get("removed") == "1")

    def save(self, key: str) -> ResponseReturnValue:
        names, context = self.pages.programme(key), self.pages.context
        people = talks.people_at_hand(context, key)
        filled = Filled.of(request.form)
        reading = Reading(filled, names, people, talks.days(context, names))
        item = reading.item()
        if reading.problems:
            # Nothing was sent, so whatever is changed now is another form: it gets another key.
            fresh = replace(filled, key=talks.new_key())
            return self._show(names, people, fresh, reading.problems, reading.choices), 400
        if filled.corrects:
            self._refuse_anothers(key, filled.corrects)
        try:
            session = self._record(key, filled, item)
        except talks.UNSURE:
            return self._show(names, people, filled, {"": "problem_unsure"}), 503
        except AlreadyRecordedDiffers:
            return self._show(names, people, filled, {"": "problem_saved_already"}), 409
        except UnknownSession:
            return self._show(names, people, filled, {"": "problem_corrected_already"}), 409
        except StandingTooLow:
            return self._show(names, people, filled, {"": "problem_standing"}), 400
        except (InvalidInput, UnknownCode, UnknownPerson):
            fresh = replace(filled, key=talks.new_key(), person=item["subject"])
            return self._show(names, people, fresh, {"": "problem_refused"}), 400
        return redirect(url_for("conversation_held", key=key, session=session, saved=1), 303)

    def _record(self, key: str, filled: Filled, item: dict[str, Any]) -> str:
        """First the texts, then the conversation that names them; sent again with the same key both are known."""
        context, actions = self.pages.context, item.pop("actions")
        texts = [filled.note] if filled.note else []
        texts += [text for text, _ in filled.actions if text]
        with talks.texts_kept(context, key, item["subject"], filled.key, texts) as refs:
            if filled.note:
                item["text_ref"] = refs.pop(0)
            item["actions"] = [action | {"text_ref": ref} for action, ref in zip(actions, refs, strict=True)]
            common = {"programme": key, "by": g.session.user.name}
            answer = context.rpc.call("activities", "record_conversation", **common, items=[item])
            session: str = unless_refused(*answer["results"])["session"]
        return session

    def held(self, key: str, session: str) -> ResponseReturnValue:
        names, context = self.pages.programme(key), self.pages.context
        talk = self._talk(key, session)
        people = talks.people_at_hand(context, key, only=[talk["subject"]])
        texts = talks.read_texts(context, key, _refs(talk))
        return self.pages.show(
            "conversation_held.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            session=session,
            saved=request.args.get("saved") == "1",
            person=people.get(talk["subject"]),
            facts=self._facts(talk),
            topics=[label_of(names.topics.get(topic, {}), g.lang, topic) for topic in talk["topics"]],
            noted=bool(talk["text_ref"]),
            note=texts.get(talk["text_ref"] or ""),
            actions=[(texts.get(action["text_ref"]), _said(action["due_on"])) for action in talk["actions"]],
        )

    def remove(self, key: str, session: str) -> ResponseReturnValue:
        self.pages.programme(key)
        self._refuse_anothers(key, session)
        common = {"programme": key, "by": g.session.user.name}
        self.pages.context.rpc.call("activities", "remove_conversation", **common, session=session)
        return redirect(url_for("conversation", key=key, removed=1), 303)

    def _refuse_anothers(self, key: str, session: str) -> None:
        """Raise `OthersPerson` if it is about whom the user may not see. One that is gone may be so by this request."""
        if g.get("own_only"):
            with contextlib.suppress(NotFound):
                self._talk(key, session)

    def _talk(self, key: str, session: str) -> dict[str, Any]:
        try:
            talk = self.pages.context.rpc.call("activities", "show_conversation", programme=key, session=session)
        except UnknownSession:
            abort(404)
        sight.check(self.pages.context.rpc, key, talk["subject"])
        return dict(talk)

    def _recorded(self, key: str, session: str) -> Filled:
        """A recorded conversation as a form that will correct it."""
        if not _is_entity(session):
            abort(404)
        talk = self._talk(key, session)
        texts = talks.read_texts(self.pages.context, key, _refs(talk))
        actions = [(texts.get(a["text_ref"]) or "", a["due_on"] or "") for a in talk["actions"]][:ACTIONS]
        meeting = talk["next_meeting"] or {}
        return Filled(
            key=talks.new_key(),
            person=talk["subject"],
            activity=talk["activity"],
            date=talk["date"],
            minutes=str(talk["minutes"]),
            how=talk["how"],
            topics=tuple(talk["topics"]),
            note=texts.get(talk["text_ref"] or "") or "",
            actions=(*actions, *[("", "")] * (ACTIONS - len(actions))),
            next_on=meeting.get("on") or "",
            next_start=meeting.get("start") or "",
            corrects=session,
        )

    def _facts(self, talk: Mapping[str, Any]) -> list[tuple[str, str]]:
        say, meeting = words(g.lang), talk["next_meeting"]
        facts = [
            (say("date"), _said(talk["date"])),
            (say("minutes"), formats.number(talk["minutes"], g.lang)),
            (say("how"), say(f"how_{talk['how']}") if talk["how"] in HOWS else talk["how"]),
        ]
        if meeting:
            start = f" {formats.clock(meeting['start'], g.lang, label=True)}" if meeting["start"] else ""
            facts.append((say("next_meeting"), _said(meeting["on"]) + start))
        return facts

    def _show(
        self,
        names: ProgrammeNames,
        people: Mapping[str, Person],
        filled: Filled,
        problems: Mapping[str, str] | None = None,
        choices: Sequence[Person] = (),
        *,
        removed: bool = False,
    ) -> str:
        say, (start, end) = words(g.lang), talks.days(self.pages.context, names)
        offered = individual(names)
        day = filled.date if talks.day_from(filled.date) else end.isoformat()
        refused = "problem_refused" in (problems or {}).values()
        died = talks.had_died((people[s] for s in {filled.person} & {*people}), day) if refused else {}
        people = {s: one for s, one in people.items() if s == filled.person or one.was_there(day)}
        return self.pages.show(
            "conversation.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            filled=filled,
            removed=removed,
            problems={name: say(problem) for name, problem in (problems or {}).items()} | died,
            people=list(people.values()),
            quick=list(choices) or self._quick(names.key, people, filled.person),
            activities=[(a.key, self._label(names.activities, a.key)) for a in offered],
            hows=[(how, say(f"how_{how}")) for how in HOWS],
            topics=[(topic, self._label(names.topics, topic)) for topic in names.topics],
            days=(start.isoformat(), end.isoformat()),
            longest=LONGEST_CONVERSATION,
            opened=sum(1 for text, due in filled.actions if text or due),
        )

    def _quick(self, key: str, people: Mapping[str, Person], picked: str) -> list[Person]:
        """Who can be picked by one tap: those talked with last; whoever is picked already is among them."""
        try:
            last = self.pages.context.rpc.call("activities", "recent_people", programme=key, limit=RECENT)
        except talks.UNSURE:
            last = []  # the form, and what was typed into it, is shown all the same
        subjects = dict.fromkeys(([picked] if picked else []) + last)
        return [people[subject] for subject in subjects if subject in people]

    def _label(self, named: Mapping[str, Mapping[str, str]], code: str) -> Label:
        return label_of(named.get(code, {}), g.lang, code)


def _refs(talk: Mapping[str, Any]) -> list[str]:
    refs = [talk["text_ref"], *(action["text_ref"] for action in talk["actions"])]
    return [ref for ref in refs if ref]


def _said(day: str | None) -> str:
    return talks.said_day(day) if day else ""


def _is_entity(text: str) -> bool:
    return len(text) == 32 and not text.strip("0123456789abcdef")
