"""A person's own plan: the page to write it with them, and the copy that they take home. No script."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from services.portal import talks
from services.portal.labels import Label, label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.publicity import publicity
from services.portal.start_record import name_of, shown_start
from services.portal.words import pick_lang, words
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    ChangedMeanwhile,
    InvalidInput,
    UnknownCode,
    UnknownPerson,
    unless_refused,
)
from shared.contracts.plan_facts import DOERS, STATES

NEW_GOALS, NEW_ACTIONS = 2, 3
OUT = "out"
"""What the page's field says of an entry that is to be taken out of the plan."""
_NONE = "-"


@dataclass(frozen=True)
class Row:
    """An entry on the page; without `entry` it is not in the plan (yet)."""

    what: str
    entry: str = ""
    text_ref: str = ""
    barrier: str = ""
    state: str = "open"
    shown: bool = True
    who: str = ""
    day: str = ""
    solutions: tuple[str, ...] = ()
    text: str = ""

    def __repr__(self) -> str:
        return "Row(…)"  # never what somebody wishes in a log

    @property
    def is_(self) -> str:
        """What it is for good, as a hidden field carries it."""
        return " ".join(part or _NONE for part in (self.entry, self.what, self.text_ref, self.barrier))

    def item(self) -> dict[str, Any]:
        """As the command wants it."""
        plain = {"what": self.what, "state": self.state, "shown": self.shown, "solutions": list(self.solutions)}
        told = {"entry": self.entry, "text_ref": self.text_ref, "barrier": self.barrier, "who": self.who}
        return plain | {name: value or None for name, value in (told | {"day": self.day}).items()}


@dataclass(frozen=True)
class Filled:
    """The page as it is filled in, without texts that are in the vault."""

    key: str
    was: str
    strengths: tuple[str, ...]
    next: str
    ready: bool
    rows: tuple[Row, ...]
    goals: tuple[str, ...] = ("",) * NEW_GOALS
    actions: tuple[tuple[str, str, str], ...] = (("", "", ""),) * NEW_ACTIONS
    review_day: str = ""
    review_note: str = ""

    def __repr__(self) -> str:
        return "Filled(…)"

    @property
    def revision(self) -> int:
        """What the page had shown; a field that says no number is a page that has shown nothing."""
        return int(self.was) if re.fullmatch("[0-9]{1,9}", self.was) else 0

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any]) -> "Filled":
        rows = []
        for one in plan["entries"]:
            plain = {name: one[name] or "" for name in ("entry", "what", "text_ref", "barrier", "state", "who", "day")}
            rows.append(Row(shown=one["shown"], solutions=tuple(one["solutions"]), **plain))
        whole = tuple(plan["strengths"]), plan["next"] or "", plan["ready_on"] is not None
        return cls(talks.new_key(), str(plan["revision"]), *whole, tuple(rows))

    @classmethod
    def of_form(cls, form: MultiDict[str, str]) -> "Filled":
        rows = []
        for told in form.getlist("is"):
            parts = ["" if part == _NONE else part for part in told.split(" ")]
            if len(parts) == 4:
                rows.append(_from_form(form, Row(parts[1], parts[0], parts[2], parts[3])))
        new = [talks.cleaned(text) for text in form.getlist("new_action")]
        return cls(
            talks.key_from(form.get("key", "")),
            form.get("was", ""),
            tuple(dict.fromkeys(form.getlist("strengths"))),
            form.get("next", ""),
            form.get("ready") == "yes",
            tuple(row for row in rows if row.state != OUT),
            tuple(talks.cleaned(text) for text in form.getlist("new_goal"))[:NEW_GOALS],
            tuple(zip(new, form.getlist("new_who"), form.getlist("new_day"), strict=False))[:NEW_ACTIONS],
            form.get("review_day", "").strip(),
            talks.cleaned(form.get("review_note", "")),
        )

    def problems(self) -> dict[str, str]:
        """What is wrong before anything is sent, by field."""
        found: dict[str, str] = {}
        if self.ready and not self.next:
            found["next"] = "problem_plan_next"
        for place, (text, who, day) in enumerate(self.actions):
            if day and not text:
                found[f"new_action{place}"] = "problem_plan_action"
            if (day and talks.day_from(day) is None) or (who and who not in DOERS):
                found[f"new_action{place}"] = "problem_day"
        if any(row.day and talks.day_from(row.day) is None for row in self.rows):
            found[""] = "problem_day"
        if (self.review_day and talks.day_from(self.review_day) is None) or (self.review_note and not self.review_day):
            found["review_day"] = "problem_plan_review"
        texts = (*self.goals, *(text for text, _, _ in self.actions), self.review_note)
        if any(talks.too_long(text) for text in texts):
            found[""] = "problem_long"
        return found

    def refused(self, field: str) -> dict[str, str]:
        """What the service has refused, by field of the page; a review stands behind everything else."""
        before = len(self.rows) + len([*filter(None, self.goals), *(text for text, _, _ in self.actions if text)])
        if field == f"entries.{before}.day":
            return {"review_day": "problem_plan_review"}
        return {"": "problem_plan_day" if field.endswith(".day") else "problem_answer"}


