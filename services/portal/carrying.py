"""The lead's end of the HTTPS carrier: nodes' segments and statements into `HOME/inbox/`, receipts and lines out of it.

A WSGI application of its own beside the portal's pages: no session, no form, no page. What it answers to is in
`shared/journal/httpcarrier.py`, who may ask in `signedrequests`. It writes only what belongs to the node that asks, in
the layout of `filecarrier`, and judges no content: that is the receiver's, which it wakes.

Refused before anything is read: what is no channel or item, what the asking side may not do with it, a body that is
longer than such an item can be or does not say how long it is, and a key that is not admitted for the node's stream.
"""

import contextlib
import fcntl
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from werkzeug.exceptions import (
    BadRequest,
    Forbidden,
    HTTPException,
    LengthRequired,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
    Unauthorized,
)
from werkzeug.wrappers import Request, Response

from services.portal.context import Blocking, Rpc
from services.portal.metrics import REQUEST_SECONDS
from shared.contracts.errors import PolkuError
from shared.journal import signedrequests
from shared.journal.carrier import (
    CHANNEL,
    EXPELLED,
    JOIN,
    KEYS,
    MANIFEST,
    POST,
    RECEIPT,
    is_nodes,
    node_channel,
    refused_total,
)
from shared.journal.crypto import key_id
from shared.journal.filecarrier import FileCarrier
from shared.journal.httpcarrier import PREFIX
from shared.journal.items import limit_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

_PATH = re.compile(rf"{PREFIX}({CHANNEL.pattern})/([^/]*)")
_WAKING = (MANIFEST, RECEIPT, JOIN, POST, KEYS)
"""What the receiver need not look for: segments are followed by a manifest."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request to an item (or, with an empty name, to the listing) of a channel."""

    method: str
    channel: str
    name: str

    @property
    def path(self) -> str:
        return f"{self.channel}/{self.name}"


@dataclass(frozen=True, slots=True)
class CarrierEdge:
    """The WSGI application. `wake` has the receiver look."""

    carrier: FileCarrier
    rpc: Rpc
    blocking: Blocking
    now: Callable[[], datetime]
    wake: Callable[[], None]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request, begun = Request(environ), time.perf_counter()
        try:
            response = self._answer(request)
        except HTTPException as error:
            # Without its page, which would repeat what was asked for.
            response = Response(status=error.code or 500)
        except PolkuError as error:
            log.warning("a node was not answered", extra={"code": error.code})
            response = Response(status=503)
        except OSError as error:
            log.error("the inbox failed", extra={"error": type(error).__name__})
            response = Response(status=503)
        response.headers["Cache-Control"] = "no-store"
        spent = time.perf_counter() - begun
        REQUEST_SECONDS.labels(PREFIX, f"{response.status_code // 100}xx").observe(spent)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        asked = _read(request)
        header = request.headers.get("Authorization", "")
        keys = self._keys(asked, header)
        body = request.get_data() if asked.method == "PUT" else b""
        if len(body) != (request.content_length or 0):
            raise BadRequest
        if keys is not None and not signedrequests.is_authentic(
            header, asked.method, asked.path, body, keys, self.now()
        ):
            refused_total.labels("unauthenticated").inc()
            raise Unauthorized
        return self._do(asked, body)

    def _keys(self, asked: _Asked, header: str) -> dict[str, bytes] | None:
        """The keys of which one must have signed the request; None: an open invite stands for it."""
        node, programme = node_channel(asked.channel).split("/")
        invite, key = signedrequests.invite_in(header), signedrequests.claimed_key(header, self.now())
        if invite is not None and asked.name == JOIN and asked.method == "PUT":
            known = self.rpc.call("reporting", "may_carry", node=node, programme=programme, token_digest=invite)
            if known["invited"]:
                return None
        elif key is not None:
            known = self.rpc.call("reporting", "may_carry", node=node, programme=programme)
            keys = {key_id(public): public for public in map(bytes.fromhex, known["signing_keys"])}
            if key in keys:
                if known["expelled"] and (asked.method, asked.name) != ("GET", EXPELLED):
                    raise Forbidden
                return keys
        refused_total.labels("unauthenticated").inc()
        raise Unauthorized

    def _do(self, asked: _Asked, body: bytes) -> Response:
        channel, name = asked.channel, asked.name
        if asked.method == "PUT":
            self.blocking(lambda: self._write(channel, name, body))
            if name in _WAKING:
                self.wake()
            return Response(status=204)
        if asked.method == "DELETE":
            self.blocking(lambda: self.carrier.delete(channel, name))
            return Response(status=204)
        if not name:
            found = self.blocking(lambda: self.carrier.list_segments(channel))
            rows = [[entry.place.name, entry.size, entry.version] for entry in found]
            return Response(json.dumps(rows), mimetype="application/json")
        data = self.blocking(lambda: self.carrier.read(channel, name, limit_of(name) or 0))
        if data is None:
            raise NotFound
        return Response(data, mimetype="application/octet-stream")

    def _write(self, channel: str, name: str, data: bytes) -> None:
        with _one_at_a_time(self.carrier):
            self.carrier.write(channel, name, data)


def _read(request: Request) -> _Asked:
    """What is asked, as far as this side of the channel may ask it."""
    match = _PATH.fullmatch(request.path)
    if match is None or (match[2] and limit_of(match[2]) is None):
        refused_total.labels("name").inc()
        raise NotFound
    asked = _Asked(request.method, match[1], match[2])
    if asked.method not in ("GET", "PUT", "DELETE"):
        raise MethodNotAllowed
    if asked.name == "":
        if asked.method != "GET":
            raise MethodNotAllowed
        return asked
    own = is_nodes(asked.channel, asked.name)
    # Letters, and a stream's end on its way back, are sent by who looks at what lies there already.
    may = own if asked.method != "GET" else not own or asked.name == POST or asked.channel.endswith("/back")
    if not may or (asked.name == JOIN and asked.channel != node_channel(asked.channel)):
        refused_total.labels("foreign").inc()
        raise Forbidden
    if asked.method == "PUT":
        if request.content_length is None:
            raise LengthRequired
        if request.content_length > (limit_of(asked.name) or 0):
            refused_total.labels("oversized").inc()
            raise RequestEntityTooLarge
    return asked


@contextlib.contextmanager
def _one_at_a_time(carrier: FileCarrier) -> Iterator[None]:
    """A node that gave up waiting asks again while its first request may still be written."""
    carrier.root.mkdir(parents=True, exist_ok=True)
    directory = os.open(carrier.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)
