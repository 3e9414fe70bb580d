"""The pages: each asks a service once and shows the answer."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.routing import BaseConverter

from services.portal import auth, formats, guard, talks
from services.portal.auth import Credentials
from services.portal.context import PortalContext
from services.portal.errors import LoginRefused, PasswordRefused, TooManyAttempts
from services.portal.guard import Guard
from services.portal.labels import Figure, figure, label_of
from services.portal.metrics import LOGINS
from services.portal.names import ProgrammeNames
from services.portal.programme_page import programme_values
from services.portal.releases import release_rows
from services.portal.rendering import Frame, render
from services.portal.replies import Identity, ReplyKey
from services.portal.report_file import release_file, report_file
from services.portal.report_page import render_report_html
from services.portal.users import ROLES
from services.portal.words import words
from shared import hetu
from shared.contracts.catalogue import STANDINGS
from shared.contracts.errors import InvalidInput
from shared.contracts.record_facts import EXITS
from shared.journal.certificate import Form

_REPORT_ROLES = ("reporter",)
LIST_ROLES = ("case_worker", "coordinator")
MEDIA_TYPES: dict[Form, str] = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}
LEAST_TYPED, MOST_TYPED = 2, 200
"""Characters by which somebody is looked for."""
_LINKS = {
    "links_now": {
        "tasks": "open_tasks",
        "conversation": "conversation",
        "register": "register",
        "counter": "counter",
        "door": "door",
        "encounters": "encounters",
        "round": "round",
    },
    "links_people": {
        "people": "open_people",
        "evidence": "missing_evidence",
        "referrals": "referrals",
        "duplicates": "duplicates",
        "handover": "hand_over",
    },
    "links_project": {
        "report": "open_report",
        "sessions": "open_sessions",
        "sample": "sample",
        "partners": "partners",
        "programme": "open_programme",
        "closing": "closing",
    },
}
"""What a project's card on the start page leads to: what is recorded day by day first."""


class ProgrammeConverter(BaseConverter):
    """A programme's key in an address; anything else is no such page."""

    regex = "[a-z0-9-]{1,40}"


class EntityConverter(BaseConverter):
    """The id of a session in an address; anything else is no such page."""

    regex = "[0-9a-f]{32}"


@dataclass(frozen=True)
class Paging:
    """Which page of a list is shown."""

    number: int
    last: int


