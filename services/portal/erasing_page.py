"""Erasing what is recorded of somebody, for one purpose or all of it: what goes, what stays and why, then a second
step; and the receipt that the person is given (decision 0184)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import formats, talks
from services.portal.correcting_page import shown_identity
from services.portal.errors import EndingUnsure
from services.portal.labels import label_of
from services.portal.pages import LIST_ROLES, Pages
from services.portal.person_page import person_row
from services.portal.publicity import publicity
from services.portal.words import Lang, pick_lang, words
from services.portal.words_erasing import KINDS_ERASED
from shared.contracts.errors import ChangedMeanwhile, KeptByLaw, UnknownPerson
from shared.contracts.purposes import PURPOSES
from shared.programmes.purposes import Purpose, purposes

ERASERS = ("coordinator",)
"""Who may erase what somebody asks to have erased: whether the law wants it kept is the organisation's to weigh."""
EVERYTHING = "all"
SECONDS = 60.0


@dataclass
class ErasingPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/rights/<programme:key>/<entity:person>"
        self.pages.add(app, f"{rule}/erase", "erase", self.show, ERASERS)
        self.pages.add(app, f"{rule}/erase", "erase_now", self.erase, ERASERS, "POST")
        self.pages.add(app, "/erased/<programme:key>", "erased", self.gone, ERASERS)
        self.pages.add(app, f"{rule}/receipts", "receipts", self.receipts, LIST_ROLES)

    def show(self, key: str, person: str) -> ResponseReturnValue:
        return self._page(key, person, _what(request.args.get("what", EVERYTHING)))

    def erase(self, key: str, person: str) -> ResponseReturnValue:
        self.pages.programme(key)
        what = _what(request.form.get("what", ""))
        which = {} if what == EVERYTHING else {"purpose": what, "why": "asked"}
        if refused := erase_for_good(self.pages, key, person, **which):
            problem, status = refused
            return self._page(key, person, what, problem), status
        if what == EVERYTHING:
            return redirect(url_for("erased", key=key), 303)
        return redirect(url_for("rights", key=key, person=person, done="erased"), 303)

    def gone(self, key: str) -> ResponseReturnValue:
        """Somebody was erased: the page names nobody, for nothing is left that could."""
        names, say = self.pages.programme(key), words(g.lang)
        today = formats.day(talks.today(self.pages.context), g.lang)
        return self.pages.show(
            "erased.html",
            programme=key,
            title=label_of(names.name, g.lang, key),
            said=say("erased_all", day=today, node=self.pages.context.title),
            left=self._left(g.lang, lead=True),
            publicity=publicity(names.funding, names.logos, g.lang),
        )

    def receipts(self, key: str, person: str) -> ResponseReturnValue:
        """What has ended, who has cleared it away and who has not yet: to be shown to the person, in their language."""
        names = self.pages.programme(key)
        coded, who = shown_identity(self.pages, key, person)
        given = self.pages.context.rpc.call("intake", "list_receipts", programme=key, subject=person)
        spoken = (request.args.get("form"), coded["contact_language"], coded["service_language"], g.lang)
        lang = next(lang for code in spoken if (lang := pick_lang(code)))
        say, day = words(lang), formats.day(talks.today(self.pages.context), lang)
        name = " ".join(filter(None, (who.get("given_name"), who.get("family_name")))) or who.get("token")
        programme = label_of(names.name, lang, key).text
        g.lang = lang
        return self.pages.show(
            "receipts.html",
            title=say("receipts_of", name=name or ""),
            intro=say("receipts_intro", node=self.pages.context.title, programme=programme, day=day),
            endings=[_ending(ending, lang) for ending in given["endings"]],
            left=self._left(lang),
            publicity=publicity(names.funding, names.logos, lang),
        )

    def _left(self, lang: Lang, *, lead: bool = False) -> list[str]:
        """What is left of anything that is erased; `lead`: until the lead has answered that a person is."""
        files = self.pages.context.engine.dialect.name == "postgresql"
        parts = (*(("lead",) if lead else ()), "figures", "digests", "backups", *(("files",) if files else ()))
        return [words(lang)(f"left_{part}") for part in parts]

    def _page(self, key: str, person: str, what: str, problem: str = "") -> str:
        names, (row, name) = self.pages.programme(key), person_row(self.pages, key, person)
        say, context = words(g.lang), self.pages.context
        try:
            told = context.rpc.call("intake", "preview_erasing", programme=key, subject=person)
        except UnknownPerson:
            abort(404)
        rules, today = {rule.key: rule for rule in purposes(names.document)}, talks.today(context)
        parts = {part["purpose"]: part for part in told["purposes"]}
        chosen = [part for purpose, part in parts.items() if what in (purpose, EVERYTHING) and _is_held(part)]
        held_back = [rules[part["purpose"]] for part in chosen if rules[part["purpose"]].kept_by_law(today)]
        to_lead = sum(kind["to_lead"] for part in chosen for kind in part["kinds"])
        others = [purpose for purpose, part in parts.items() if purpose != what and _is_held(part)]
        return self.pages.show(
            "erase.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            person=person,
            name=name,
            what=what,
            heading=say("erase_all") if what == EVERYTHING else say(f"purpose_{what}"),
            restricted=bool(row.get("restricted")),
            no_day=[say(f"purpose_{rule.key}") for rule in _without_a_day(rules, chosen)],
            nothing=what != EVERYTHING and not chosen,
            going=[(say(f"purpose_{part['purpose']}"), _counted(part)) for part in chosen],
            kept=[_kept(rule, g.lang) for rule in held_back],
            instead=[one for one in others if what == EVERYTHING and not rules[one].kept_by_law(today)],
            stays=[say("stays_identity"), *(say(f"purpose_{one}") for one in others)] if what != EVERYTHING else [],
            basis="" if what == EVERYTHING else say(f"legal_{rules[what].basis}"),
            law="" if what == EVERYTHING else rules[what].law,
            left=self._left(g.lang, lead=what == EVERYTHING),
            to_lead=formats.number(to_lead, g.lang) if to_lead else "",
            seen=told["seen"],
            problems={"": say(problem)} if problem else {},
        )


