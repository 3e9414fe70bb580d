"""Lists for the evidence of start and exit records: what is missing; whose data are not in EURA; the card for it."""

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

import segno
from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from services.portal import formats, talks
from services.portal.labels import label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.publicity import publicity
from services.portal.start_record import call, field_word
from services.portal.words import pick_lang, words
from shared.contracts.errors import AlreadyRecordedDiffers, InvalidInput, UnknownPerson
from shared.contracts.start_facts import ENTERED_BY, RECORDS
from shared.forms import Form, find_form

EURA = "https://eura2021.fi/osallistuja"
"""Where participants of ESF+ enter their own data (reference 2.3)."""
ESF_PLUS = "esf_plus_2021_2027"


@dataclass
class EvidencePages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/eura/<programme:key>"
        self.pages.add(app, "/evidence/<programme:key>", "evidence", self.missing, LIST_ROLES)
        self.pages.add(app, rule, "eura", self.worklist, LIST_ROLES)
        self.pages.add(app, f"{rule}/card", "eura_card", self.card, LIST_ROLES)
        self.pages.add(app, f"{rule}/<entity:person>", "note_eura", self.note, LIST_ROLES, "POST")

    def missing(self, key: str) -> ResponseReturnValue:
        names, context = self.pages.programme(key), self.pages.context
        page = {"limit": context.page_size, "offset": self.pages.offset()}
        found = context.rpc.call("intake", "list_missing_evidence", programme=key, **page)
        form = find_form(names.funding)
        return self.pages.show(
            "evidence.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            rows=[
                (
                    row["person"],
                    name,
                    [field_word(form, what) for what in row["missing"]],
                    _tries(row),
                    _notes(row, form),
                )
                for row, name in self._named(key, found["people"])
            ],
            total=formats.number(found["total"], g.lang),
            eura=names.funding == ESF_PLUS,
            follow_up="followup" in names.document,
            pages=self.pages.paging(found["total"]),
        )

    def worklist(self, key: str) -> ResponseReturnValue:
        return self._worklist(self.pages.programme(key), done=request.args.get("saved") == "1")

    def note(self, key: str, person: str) -> ResponseReturnValue:
        names, form = self.pages.programme(key), request.form
        given = {name: form.get(name, "") for name in ("record", "by", "date")}
        if given["record"] not in RECORDS or given["by"] not in ENTERED_BY or talks.day_from(given["date"]) is None:
            return self._worklist(names, problem="problem_day"), 400
        try:
            call(self.pages, "note_eura", key, given | {"key": talks.key_from(form.get("key", "")), "subject": person})
        except InvalidInput:
            return self._worklist(names, problem="problem_eura_entry"), 400
        except AlreadyRecordedDiffers:
            return self._worklist(names, problem="problem_saved_already"), 409
        except talks.UNSURE:
            return self._worklist(names, problem="problem_unsure"), 503
        except UnknownPerson:
            abort(404)
        return redirect(url_for("eura", key=key, saved=1), 303)

    def card(self, key: str) -> ResponseReturnValue:
        """What a person takes home, in their language; it names nobody."""
        names = self.pages.programme(key)
        if names.funding != ESF_PLUS:
            abort(404)
        g.lang = pick_lang(request.args.get("form")) or g.lang
        return self.pages.show(
            "eura_card.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            address=EURA,
            qr=_qr(EURA),
            code=names.document.get("project_code") or words(g.lang)("card_no_code"),
            publicity=publicity(names.funding, names.logos, g.lang),
        )

    def _worklist(self, names: ProgrammeNames, *, done: bool = False, problem: str = "") -> str:
        say, context, key = words(g.lang), self.pages.context, names.key
        page = {"limit": context.page_size, "offset": self.pages.offset()}
        found = context.rpc.call("intake", "list_eura", programme=key, **page)
        return self.pages.show(
            "eura.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            applies=names.funding == ESF_PLUS,
            rows=[_row(row, name) for row, name in self._named(key, found["people"])],
            counts=say("eura_state", **{name: formats.number(n, g.lang) for name, n in found["counts"].items()}),
            by=[(code, say(f"eura_by_{code}")) for code in ENTERED_BY],
            today=talks.days(context, names)[1].isoformat(),
            new_key=talks.new_key,
            done=say("eura_noted") if done else "",
            problems={"": say(problem)} if problem else {},
            pages=self.pages.paging(found["total"]),
        )

    def _named(self, key: str, people: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
        """Each row with the person's name; the names alone of who stands on this page are read."""
        if not people:
            return []
        known = talks.people_at_hand(self.pages.context, key, [row["person"] for row in people], in_list=True)
        gone = words(g.lang)("others_person_short" if g.get("own_only") else "nobody_kept")
        return [(row, known[row["person"]].label if row["person"] in known else gone) for row in people]


def _notes(row: dict[str, Any], form: Form) -> list[str]:
    """What is to be looked at beside: what is not known of the paper, and where the person does not fit."""
    say, unsaid = words(g.lang), [words(g.lang)(what).lower() for what in row.get("unsaid", [])]
    told = [say("evidence_unsaid", what=", ".join(unsaid))] if unsaid else []
    return told + [say("does_not_fit", what=field_word(form, what).lower()) for what in row.get("misfits", [])]


def _tries(row: dict[str, Any]) -> list[str]:
    """The tries to get a person's forms that were in vain, with their days."""
    say = words(g.lang)
    return [f"{talks.said_day(one['date'])} {say('attempt_' + one['status'])}" for one in row.get("attempts", [])]


def _row(row: dict[str, Any], name: str) -> dict[str, Any]:
    """A person on the worklist: for each record when it was entered by whom, None: missing, or that none is due."""
    say, states = words(g.lang), list[tuple[str, str | None]]()
    for record in RECORDS:
        entry = row[record]
        if entry:
            who = say(f"eura_by_{entry['by']}") if entry["by"] in ENTERED_BY else ""
            states.append((record, say("eura_entered", day=talks.said_day(entry["on"]), who=who)))
        elif record == "start" or row["left"]:
            states.append((record, None))
        else:
            states.append((record, say("value_not_due")))
    return {
        "person": row["person"],
        "name": name,
        "states": states,
        "lang": pick_lang(row["service_language"]) or g.lang,
    }


@cache
def _qr(address: str) -> Markup:
    """The address as a QR code, drawn (SVG without style): what stands in it is ours, never anything typed."""
    drawn = BytesIO()
    segno.make(address, error="m").save(
        drawn, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=4, svgclass="qr", lineclass=None
    )
    return Markup(drawn.getvalue().decode())