def _from_form(form: MultiDict[str, str], row: Row) -> Row:
    """An entry with what the form says of it; a barrier by its key, for it may be new."""
    name = row.barrier or row.entry
    state, who = form.get(f"state:{name}", row.state), form.get(f"who:{name}", "")
    if row.barrier and row.barrier not in form.getlist("barrier"):
        state = OUT
    if row.what == "review":
        return replace(row, state="done", shown=False, day=form.get(f"day:{name}", ""))
    return replace(
        row,
        state=state if state in (*STATES, OUT) else "open",
        shown=form.get(f"shown:{name}") == "yes",
        who=who if who in DOERS else "",
        day=form.get(f"day:{name}", "").strip(),
        solutions=tuple(dict.fromkeys(form.getlist(f"solution:{name}"))),
    )


@dataclass
class PlanPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/plan/<programme:key>/<entity:person>"
        self.pages.add(app, rule, "plan", self.shown, LIST_ROLES)
        self.pages.add(app, rule, "save_plan", self.save, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/copy", "plan_copy", self.copy, LIST_ROLES)

    def shown(self, key: str, person: str) -> ResponseReturnValue:
        return self._show(self.pages.programme(key), person, saved=request.args.get("saved") == "1")

    def save(self, key: str, person: str) -> ResponseReturnValue:
        names, filled = self.pages.programme(key), Filled.of_form(request.form)
        if problems := filled.problems():
            return self._show(names, person, replace(filled, key=talks.new_key()), problems), 400
        try:
            self._record(names, person, filled)
        except (ChangedMeanwhile, AlreadyRecordedDiffers):
            return self._show(names, person, problems={"": "problem_record_changed"}), 409
        except (InvalidInput, UnknownCode) as error:
            wrong = filled.refused(str(error.params.get("field")))
            return self._show(names, person, replace(filled, key=talks.new_key()), wrong), 400
        except talks.UNSURE:
            return self._show(names, person, filled, {"": "problem_unsure"}), 503
        except UnknownPerson:
            abort(404)
        return redirect(url_for("plan", key=key, person=person, saved=1), 303)

    def _record(self, names: ProgrammeNames, person: str, filled: Filled) -> None:
        """First the texts, then the plan that names them; sent again with the same key both are known."""
        goals = [text for text in filled.goals if text]
        actions = [told for told in filled.actions if told[0]]
        texts = [*goals, *(text for text, _, _ in actions), *([filled.review_note] if filled.review_note else [])]
        refs = iter(talks.keep_texts(self.pages.context, names.key, person, filled.key, texts))
        rows = [*filled.rows, *(Row("goal", text_ref=next(refs)) for _ in goals)]
        rows += [Row("action", text_ref=next(refs), who=who, day=day) for _, who, day in actions]
        if filled.review_day:
            ref = next(refs) if filled.review_note else ""
            rows.append(Row("review", text_ref=ref, state="done", shown=False, day=filled.review_day))
        whole = {"strengths": list(filled.strengths), "next": filled.next or None, "ready": filled.ready}
        item = {"key": filled.key, "subject": person, "was": filled.revision, **whole}
        given = {"programme": names.key, "by": g.session.user.name}
        entries = [row.item() for row in rows]
        items = [item | {"entries": entries}]
        unless_refused(*self.pages.context.rpc.call("pathways", "record_plans", **given, items=items)["results"])

    def copy(self, key: str, person: str) -> ResponseReturnValue:
        """What the person may see, in their language, to be printed."""
        names = self.pages.programme(key)
        shown, who = shown_start(self.pages, key, person)
        plan = self._plan(names, person)
        told = (request.args.get("form"), shown["record"].get("service_language"))
        g.lang = next((lang for lang in map(pick_lang, told) if lang), g.lang)
        rows = [row for row in Filled.of_plan(plan).rows if row.shown and row.state != "given_up"]
        rows = self._with_texts(names, rows)
        by = {one: [row for row in rows if row.what == one] for one in ("goal", "action", "barrier")}
        say = words(g.lang)
        reviews = sorted(one["day"] for one in plan["entries"] if one["what"] == "review")
        return self.pages.show(
            "plan_copy.html",
            title=label_of(names.name, g.lang, key),
            name=name_of(who),
            strengths=[_named(names, "strengths", code) for code in plan["strengths"]],
            goals=by["goal"],
            actions=[
                (row, say(f"my_who_{row.who}") if row.who in DOERS else "", talks.said_day(row.day))
                for row in by["action"]
            ],
            barriers=[
                (_named(names, "barriers", row.barrier), [_named(names, "solutions", code) for code in row.solutions])
                for row in by["barrier"]
            ],
            next_=_named(names, "outcomes", plan["next"]) if plan["next"] else None,
            reviewed=talks.said_day(reviews[-1]) if reviews else "",
            publicity=publicity(names.funding, names.logos, g.lang),
        )

    def _plan(self, names: ProgrammeNames, person: str) -> dict[str, Any]:
        return plan_of(self.pages, names.key, person) or abort(404)

    def _with_texts(self, names: ProgrammeNames, rows: Iterable[Row]) -> list[Row]:
        found = list(rows)
        texts = talks.read_texts(self.pages.context, names.key, [row.text_ref for row in found if row.text_ref])
        gone = words(g.lang)("text_gone")
        return [replace(row, text=(texts.get(row.text_ref) or gone) if row.text_ref else "") for row in found]

    def _show(
        self,
        names: ProgrammeNames,
        person: str,
        filled: Filled | None = None,
        problems: Mapping[str, str] | None = None,
        *,
        saved: bool = False,
    ) -> str:
        say = words(g.lang)
        who = talks.people_at_hand(self.pages.context, names.key, [person]).get(person) or abort(404)
        plan = self._plan(names, person)
        filled = filled or Filled.of_plan(plan)
        rows = self._with_texts(names, filled.rows)
        barriers = {row.barrier: row for row in rows if row.what == "barrier"}
        return self.pages.show(
            "plan.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            person=who,
            filled=filled,
            saved=saved,
            problems={name: say(problem) for name, problem in (problems or {}).items()},
            strengths=_items(names, "strengths"),
            goals=[row for row in rows if row.what == "goal"],
            actions=[row for row in rows if row.what == "action"],
            barriers=[
                (
                    barriers.get(item["key"], Row("barrier", barrier=item["key"], shown=False)),
                    item["key"] in barriers,
                    label_of(item["name"], g.lang, item["key"]),
                    [(code, _named(names, "solutions", code)) for code in item.get("solutions", ())],
                )
                for item in names.document.get("barriers") or []
            ],
            reviews=[(row, talks.said_day(row.day)) for row in rows if row.what == "review"],
            services=[(code, label) for code, label in _items(names, "outcomes") if not _is_plan(names, code)],
            ready_on=talks.said_day(plan["ready_on"]) if plan["ready_on"] else "",
            doers=[(code, say(f"plan_who_{code}")) for code in DOERS],
            states=[(code, say(f"plan_state_{code}")) for code in (*STATES, OUT)],
            barrier_states=[(code, say(f"plan_state_{code}")) for code in STATES],
            today=talks.today(self.pages.context).isoformat(),
        )


def plan_of(pages: Pages, programme: str, person: str) -> dict[str, Any] | None:
    """A person's plan, in codes; None for somebody whom pathways does not know."""
    try:
        plan = pages.context.rpc.call("pathways", "show_plan", programme=programme, subject=person)
    except UnknownPerson:
        return None
    return dict(plan)


def _items(names: ProgrammeNames, part: str) -> list[tuple[str, Label]]:
    return [(item["key"], label_of(item["name"], g.lang, item["key"])) for item in names.document.get(part) or []]


def _named(names: ProgrammeNames, part: str, code: str) -> Label:
    return dict(_items(names, part)).get(code, Label(code, None))


def _is_plan(names: ProgrammeNames, code: str) -> bool:
    return any(item["key"] == code and item.get("is_plan") for item in names.document.get("outcomes") or [])