def erase_for_good(pages: Pages, key: str, person: str, **which: str) -> tuple[str, int] | None:
    """Erase what the form that was sent confirms: one purpose (`which`: `purpose` and `why`), or everything.

    What is refused is the word of the problem and the page's status; None: it is done. Raises `EndingUnsure` where no
    answer came: the page that asks needs intake too, and must not offer again what may be done already.
    """
    seen = request.form.get("seen", "")
    if request.form.get("sure") != "1" or not talks.is_number(seen, 18):
        return "problem_erase_sure", 400
    asked = {"programme": key, "subject": person, "seen": int(seen), "by": g.session.user.name}
    method = "end_purpose" if which else "erase_person"
    try:
        pages.context.rpc.call("intake", method, timeout=SECONDS, **asked, **which)
    except ChangedMeanwhile:
        return "problem_erase_changed", 409
    except KeptByLaw:
        return "problem_erase_kept", 409
    except talks.UNSURE:
        raise EndingUnsure from None
    except UnknownPerson:
        abort(404)
    return None


def _what(text: str) -> str:
    return text if text in (*PURPOSES, EVERYTHING) else abort(404)


def _is_held(part: Mapping[str, Any]) -> bool:
    return bool(part["kinds"] or part["texts"] or part["record"])


def _without_a_day(rules: Mapping[str, Purpose], chosen: list[dict[str, Any]]) -> list[Purpose]:
    """What the law wants kept until a day that the programme file does not name: whoever erases must know it."""
    held = [rules[part["purpose"]] for part in chosen]
    return [rule for rule in held if rule.basis == "legal_obligation" and rule.keep_until is None]


def _counted(part: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What of a purpose is recorded, in words, with how many entries there are."""
    counts: dict[str, int] = {}
    for kind in part["kinds"]:
        word = next((word for start, word in KINDS_ERASED if kind["kind"].startswith(start)), "erases_other")
        counts[word] = counts.get(word, 0) + kind["lines"]
    if part["texts"]:
        counts["erases_texts"] = part["texts"]
    if part["record"]:
        counts.setdefault("erases_start", 1)
    say = words(g.lang)
    return [(say(word), formats.number(count, g.lang)) for word, count in counts.items()]


def _kept(rule: Purpose, lang: Lang) -> str:
    assert rule.keep_until is not None  # what has no day is not kept by law
    day, say = formats.day(rule.keep_until, lang), words(lang)
    return say("kept_by_law", purpose=say(f"purpose_{rule.key}"), day=day, law=rule.law)


def _ending(ending: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    say = words(lang)

    def given(receipt: Mapping[str, Any]) -> str:
        when = formats.moment(datetime.fromisoformat(receipt["received_at"]), lang)
        return f"{say('holder_' + receipt['holder'])}: {when}"

    day = formats.day(date.fromisoformat(ending["occurred_on"]), lang)
    return {
        "title": say(f"yours_{ending['purpose']}"),
        "said": say(f"ended_{ending['why']}", day=day),
        "given": [given(receipt) for receipt in ending["receipts"]],
        "waiting": [say(f"holder_{holder}") for holder in ending["waiting"]],
    }
