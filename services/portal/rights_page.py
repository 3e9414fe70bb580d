"""What a participant may ask for, on one page: a copy, corrections, a restriction, withdrawing a consent, erasing, the
receipts of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Flask, Response, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import copying, formats, informing, talks
from services.portal.erasing_page import erase_for_good
from services.portal.labels import label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.person_page import person_row
from services.portal.words import words
from shared.contracts.errors import UnknownPerson
from shared.contracts.purposes import PURPOSES
from shared.contracts.rights_facts import GROUNDS
from shared.ops.clock import today_in_helsinki
from shared.programmes.purposes import purposes

_DONE = ("restricted", "lifted", "withdrawn", "corrected", "same", "erased", "informed")


@dataclass(frozen=True)
class PurposeRow:
    """A purpose, its basis, and what has ended of it."""

    key: str
    basis: str
    kept: str
    law: str
    can_be_withdrawn: bool
    ended: list[tuple[str, str, str]]
    """Of each ending: when, who has given a receipt, who has not."""


@dataclass
class RightsPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/rights/<programme:key>/<entity:person>"
        self.pages.add(app, rule, "rights", self.show, LIST_ROLES)
        self.pages.add(app, rule, "change_rights", self.change, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/informed", "inform", self.inform, LIST_ROLES, "POST")
        self.pages.add(app, f"{rule}/copy.html", "copy_document", self.document, LIST_ROLES)
        self.pages.add(app, f"{rule}/copy.json", "copy_file", self.file, LIST_ROLES)

    def show(self, key: str, person: str) -> ResponseReturnValue:
        return self._page(key, person)

    def inform(self, key: str, person: str) -> ResponseReturnValue:
        """Somebody was informed about the processing, and agreed to what they agreed to."""
        names, filled = self.pages.programme(key), informing.typed()
        if wrong := informing.problems(filled, names):
            return self._page(key, person, filled, wrong), 400
        try:
            wrong = informing.send(self.pages, names, person, filled)
        except talks.UNSURE:
            return self._page(key, person, filled, {"": "problem_unsure"}), 503
        except UnknownPerson:
            abort(404)
        if wrong:
            return self._page(key, person, filled, wrong), 409 if "" in wrong else 400
        return redirect(url_for("rights", key=key, person=person, done="informed"), 303)

    def _page(
        self,
        key: str,
        person: str,
        filled: informing.Informing | None = None,
        problems: Mapping[str, str] | None = None,
    ) -> str:
        names, (row, name) = self.pages.programme(key), person_row(self.pages, key, person)
        done, rpc = request.args.get("done", ""), self.pages.context.rpc
        about: dict[str, Any] = {"programme": key, "subject": person}
        endings = rpc.call("intake", "list_receipts", **about)["endings"]
        rows = _purposes(names, endings)
        withdrawable = any(row.can_be_withdrawn for row in rows)
        return self.pages.show(
            "rights.html",
            programme=key,
            person=person,
            title=label_of(names.name, g.lang, key),
            name=name,
            restricted=bool(row.get("restricted")),
            visitor=row.get("standing") == "visitor",
            grounds=GROUNDS,
            purposes=rows,
            seen=rpc.call("intake", "preview_erasing", **about)["seen"] if withdrawable else None,
            done=f"rights_done_{done}" if done in _DONE else "",
            may_erase=self.pages.guard.allowed("erase", g.session.user.roles),
            receipts=bool(endings),
            problems={field: words(g.lang)(problem) for field, problem in (problems or {}).items()},
            **informing.values(self.pages, names, person, row.get("service_language"), filled),
        )

    def change(self, key: str, person: str) -> ResponseReturnValue:
        self.pages.programme(key)
        form, action = request.form, request.form.get("action", "")
        purpose, ground = form.get("purpose", ""), form.get("ground", "")
        if action == "withdrawn":
            if purpose not in PURPOSES:
                abort(400)
            if refused := erase_for_good(self.pages, key, person, purpose=purpose, why="withdrawn"):
                problem, status = refused
                return self._page(key, person, problems={"": problem}), status
            return redirect(url_for("rights", key=key, person=person, done=action), 303)
        asked: dict[str, dict[str, Any]] = {"restricted": {"ground": ground}, "lifted": {"lift": True}}
        if action not in asked or (action == "restricted" and ground not in GROUNDS):
            abort(400)
        common = {"programme": key, "subject": person, "by": g.session.user.name}
        try:
            self.pages.context.rpc.call("intake", "restrict_person", **common, **asked[action])
        except talks.UNSURE:
            return self._page(key, person, problems={"": "problem_unsure"}), 503
        except UnknownPerson:
            abort(404)
        return redirect(url_for("rights", key=key, person=person, done=action), 303)

    def document(self, key: str, person: str) -> ResponseReturnValue:
        copy = self._copy(key, person)
        html = copying.as_html(self.pages.context.rpc, copy, None, self.pages.context.pictures)
        return _file(html, "text/html; charset=utf-8", "html")

    def file(self, key: str, person: str) -> ResponseReturnValue:
        text = json.dumps(self._copy(key, person), indent=2, ensure_ascii=False)
        return _file(text, "application/json", "json")

    def _copy(self, key: str, person: str) -> dict[str, Any]:
        self.pages.programme(key)
        context = self.pages.context
        who = {"by": g.session.user.name, "today": today_in_helsinki(context.now())}
        return copying.gather(context.rpc, context.title, key, person, **who)


def _purposes(names: ProgrammeNames, endings: list[dict[str, Any]]) -> list[PurposeRow]:
    say, lang = words(g.lang), g.lang

    def holders(keys: list[str]) -> str:
        return ", ".join(say(f"holder_{key}") for key in keys)

    rows = []
    for purpose in purposes(names.document):
        ended = [
            (
                formats.day(date.fromisoformat(ending["occurred_on"]), lang),
                holders([receipt["holder"] for receipt in ending["receipts"]]),
                holders(ending["waiting"]),
            )
            for ending in endings
            if ending["purpose"] == purpose.key
        ]
        kept = say("kept_until", day=formats.day(purpose.keep_until, lang)) if purpose.keep_until else ""
        shown = (purpose.key, say(f"legal_{purpose.basis}"), kept, purpose.law)
        rows.append(PurposeRow(*shown, purpose.basis == "consent", ended))
    return rows


def _file(text: str, media_type: str, form: str) -> Response:
    """A download; nobody is named by its file name."""
    return Response(
        text, content_type=media_type, headers={"Content-Disposition": f'attachment; filename="copy.{form}"'}
    )
