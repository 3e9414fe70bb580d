"""Leaving on one page: wishes, outcome, reason, results, next service or ready plan, the form, "may we call?"; and the
asking afterwards, where the project does it. No script."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import contacting, formats, talks
from services.portal.instruments import instrument_title
from services.portal.labels import Label, label_of
from services.portal.mistakes import outcomes_of, tries_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages, left_words
from services.portal.plan import plan_of
from services.portal.publicity import publicity
from services.portal.replies import ReplyKey
from services.portal.start_record import call, listed_languages, name_of
from services.portal.words import in_language, pick_lang, words
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    ChangedMeanwhile,
    InvalidInput,
    NeverTookPart,
    PolkuError,
    UnknownCode,
    UnknownPerson,
    unless_refused,
)
from shared.contracts.record_facts import EXITS, FOLLOW_UPS
from shared.contracts.start_facts import ATTEMPTS, MAY_CALL
from shared.forms import find_form
from shared.instruments import has_instrument
from shared.programmes.leaving import ELSEWHERE

_FIELDS = (
    *("date", "reason", "next", "planned", "outcome", "may_call", "form_signed_on", "form_language", "form_help"),
    *("form_version", "form_kept", "eura_on", "eura_by", "wishes", "wishes_ref", "was", "ended"),
)
_TEXT = "how_are_you"
"""What a message to somebody who has left says."""
_TEXTS = ("wishes", "form_kept")
_PROOF = ("form_signed_on", "form_language", "form_help", "eura_on", "eura_by")
_WHY = {
    **{"date": "problem_exit_date", "next": "problem_next", "planned": "problem_planned", "reason": "problem_choose"},
    **{"results": "problem_results", "form_signed_on": "problem_future", "eura_on": "problem_eura_entry"},
    **{
        "resumed_on": "problem_before_back",
        "eura_by": "problem_eura_by",
        "participant": "problem_no_start",
        "status": "problem_three_tries",
    },
}
_DONE = {
    **{"1": "saved", "try": "attempt_saved", "asked": "follow_up_saved"},
    **{"outcome": "saved_but_outcome", "no_outcome": "saved_without_outcome", "back": "came_back_saved"},
    "removed": "mistake_removed",
}


@dataclass
class ExitPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/exit/<programme:key>/<entity:person>"
        self.pages.add(app, rule, "exit_record", self.shown, LIST_ROLES)
        self.pages.add(app, rule, "save_exit_record", self.save, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/try", "exit_attempt", self.attempt, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/back", "come_back", self.back, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/asked", "follow_up", self.asked, LIST_ROLES, "POST")
        self.pages.add(app, "/followups/<programme:key>", "followups", self.due, LIST_ROLES)

    def shown(self, key: str, person: str) -> ResponseReturnValue:
        return self._show(self.pages.programme(key), person, done=_DONE.get(request.args.get("saved", ""), ""))

    def save(self, key: str, person: str) -> ResponseReturnValue:
        names, form = self.pages.programme(key), request.form
        filled = {name: talks.cleaned(form.get(name, "")) for name in _FIELDS}
        filled["key"] = talks.key_from(form.get("key", ""))
        results = tuple(dict.fromkeys(form.getlist("results")))
        problems = _problems(filled)
        if problems:
            return self._show(names, person, filled | {"key": talks.new_key()}, results, problems), 400
        try:
            self._leave(names, person, filled, results)
            said = self._outcome(names, person, filled)
        except ChangedMeanwhile:
            return self._show(names, person, typed=filled, problems={"": "problem_record_changed"}), 409
        except AlreadyRecordedDiffers:
            return self._show(names, person, typed=filled, problems={"": "problem_exit_differs"}), 409
        except (InvalidInput, UnknownCode) as error:
            name = str(error.params.get("field")).rpartition(".")[2]
            place = "date" if name == "resumed_on" else name  # the last day is before they came back
            wrong = {place if name in _WHY and name != "participant" else "": _WHY.get(name, "problem_answer")}
            return self._show(names, person, filled | {"key": talks.new_key()}, results, wrong), 400
        except talks.UNSURE:
            return self._show(names, person, filled, results, {"": "problem_unsure"}), 503
        except UnknownPerson:
            abort(404)
        return redirect(url_for("exit_record", key=key, person=person, saved=said), 303)

    def _leave(self, names: ProgrammeNames, person: str, filled: dict[str, str], results: tuple[str, ...]) -> None:
        """The exit and its form, both or neither; what the page showed of one that holds is corrected by it."""
        item: dict[str, Any] = {"key": talks.part_key(filled["key"], "exit"), "subject": person}
        item |= {name: filled[name] for name in ("date", "reason", "next", "planned") if filled[name]}
        item |= {"results": list(results) or None, "corrects": bool(filled["ended"])}
        given = {"programme": names.key, "by": g.session.user.name, "exit": item}
        typed = filled["wishes"] != self._wished(names, filled["wishes_ref"])
        texts = [filled["wishes"]] if typed and filled["wishes"] else []
        with talks.texts_kept(self.pages.context, names.key, person, filled["key"], texts) as refs:
            form = self._form(person, filled, next(iter(refs), "") if typed else filled["wishes_ref"])
            self.pages.context.rpc.call("intake", "record_leaving", **given, form=form)

    def _outcome(self, names: ProgrammeNames, person: str, filled: dict[str, str]) -> str:
        """What became of the person, in the project's own words; what `saved` is to say."""
        if not filled["outcome"]:
            return "1"
        item = {"key": talks.part_key(filled["key"], "outcome"), "subject": person, "outcome": filled["outcome"]}
        given = {"programme": names.key, "by": g.session.user.name, "items": [item | {"date": filled["date"]}]}
        try:
            unless_refused(*self.pages.context.rpc.call("pathways", "record_outcomes", **given)["results"])
        except talks.UNSURE:
            raise  # sent again with the same keys the exit is known
        except NeverTookPart:
            return "outcome"
        except PolkuError:  # the exit is saved: a page that said no more than why not the outcome would hide it
            return "no_outcome"
        return "1"

    def _form(self, person: str, filled: dict[str, str], ref: str) -> dict[str, Any]:
        item: dict[str, Any] = {"key": talks.part_key(filled["key"], "form"), "subject": person, "was": filled["was"]}
        item |= {name: filled[name] for name in _PROOF if filled[name]} | ({"wishes_ref": ref} if ref else {})
        item["may_call"] = filled["may_call"] or "not_asked"
        content = {name: filled[name] for name in ("form_version", "form_kept") if filled[name]}
        return item | {"sealed": talks.sealed(self.pages.context, content)}

    def _wished(self, names: ProgrammeNames, ref: str) -> str:
        if not ref:
            return ""
        return talks.read_texts(self.pages.context, names.key, [ref]).get(ref) or ""

    def attempt(self, key: str, person: str) -> ResponseReturnValue:
        names, form = self.pages.programme(key), request.form
        given = {"subject": person, "record": "exit", "status": form.get("status", ""), "date": form.get("date", "")}
        if given["status"] not in ATTEMPTS or talks.day_from(given["date"]) is None:
            return self._show(names, person, problems={"": "problem_day"}), 400
        return self._one(names, person, "record_attempts", given, "try")

    def asked(self, key: str, person: str) -> ResponseReturnValue:
        names, form = self.pages.programme(key), request.form
        given: dict[str, Any] = {"subject": person, "status": form.get("status", "")}
        given |= {name: form.get(name, "") for name in ("due", "date")}
        days = [talks.day_from(given[name]) for name in ("due", "date")]
        if given["status"] not in FOLLOW_UPS or None in days:
            return self._show(names, person, problems={"": "problem_day"}), 400
        results = list(dict.fromkeys(form.getlist("results")))
        return self._one(names, person, "record_follow_ups", given | {"results": results or None}, "asked")

    def _one(
        self, names: ProgrammeNames, person: str, method: str, given: dict[str, Any], saved: str
    ) -> ResponseReturnValue:
        try:
            call(self.pages, method, names.key, given | {"key": talks.key_from(request.form.get("key", ""))})
        except (InvalidInput, AlreadyRecordedDiffers) as error:
            why = (_WHY | {"date": "problem_try_day"}).get(str(error.params.get("field")), "problem_answer")
            return self._show(names, person, problems={"": why}), 400
        except talks.UNSURE:
            return self._show(names, person, problems={"": "problem_unsure"}), 503
        except UnknownPerson:
            abort(404)
        return redirect(url_for("exit_record", key=names.key, person=person, saved=saved), 303)

    def back(self, key: str, person: str) -> ResponseReturnValue:
        """Whoever had left is back: the start stays the first one, the exit will be the next one."""
        names, day = self.pages.programme(key), request.form.get("date", "")
        if talks.day_from(day) is None:
            return self._show(names, person, problems={"": "problem_day"}), 400
        given = {"programme": key, "subject": person, "date": day, "by": g.session.user.name}
        try:
            self.pages.context.rpc.call("intake", "resume_participation", **given)
        except InvalidInput as error:
            why = "problem_back" if error.params.get("field") == "date" else "problem_back_person"
            return self._show(names, person, problems={"": why}), 400
        except talks.UNSURE:
            return self._show(names, person, problems={"": "problem_unsure"}), 503
        except UnknownPerson:
            abort(404)
        return redirect(url_for("exit_record", key=key, person=person, saved="back"), 303)

    def due(self, key: str) -> ResponseReturnValue:
        """Who is to be asked how they fare."""
        names, context = self.pages.programme(key), self.pages.context
        page = {"limit": context.page_size, "offset": self.pages.offset()}
        found = context.rpc.call("intake", "list_follow_ups", programme=key, **page)
        who = [row["person"] for row in found["people"]]
        known = talks.people_at_hand(context, key, who, in_list=True) if who else {}
        contacts = contacting.read_contacts(context, key, who, _first_language(names))
        return self.pages.show(
            "followups.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            applies="followup" in names.document,
            rows=[
                (
                    *(row["person"], known[row["person"]].label, talks.said_day(row["due"]), row["tries"]),
                    contacting.links(contacts.get(row["person"]), _TEXT),
                )
                for row in found["people"]
                if row["person"] in known
            ],
            total=formats.number(found["total"], g.lang),
            pages=self.pages.paging(found["total"]),
        )

    def _show(
        self,
        names: ProgrammeNames,
        person: str,
        filled: dict[str, str] | None = None,
        results: tuple[str, ...] | None = None,
        problems: dict[str, str] | None = None,
        *,
        done: str = "",
        typed: dict[str, str] | None = None,
    ) -> str:
        """`typed`: what somebody had filled in beside what another has recorded meanwhile; its texts are kept."""
        say, form = words(g.lang), find_form(names.funding)
        shown, who = self._read(names, person)
        ended = shown["ended"] or {}
        plan = plan_of(self.pages, names.key, person) if _outcomes(names, plans=True) else None
        if filled is None:
            filled, results = self._recorded(names, shown, who, plan), tuple(ended.get("results") or ())
        recorded = filled["wishes"]
        filled = filled | {name: typed[name] for name in _TEXTS if typed[name]} if typed else filled
        here = names.document.get("esf_record", "here") == "here"
        follow = _follow_up(names, shown, self._today())
        return self.pages.show(
            "exit_record.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            person=person,
            name=name_of(who) or say("cannot_open"),
            filled=filled,
            results=results or (),
            done=say(done) if done else "",
            problems={name: say(problem) for name, problem in (problems or {}).items()},
            started=shown["started_on"],
            ended=ended,
            away=bool(ended or shown.get("away")) and ended.get("reason") != "died",
            left="" if ended else left_words({"end_reason": shown.get("away")}),
            wished=recorded if typed and recorded != filled["wishes"] else "",
            returned=talks.said_day(shown["resumed_on"]) if shown["resumed_on"] and not ended else "",
            returned_on=shown["resumed_on"],
            reasons=[(code, say(f"exit_{code}")) for code in EXITS if code in (*_reasons(names), ended.get("reason"))],
            results_offered=[(r.key, in_language(r.name, g.lang, r.key)[0]) for r in form.results]
            + [("none", say("result_none"))],
            nexts=_outcomes(names, plans=True),
            services=_outcomes(names, plans=False),
            outcomes=outcomes_of(self.pages, names, person),
            has_plan=any(item.get("is_plan") for item in names.document.get("outcomes") or []),
            plan=_ready(names, plan) if plan else "",
            needs_next=bool(names.document.get("exit_needs_next")),
            may_call=[(code, say(f"may_call_{code}")) for code in MAY_CALL],
            questionnaires=_questionnaires(names, ended.get("date")),
            versions=_versions(names, filled["form_version"]),
            languages=listed_languages(filled["form_language"]),
            here=here,
            eura=names.funding == "esf_plus_2021_2027" or not here,
            last_day=self._today().isoformat(),
            attempts=tries_of(shown, "exit"),
            tries=[(code, say(f"attempt_{code}")) for code in ATTEMPTS],
            follow=follow,
            links=self._links(names, person) if follow and follow["asks"] else [],
            asked=[
                (one["follow_up"], talks.said_day(one["date"]), say(f"follow_{one['status']}"))
                for one in shown["follow_ups"]
            ],
            statuses=[(code, say(f"follow_{code}")) for code in FOLLOW_UPS],
            new_key=talks.new_key,
            publicity=publicity(names.funding, names.logos, pick_lang(filled["form_language"]) or g.lang),
        )

    def _links(self, names: ProgrammeNames, person: str) -> list[contacting.Link]:
        """The ways to ask the person how they are; none of whom nobody may reach."""
        found = contacting.read_contacts(self.pages.context, names.key, [person], _first_language(names))
        return contacting.links(found.get(person), _TEXT)

    def _today(self) -> date:
        return talks.today(self.pages.context)

    def _read(self, names: ProgrammeNames, person: str) -> tuple[dict[str, Any], dict[str, str]]:
        reply = ReplyKey()
        given = {"programme": names.key, "subject": person, "reply_to": reply.public_hex, "by": g.session.user.name}
        try:
            shown = self.pages.context.rpc.call("intake", "show_exit", **given)
        except UnknownPerson:
            abort(404)
        plain = reply.open_plain(shown["sealed"])
        members = ("given_name", "family_name", "token", "form_version", "form_kept")
        return shown, {name: str(plain.get(name) or "") for name in members}

    def _recorded(
        self, names: ProgrammeNames, shown: dict[str, Any], who: dict[str, str], plan: dict[str, Any] | None
    ) -> dict[str, str]:
        """As it is recorded; of who has not left, what their ready plan says."""
        ended, form = shown["ended"] or {}, shown["form"]
        filled = {name: str(form.get(name) or "") for name in (*_PROOF, "may_call", "wishes_ref")}
        filled |= {name: str(ended.get(name) or "") for name in ("date", "reason", "next", "planned")}
        if not ended and plan and plan["ready_on"]:
            made = (item["key"] for item in names.document.get("outcomes") or [] if item.get("is_plan"))
            filled |= {"next": next(made, ""), "planned": plan["next"]}
        filled |= {"form_version": who["form_version"], "form_kept": who["form_kept"], "outcome": ""}
        filled["form_version"] = filled["form_version"] or _versions(names, "")[0][0]
        filled["form_language"] = filled["form_language"] or str(shown.get("service_language") or g.lang)
        filled["wishes"] = self._wished(names, filled["wishes_ref"])
        return filled | {"key": talks.new_key(), "was": shown["revision"], "ended": "1" if ended else ""}


