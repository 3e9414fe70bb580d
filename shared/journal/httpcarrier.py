"""The lead's portal as a carrier, as a node sees it (see `carrier`): the folder `inbox/` at the lead, over HTTPS.

    PUT    URL/carrier/CHANNEL/ITEM    create or replace an item of ours
    GET    URL/carrier/CHANNEL/ITEM    an item of the lead's
    GET    URL/carrier/CHANNEL/        the segments there: JSON [[name, size, version], …]
    DELETE URL/carrier/CHANNEL/ITEM    delete an item of ours

Every request is signed (`signedrequests`), so it may safely be sent again: once, on a new connection, if the one that
was kept turns out to be closed. Host name and certificate are checked, against the lead's own authority if the invite
named one, else against the system's. No redirect is followed, every wait and every answer is bounded. The other end is
`services/portal/carrying.py`.
"""

import contextlib
import http.client
import json
import ssl
import time
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from shared.journal import crypto, signedrequests
from shared.journal.carrier import JOIN, Found, goes_to_node, place_named
from shared.ops.clock import utcnow

SECONDS = 20.0
"""How long connecting, and each wait for the network, may take."""
ANSWER_SECONDS = 60.0
"""How long one answer may take to arrive whole."""
MAX_LISTING = 1024 * 1024
"""Bytes: some 13,000 segments. Of more the writer cannot look."""
PREFIX = "/carrier/"
_PIECE = 64 * 1024


class HttpFailed(OSError):
    """The lead's portal did not do what it was asked; `status` says what it said, if it said anything."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class HttpCarrier:
    """The folder behind `url` (`https://HOST[:PORT][/PATH]`, or `http://` on loopback).

    `authority` is the certificate (PEM) that the lead's must be signed by; empty: the system's.
    """

    def __init__(self, url: str, signer: crypto.Key, authority: str = "", now: Callable[[], datetime] = utcnow) -> None:
        parts = urlsplit(url)
        self._base = parts.path.rstrip("/") + PREFIX
        self._signer, self._now = signer, now
        if parts.scheme == "https":
            context = ssl.create_default_context(cadata=authority or None)
            self._connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=SECONDS, context=context
            )
        else:
            self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)

    def list_segments(self, channel: str) -> list[Found] | None:
        data = self._ask("GET", f"{channel}/", limit=MAX_LISTING + 1, whole=False)
        if data is not None and len(data) > MAX_LISTING:
            if goes_to_node(channel):  # what we read: nothing of it may be passed over
                raise HttpFailed("the listing is too long")
            return None  # what we wrote: the echo says what is not there
        try:
            rows = json.loads(data or b"[]")
            found = [
                Found(place, int(size), str(version)) for name, size, version in rows if (place := place_named(name))
            ]
        except (ValueError, TypeError, RecursionError):
            raise HttpFailed("a listing is malformed") from None
        return sorted(found)

    def read(self, channel: str, name: str, limit: int) -> bytes | None:
        return self._ask("GET", f"{channel}/{name}", limit=limit, whole=False)

    def write(self, channel: str, name: str, data: bytes) -> None:
        if self._ask("PUT", f"{channel}/{name}", data) is None:
            raise HttpFailed("there is no such place", 404)

    def delete(self, channel: str, name: str) -> None:
        self._ask("DELETE", f"{channel}/{name}")

    def decided(self, channel: str, found: Found) -> None:
        """It lies there until its writer takes it away."""

    def write_join(self, channel: str, data: bytes, token_digest: bytes) -> None:
        """Hand in the answer to an invite, before the lead knows our key."""
        path = f"{channel}/{JOIN}"
        if self._ask("PUT", path, data, authorization=signedrequests.invited(token_digest)) is None:
            raise HttpFailed("there is no such place", 404)

    def _ask(
        self, method: str, path: str, body: bytes = b"", *, limit: int = 0, whole: bool = True, authorization: str = ""
    ) -> bytes | None:
        """The answer's body, at most `limit` bytes of it (with `whole`, more is an error); None for "not found"."""
        headers = {
            "Authorization": authorization or signedrequests.signed(self._signer, method, path, body, self._now()),
            "Content-Type": "application/octet-stream",
        }
        kept = self._connection.sock is not None
        while True:
            try:
                self._connection.request(method, self._base + path, body if method == "PUT" else None, headers)
                return self._answer(limit, whole)
            except HttpFailed:
                raise
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                # A server may close what is idle at any moment; asked anew, it says what is the matter.
                if not kept or isinstance(error, TimeoutError):
                    raise HttpFailed(type(error).__name__) from None
                kept = False

    def _answer(self, limit: int, whole: bool) -> bytes | None:
        deadline = time.monotonic() + ANSWER_SECONDS
        answer = self._connection.getresponse()
        data = b""
        with contextlib.closing(answer):
            while len(data) <= limit and (piece := answer.read1(min(_PIECE, limit + 1 - len(data)))):
                data += piece
                if time.monotonic() > deadline:
                    self._connection.close()
                    raise HttpFailed("the answer takes too long")
            if answer.length == 0:
                answer.read(0)  # whole: the connection may be used again
            if not answer.isclosed():
                self._connection.close()  # more than was asked for: nothing else can be read behind it
        if answer.status == 404:
            return None
        if answer.status not in (200, 204):
            raise HttpFailed(f"the lead's portal answered {answer.status}", answer.status)
        if len(data) > limit and whole:
            raise HttpFailed("the answer is too long")
        return data[:limit]
