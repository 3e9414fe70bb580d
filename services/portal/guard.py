"""What stands before every page: login, roles, one's own forms; and the headers behind it.

Everything is denied that is not named here: a page without an entry in `Guard.allow` is reachable for nobody.
"""

import hmac
import re
import time
from collections.abc import Collection
from dataclasses import dataclass, field

from flask import Flask, Request, Response, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from services.portal import auth
from services.portal.context import PortalContext
from services.portal.metrics import REQUEST_SECONDS
from services.portal.store import Session
from services.portal.words import Lang, pick_lang

PUBLIC = frozenset({"login", "log_in", "static"})
"""Endpoints for everybody: the login form and the style sheet."""

LANG_COOKIE = "polku-lang"
ONE_YEAR = 365 * 24 * 3600
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")

CONTENT_SECURITY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


class FormRefused(Exception):
    """The form is not one of ours: wrong origin or wrong token."""


@dataclass
class Guard:
    """Who may reach which endpoint; installed once per application."""

    context: PortalContext
    _roles: dict[str, frozenset[str]] = field(default_factory=dict)
    _for_locked: set[str] = field(default_factory=set)

    def allow(self, endpoint: str, roles: Collection[str], *, locked: bool = False) -> None:
        """Let users with any of `roles` reach `endpoint`; with `locked` also before a one-time password is changed."""
        self._roles[endpoint] = frozenset(roles)
        if locked:
            self._for_locked.add(endpoint)

    def allowed(self, endpoint: str, roles: Collection[str]) -> bool:
        """Whether a user with `roles` may reach `endpoint`."""
        return not self._roles.get(endpoint, frozenset()).isdisjoint(roles)

    @property
    def cookie(self) -> str:
        """The cookie's name; `__Host-` binds it to this host and to https, which loopback has not."""
        return "__Host-polku" if self.context.secure else "polku"

    def install(self, app: Flask) -> None:
        """Put the guard before and behind every request of `app`."""
        app.before_request(self._before)
        app.after_request(self._after)

    def _before(self) -> BaseResponse | None:
        g.begun = time.perf_counter()
        g.lang = _language(request)
        g.set_token = None
        g.session = None
        token = request.cookies.get(self.cookie, "")
        g.token = token if _TOKEN.fullmatch(token) else ""
        if g.token:
            g.session = auth.find_session(self.context.engine, g.token, self.context.now())
        endpoint = request.endpoint
        changes = request.method not in ("GET", "HEAD", "OPTIONS")
        if changes and not _same_origin(request, self.context.secure):
            raise FormRefused
        if endpoint not in PUBLIC and g.session is None:
            return redirect(url_for("login"), 303) if not changes else abort(401)
        if changes:
            self._check_form()
        if endpoint in PUBLIC or endpoint is None:  # None: no such page, which the router says
            return None
        session: Session = g.session
        if session.user.must_change and endpoint not in self._for_locked:
            return redirect(url_for("password"), 303) if not changes else abort(403)
        if not self.allowed(endpoint, session.user.roles):
            abort(403)
        return None

    def _check_form(self) -> None:
        given = request.form.get("form_token", "")
        if not g.token or not hmac.compare_digest(given.encode(), auth.form_token(g.token).encode()):
            raise FormRefused

    def _after(self, response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = CONTENT_SECURITY
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        static = request.endpoint == "static" and response.status_code == 200
        headers["Cache-Control"] = "public, max-age=86400" if static else "no-store"
        if self.context.secure:
            headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR}"
        if g.get("set_token"):
            response.set_cookie(
                self.cookie, g.set_token, path="/", secure=self.context.secure, httponly=True, samesite="Lax"
            )
        wanted = pick_lang(request.args.get("lang"))
        if wanted and not static:
            response.set_cookie(
                LANG_COOKIE, wanted, ONE_YEAR, path="/", secure=self.context.secure, httponly=True, samesite="Lax"
            )
        route = request.url_rule.rule if request.url_rule else "none"
        spent = time.perf_counter() - g.get("begun", time.perf_counter())
        REQUEST_SECONDS.labels(route, f"{response.status_code // 100}xx").observe(spent)
        return response


def form_token() -> str:
    """The token for the forms of this answer; gives the browser a cookie if it has none yet."""
    token = g.get("set_token") or g.get("token")
    if not token:
        token = g.set_token = auth.new_token()
    return auth.form_token(token)


def _language(asked: Request) -> Lang:
    """The language of the screen: as chosen, else as the browser prefers, else Finnish."""
    chosen = pick_lang(asked.args.get("lang")) or pick_lang(asked.cookies.get(LANG_COOKIE))
    if chosen is not None:
        return chosen
    for value in asked.accept_languages.values():  # the most wanted first
        if liked := pick_lang(value.lower().partition("-")[0]):
            return liked
    return "fi"


def _same_origin(asked: Request, secure: bool) -> bool:
    """Whether a form was sent by one of our own pages.

    Our referrer policy makes browsers send ``Origin: null`` with our own forms too; what tells then is
    Sec-Fetch-Site, which every current browser sends over https and on loopback. One of both must speak for us.
    """
    site, origin = asked.headers.get("Sec-Fetch-Site"), asked.headers.get("Origin")
    if site is not None and site != "same-origin":
        return False
    if origin in (None, "null"):
        return site == "same-origin"
    return origin == f"{'https' if secure else 'http'}://{asked.host}"