def _problems(filled: dict[str, str]) -> dict[str, str]:
    """What is wrong before anything is sent, by field."""
    found: dict[str, str] = {}
    for name in ("date", "form_signed_on", "eura_on"):
        if (filled[name] or name == "date") and talks.day_from(filled[name]) is None:
            found[name] = "problem_day"
    if filled["reason"] not in EXITS:
        found["reason"] = "problem_choose"
    if talks.too_long(filled["wishes"]):
        found["wishes"] = "problem_long"
    for name, longest in (("form_kept", 200), ("form_version", 80)):
        if len(filled[name]) > longest or "\n" in filled[name]:
            found[name] = "problem_short"
    return found


def _reasons(names: ProgrammeNames) -> list[str]:
    """Why somebody may leave: to another partner only where the project has one."""
    alone = len(names.document["partners"]) < 2
    return [code for code in EXITS if not (alone and code == ELSEWHERE)]


def _ready(names: ProgrammeNames, plan: dict[str, Any]) -> str:
    """What the person's own plan says of what comes next, in words."""
    if plan["ready_on"] is None:
        return words(g.lang)("plan_open_hint")
    service = dict(_outcomes(names, plans=False)).get(plan["next"])
    return f"{words(g.lang)('plan_ready_hint')} ({service.text if service else plan['next']})"


