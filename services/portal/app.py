"""The portal as a WSGI application: `create_app` puts guard, pages and error pages together.

Served by `eventlet.wsgi` inside the embedded node, by waitress in the full footing; it knows neither.
"""

import logging
import secrets
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from flask import Flask, g
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from services.portal import sight
from services.portal.closing import ClosingPages
from services.portal.context import PortalContext
from services.portal.conversation import ConversationPages
from services.portal.correcting_page import CorrectingPages
from services.portal.counter import CounterPages
from services.portal.door import DoorPages
from services.portal.duplicates import DuplicatePages
from services.portal.encountering import EncounterPages
from services.portal.erasing_page import ErasingPages
from services.portal.errors import EndingUnsure
from services.portal.evidence import EvidencePages
from services.portal.exit_record import ExitPages
from services.portal.guard import FormRefused, Guard
from services.portal.handing_over import HandOverPages
from services.portal.pages import Pages, frame
from services.portal.partners import PartnerPages
from services.portal.person_page import PersonPages
from services.portal.plan import PlanPages
from services.portal.questionnaire import QuestionnairePages
from services.portal.referrals import ReferralPages
from services.portal.register import RegisterPages
from services.portal.registering import RegisteringPages
from services.portal.rendering import render
from services.portal.rights_page import RightsPages
from services.portal.rounds import RoundPages
from services.portal.sample import SamplePages
from services.portal.sample_draw import DrawPages
from services.portal.sessions import SessionPages
from services.portal.start_record import StartPages
from services.portal.steps_page import StepPages
from services.portal.tasks import TaskPages
from services.portal.words import words
from shared.contracts.errors import (
    InternalError,
    InvalidInput,
    NotFound,
    PolkuError,
    RemoteError,
    RpcTimeout,
    ServiceAbsent,
    UnknownMethod,
    UnknownProgramme,
)

MAX_BODY = 1024 * 1024


class Part(Protocol):
    """Some pages of a portal."""

    def install(self, app: Flask) -> None:
        """Add their routes."""


NODE_PAGES: tuple[Callable[[Pages], Part], ...] = (
    ConversationPages,
    RegisterPages,
    CounterPages,
    DoorPages,
    EncounterPages,
    RegisteringPages,
    ReferralPages,
    RightsPages,
    CorrectingPages,
    ErasingPages,
    PartnerPages,
    StartPages,
    EvidencePages,
    ExitPages,
    PlanPages,
    SamplePages,
    TaskPages,
    StepPages,
    PersonPages,
    HandOverPages,
    DuplicatePages,
    ClosingPages,
    SessionPages,
    QuestionnairePages,
    RoundPages,
)
LEAD_PAGES: tuple[Callable[[Pages], Part], ...] = (DrawPages,)

log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[PolkuError], int], ...] = (
    (EndingUnsure, 503),
    (RpcTimeout, 503),
    (ServiceAbsent, 503),
    (UnknownProgramme, 404),
    (NotFound, 404),
    (InvalidInput, 400),
    (InternalError, 500),
    (RemoteError, 500),
    (UnknownMethod, 500),
)


_SAID = {
    "ending_unsure": "problem_erase_unsure",
    "processing_restricted": "refused_restricted",
    "consent_withdrawn": "refused_withdrawn",
    "others_person": "others_person",
    **dict.fromkeys(("programme_is_closed", "closing_is_final", "stream_is_sealed"), "refused_closed"),
}
"""What is told in words of its own, mostly that about this person, or in this project, nothing may be recorded."""


class _Json(DefaultJSONProvider):
    sort_keys = False  # the report's members in their own order
    ensure_ascii = False


def create_app(context: PortalContext) -> Flask:
    """The application for one home. Its tables must exist (migrations make them)."""
    app = Flask(__name__, static_folder="static", template_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, MAX_FORM_MEMORY_SIZE=64 * 1024, MAX_FORM_PARTS=50)
    app.url_map.merge_slashes = False  # an address with // is no page rather than a redirect
    app.json = _Json(app)
    guard = Guard(context)
    guard.install(app)
    if context.role == "node":
        sight.install(app, context)
        context = replace(context, rpc=sight.Seeing(context.rpc))
    pages = Pages(context, guard)
    pages.install(app)
    for part in NODE_PAGES if context.role == "node" else LEAD_PAGES:
        part(pages).install(app)
    _install_errors(app, context)
    return app


def _install_errors(app: Flask, context: PortalContext) -> None:
    def page(status: int, *, word: str | None = None) -> ResponseReturnValue:
        """A plain page with a reference; the reference is all that the log and the reader share."""
        spoken = g.get("lang", "fi")
        say = words(spoken)
        known = status if status in (400, 401, 403, 404, 405, 413, 503) else 400 if status < 500 else 500
        html = render(
            "error.html",
            spoken,
            frame(context),
            heading=say(f"error_{known}"),
            text=say(word) if word else None,
            help=say("error_503_help") if status == 503 and word is None else None,
            reference=_reference(),
        )
        return html, status

    @app.errorhandler(HTTPException)
    def on_http(error: HTTPException) -> ResponseReturnValue:
        if error.code is not None and error.code < 400:
            return error.get_response()  # the router's own redirect
        return page(error.code or 500)

    @app.errorhandler(FormRefused)
    def on_form(_error: FormRefused) -> ResponseReturnValue:
        return page(403, word="error_form")

    @app.errorhandler(PolkuError)
    def on_refusal(error: PolkuError) -> ResponseReturnValue:
        # Its text is for developers, in English, and may repeat what was typed: its code must do.
        otherwise = 403 if error.code in _SAID else 400
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), otherwise)
        level = logging.WARNING if status >= 500 else logging.INFO
        about: dict[str, object] = {"code": error.code, "reference": _reference()}
        if "service" in error.params:
            about["service"] = error.params["service"]
        log.log(level, "page refused", extra=about)
        return page(status, word=_SAID.get(error.code))

    @app.errorhandler(Exception)
    def on_failure(error: Exception) -> ResponseReturnValue:
        # The text of an exception may hold what somebody typed: its type and place must do.
        frames = traceback.extract_tb(error.__traceback__)
        at = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
        log.error("page failed", extra={"reference": _reference(), "error": type(error).__name__, "at": at})
        return page(500)


def _reference() -> str:
    """The reference of this request: 8 hex digits, made when first needed."""
    if "reference" not in g:
        g.reference = secrets.token_hex(4)
    return str(g.reference)