class Pages:
    """The views of one application; `install` names who may reach them."""

    def __init__(self, context: PortalContext, guarding: Guard) -> None:
        self.context = context
        self.guard = guarding

    def install(self, app: Flask) -> None:
        """Add the routes of the home's role."""
        app.url_map.converters["programme"] = ProgrammeConverter
        app.url_map.converters["entity"] = EntityConverter
        everybody = ROLES[self.context.role]
        app.add_url_rule("/login", "login", self.login)
        app.add_url_rule("/login", "log_in", self.log_in, methods=["POST"])
        self.add(app, "/logout", "logout", self.logout, everybody, "POST", locked=True)
        self.add(app, "/password", "password", self.password, everybody, locked=True)
        self.add(app, "/password", "change_password", self.change_password, everybody, "POST", locked=True)
        self.add(app, "/", "start", self.start, everybody)
        reading = _REPORT_ROLES if self.context.role == "lead" else LIST_ROLES
        self.add(app, "/programme/<programme:key>", "programme", self.about, reading)
        if self.context.role == "lead":
            self.add(app, "/report/<programme:key>", "report", self.report, _REPORT_ROLES)
            for form in MEDIA_TYPES:
                view = partial(self.report_file, form)
                self.add(app, f"/report/<programme:key>.{form}", f"report_{form}", view, _REPORT_ROLES)
                view, rule = partial(self.release_file, form), f"/report/<programme:key>/<entity:release>.{form}"
                self.add(app, rule, f"release_{form}", view, _REPORT_ROLES)
        else:
            self.add(app, "/people/<programme:key>", "people", self.people, LIST_ROLES)
            self.add(app, "/people/<programme:key>", "find_person", self.find, LIST_ROLES, "POST")

    def add(
        self,
        app: Flask,
        rule: str,
        endpoint: str,
        view: Callable[..., ResponseReturnValue],
        roles: tuple[str, ...],
        method: str = "GET",
        *,
        locked: bool = False,
    ) -> None:
        """A page at `rule` for users with any of `roles`."""
        app.add_url_rule(rule, endpoint, view, methods=[method])
        self.guard.allow(endpoint, roles, locked=locked)

    # logging in

    def login(self) -> ResponseReturnValue:
        if g.session is not None:
            return redirect(url_for("start"), 303)
        return self.show("login.html", problem=None, name="")

    def log_in(self) -> ResponseReturnValue:
        say = words(g.lang)
        typed = self._typed(request.form.get("name", "").strip().lower(), "password")
        try:
            g.set_token = auth.log_in(self.context, typed, g.token)
        except LoginRefused:
            LOGINS.labels("refused").inc()
            return self.show("login.html", problem=say("login_failed"), name=typed.name), 403
        except TooManyAttempts as refused:
            LOGINS.labels("limited").inc()
            return self._limited("login.html", refused, name=typed.name)
        LOGINS.labels("succeeded").inc()
        return redirect(url_for("start"), 303)

    def logout(self) -> ResponseReturnValue:
        auth.log_out(self.context.engine, g.token)
        g.set_token = auth.new_token()  # the old one must not carry another login
        return redirect(url_for("login"), 303)

    def password(self) -> ResponseReturnValue:
        return self.show("password.html", problem=None)

    def change_password(self) -> ResponseReturnValue:
        say = words(g.lang)
        typed = self._typed(g.session.user.name, "old")
        new, again = request.form.get("new", ""), request.form.get("again", "")
        try:
            g.set_token = auth.change_password(self.context, g.session, typed, new, again)
        except PasswordRefused as refused:
            return self.show("password.html", problem=say(str(refused.params["reason"]))), 400
        except LoginRefused:
            return self.show("password.html", problem=say("password_wrong")), 403
        except TooManyAttempts as refused:
            return self._limited("password.html", refused)
        return redirect(url_for("start"), 303)

    def _typed(self, name: str, password_field: str) -> Credentials:
        return Credentials(name, request.form.get(password_field, "")[:1024], request.remote_addr or "")

    def _limited(self, template: str, refused: TooManyAttempts, **values: object) -> ResponseReturnValue:
        seconds = int(refused.params["seconds"])
        text = words(g.lang)("login_wait", time=formats.age(timedelta(seconds=seconds), g.lang))
        return self.show(template, problem=text, **values), 429, {"Retry-After": str(seconds)}

    # start

    def start(self) -> ResponseReturnValue:
        roles = g.session.user.roles
        groups = [
            (group, links)
            for group, paths in _LINKS.items()
            if (links := [(path, word) for path, word in paths.items() if self.guard.allowed(path, roles)])
        ]
        listed = self._programmes() if groups else {}
        named = [(key, label_of(item.name, g.lang, key)) for key, item in sorted(listed.items())]
        return self.show("start.html", groups=groups, programmes=named)

    def about(self, key: str) -> ResponseReturnValue:
        """The project as its file says it, and how its steps stand by what this home has."""
        names = self.programme(key)
        service = "reporting" if self.context.role == "lead" else "pathways"
        stand = self.context.rpc.call(service, "step_states", programme=key) if names.document.get("steps") else []
        released = release_rows(self.context.rpc.call(service, "list_releases", programme=key), names, g.lang)
        return self.show("programme.html", **programme_values(names, g.lang, stand, released))

    # lead

    def report(self, key: str) -> ResponseReturnValue:
        names = self.programme(key)
        report = self.context.rpc.call("reporting", "report", programme=key)
        released = release_rows(self.context.rpc.call("reporting", "list_releases", programme=key), names, g.lang)
        return render_report_html(report, names, g.lang, self._frame(), released)

    def report_file(self, form: Form, key: str) -> ResponseReturnValue:
        """The certified file, to be kept: not shown in the browser, whose page it would pretend to be."""
        return _file(report_file(self.context.rpc, form, self.programme(key), g.lang), key, form)

    def release_file(self, form: Form, key: str, release: str) -> ResponseReturnValue:
        """A frozen report as a certified file."""
        self.programme(key)
        return _file(release_file(self.context.rpc, form, key, release, g.lang), f"{key}-{release}", form)

    # node

    def people(self, key: str) -> ResponseReturnValue:
        names, offset, reply = self.programme(key), self.offset(), ReplyKey()
        answer = self.context.rpc.call(
            "intake",
            "list_people",
            programme=key,
            reply_to=reply.public_hex,
            limit=self.context.page_size,
            offset=offset,
            by=g.session.user.name,
        )
        return self._people(names, reply, answer["people"], answer["total"], self.paging(answer["total"]))

    def find(self, key: str) -> ResponseReturnValue:
        """People by a name, a nickname or an identity code; it is sent as a form, for addresses are kept in logs."""
        names, reply, say = self.programme(key), ReplyKey(), words(g.lang)
        typed = " ".join(talks.cleaned(request.form.get("who", "")).split())
        if not LEAST_TYPED <= len(typed) <= MOST_TYPED:
            return self._people(names, reply, [], 0, Paging(1, 1), typed[:MOST_TYPED], say("problem_find")), 400
        code = hetu.normalise(typed)
        query = {"identity_code": code} if hetu.is_valid(code) else {"name": typed, "beginning": True}
        sealed = talks.sealed(self.context, query)
        asked = {"programme": key, "by": g.session.user.name, "sealed": sealed, "reply_to": reply.public_hex}
        try:
            answer = self.context.rpc.call("intake", "find_people", **asked)
        except InvalidInput:  # letters that no name has
            return self._people(names, reply, [], 0, Paging(1, 1), "", say("problem_find")), 400
        shown = "" if "identity_code" in query else typed
        found, total = answer["people"], answer["total"]
        many = {"n": formats.number(total, g.lang), "shown": len(found)}
        said = say("found_people" if len(found) == total else "found_many_people", **many)
        return self._people(names, reply, found, total, Paging(1, 1), shown, said)

    def _people(
        self,
        names: ProgrammeNames,
        reply: ReplyKey,
        rows: Sequence[Mapping[str, Any]],
        total: int,
        pages: Paging,
        typed: str = "",
        found: str = "",
    ) -> str:
        return self.show(
            "people.html",
            programme=names.key,
            title=label_of(names.name, g.lang, names.key),
            rows=[_person_row(row, reply.open(row["sealed"])) for row in rows],
            total=formats.number(total, g.lang),
            team="people_own_only" if g.get("own_only") else "people_team",
            pages=pages,
            typed=typed,
            found=found,
        )

    # common

    def _programmes(self) -> dict[str, ProgrammeNames]:
        service = "reporting" if self.context.role == "lead" else "pathways"
        listed = self.context.rpc.call(service, "list_programmes")
        return {item["programme"]: ProgrammeNames.of(item, self.context.pictures) for item in listed}

    def programme(self, key: str) -> ProgrammeNames:
        """What a page needs of a programme; one that the home does not have is no page."""
        return self._programmes().get(key) or abort(404)

    def page_number(self) -> int:
        """The page that is asked for; what is no number is no page."""
        asked = request.args.get("page", "1")
        return int(asked) if re.fullmatch("[1-9][0-9]{0,5}", asked) else abort(404)

    def offset(self) -> int:
        """How many rows stand on the pages before the one that is asked for."""
        return (self.page_number() - 1) * self.context.page_size

    def paging(self, total: int) -> Paging:
        """Which page it is, of how many."""
        return Paging(self.page_number(), max(1, -(-total // self.context.page_size)))

    def _frame(self) -> Frame:
        return frame(self.context)

    def show(self, template: str, **values: object) -> str:
        """A page in the frame."""
        return render(template, g.lang, self._frame(), **values)


def _file(data: bytes, name: str, form: Form) -> ResponseReturnValue:
    kept = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return data, 200, {"Content-Type": MEDIA_TYPES[form], **kept}


def frame(context: PortalContext) -> Frame:
    """What stands around this answer's page."""
    session = g.get("session")
    return Frame(
        home=context.title,
        path=request.path if request.url_rule else "/",
        user_name=session.user.name if session else None,
        form_token=guard.form_token(),
        locked=bool(session and session.user.must_change),
    )


def standing_word(row: Mapping[str, Any]) -> str:
    """A person's standing in words, of a row of intake's; one of a newer release as it is."""
    standing = row.get("standing")
    return words(g.lang)(f"standing_{standing}") if standing in STANDINGS else str(standing)


def left_words(row: Mapping[str, Any]) -> str:
    """When and why the person has left, of a row of intake's; "" who is there. A reason of a newer release as it is.
    Of whom the fund's record is erased it is known that they are away, or died."""
    say, reason = words(g.lang), row.get("end_reason")
    if not row.get("ended_on"):
        return say("exit_died" if reason == "died" else "has_left_once") if reason else ""
    why = say(f"exit_{reason}") if reason in EXITS else str(reason)
    return say("has_left", day=talks.said_day(row["ended_on"]), why=why)


def _person_row(row: Mapping[str, Any], identity: Identity | None) -> dict[str, object]:
    lang, started, standing = g.lang, row.get("started_on"), row.get("standing")
    return {
        "subject": row["person"],
        "restricted": bool(row.get("restricted")),
        "protected": bool(row.get("protected")),
        "closed": identity is None,
        "name": " ".join(filter(None, (identity.given_name, identity.family_name))) if identity else "",
        "token": identity.token if identity else "",
        "may_register": standing == "visitor",
        "worker": row.get("worker"),
        "mine": row.get("worker") == g.session.user.name,
        "standing": standing_word(row),
        "left": left_words(row),
        "started_on": Figure(formats.day(date.fromisoformat(started), lang), None) if started else figure(None, lang),
    }