def _outcomes(names: ProgrammeNames, *, plans: bool) -> list[tuple[str, Label]]:
    items = names.document.get("outcomes") or []
    found = [item for item in items if plans or not item.get("is_plan")]
    return [(item["key"], label_of(item["name"], g.lang, item["key"])) for item in found]


def _versions(names: ProgrammeNames, kept: str) -> list[tuple[str, Label]]:
    """The end forms that the project's file names, or the fund's; and what was written down, if it is another."""
    told = [item for item in names.document.get("forms") or [] if item.get("when") == "end"]
    found = [(item["key"], Label(f"{label_of(item['name'], g.lang, '').text} ({item['key']})", None)) for item in told]
    form = find_form(names.funding)
    found = found or [(form.key, label_of(form.name, g.lang, form.key))]
    return found if not kept or kept in dict(found) else [*found, (kept, Label(kept, None))]


def _questionnaires(names: ProgrammeNames, left: str | None) -> list[tuple[dict[str, str], Label, str]]:
    """Which questionnaires are asked on leaving, and by when."""
    say, found = words(g.lang), []
    for used in names.document.get("instruments") or []:
        if "exit" not in used.get("occasions", ["exit"]):
            continue
        days = [due["days"] for due in used.get("schedule") or [] if due["occasion"] == "exit"]
        due = date.fromisoformat(left) + timedelta(days=days[0]) if left and days else None
        which = {"instrument": used["key"], "version": used["version"], "occasion": "exit"}
        which = which if has_instrument(used["key"], used["version"]) else {}
        title = instrument_title(names.document, used["key"], used["version"], g.lang)
        found.append((which, title, say("by_day", day=formats.day(due, g.lang)) if due else ""))
    return found


def _first_language(names: ProgrammeNames) -> str:
    return str((names.document.get("languages") or ["fi"])[0])


def _follow_up(names: ProgrammeNames, shown: dict[str, Any], today: date) -> dict[str, Any] | None:
    """The asking afterwards; None where the project does not ask, or the person has not left."""
    after = (names.document.get("followup") or {}).get("after_days")
    if after is None or not shown["ended"]:
        return None
    due = date.fromisoformat(shown["ended"]["date"]) + timedelta(days=after)
    tries = [one for one in shown["follow_ups"] if one["date"] >= shown["ended"]["date"]]
    vain = sum(one["status"] == "not_reached" for one in tries)
    heard = any(one["status"] != "not_reached" for one in tries)
    state = "heard" if heard else "not_reached" if vain >= 3 else "not_due" if due > today else "open"
    silent = shown["form"].get("may_call") == "no"
    return {
        "due": due.isoformat(),
        "said_due": formats.day(due, g.lang),
        "state": state,
        "silent": silent,
        "asks": state in ("open", "not_reached") and not silent,
    }
