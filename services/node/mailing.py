"""The organisation's own mail server, and the home's timer of notices by e-mail (`services.portal.notices`).

home.toml, or the environment, which holds before it: ``mail`` (POLKU_MAIL_URL) names the server:
``smtp+starttls://USER@HOST:587``, ``smtps://USER@HOST:465``, or ``smtp://HOST:25`` in clear on loopback only. The
password is in POLKU_MAIL_PASSWORD or the file that POLKU_MAIL_PASSWORD_FILE names. ``mail_from`` (POLKU_MAIL_FROM) is
the sender, ``portal_url`` (POLKU_PORTAL_URL) the address under which workers reach this portal. Without ``mail``
nothing is ever sent.
"""

import logging
import re
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from sqlalchemy import Engine

from services.node.control import Rpc
from services.portal.notices import Refused, Waiting, tell
from shared.contracts.errors import HomeUnusable, PolkuError
from shared.ops.clock import utcnow
from shared.ops.settings import Home, from_environment

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
TIMEOUT_SECONDS = 20.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_SENDER = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]{1,64}@[A-Za-z0-9.-]+", re.ASCII)
_PORTAL = re.compile(r"https?://[!-~]{1,200}")


@dataclass(frozen=True, slots=True)
class MailServer:
    """How to reach the organisation's mail server; `scheme` is smtp, smtps or smtp+starttls."""

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)


class Connection:
    """A `Post` over SMTP. Raises OSError if the server cannot be reached or does not let us in."""

    def __init__(self, server: MailServer) -> None:
        where = (server.host, server.port)
        if server.scheme == "smtps":
            self._smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                *where, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
        else:
            self._smtp = smtplib.SMTP(*where, timeout=TIMEOUT_SECONDS)
        try:
            if server.scheme == "smtp+starttls":
                self._smtp.starttls(context=ssl.create_default_context())
            if server.user:
                self._smtp.login(server.user, server.password)
        except OSError:
            self._smtp.close()
            raise

    def send(self, message: EmailMessage) -> None:
        """Hand the message over. Raises `Refused`, or OSError if nobody knows whether it was taken."""
        try:
            self._smtp.send_message(message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise Refused from error

    def close(self) -> None:
        """Say goodbye, if anybody listens."""
        self._smtp.close()


def mail_server(home: Home) -> MailServer | None:
    """The home's mail server, None if none is named. Raises `HomeUnusable` naming the setting."""
    url = from_environment("POLKU_MAIL_URL") or home.mail
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or {"smtps": 465, "smtp+starttls": 587}.get(parts.scheme, 25)
    except ValueError:
        raise _unusable(home, "mail", "is no URL of a server") from None
    if parts.scheme not in ("smtp", "smtps", "smtp+starttls") or not parts.hostname or parts.path not in ("", "/"):
        raise _unusable(home, "mail", "is not like smtp+starttls://USER@HOST:587")
    if parts.password is not None:
        raise _unusable(home, "mail", "holds a password: that is in POLKU_MAIL_PASSWORD")
    if parts.scheme == "smtp" and parts.hostname not in _LOOPBACK:
        raise _unusable(home, "mail", "would send in clear: use smtp+starttls:// or smtps://")
    password = from_environment("POLKU_MAIL_PASSWORD")
    if parts.username and not password:
        raise _unusable(home, "mail", "names a user, and POLKU_MAIL_PASSWORD is not set")
    return MailServer(parts.scheme, parts.hostname, port, unquote(parts.username or ""), password)


def notices(home: Home, engine: Engine, rpc: Rpc) -> Callable[[], int] | None:
    """What the timer calls every `EVERY_SECONDS`; None if this home tells nobody. Raises `HomeUnusable`."""
    server = mail_server(home) if home.role == "node" else None
    if server is None:
        return None
    sender = from_environment("POLKU_MAIL_FROM") or home.mail_from
    if not _SENDER.fullmatch(sender):
        raise _unusable(home, "mail_from", "is no e-mail address")
    scheme = "https" if home.certificate else "http"
    link = from_environment("POLKU_PORTAL_URL") or home.portal_url or f"{scheme}://{home.host}:{home.port}/"
    if not _PORTAL.fullmatch(link):
        raise _unusable(home, "portal_url", "is no address of a portal")

    def look() -> int:
        opened: list[Connection] = []

        def connect() -> Connection:
            opened.append(Connection(server))
            return opened[0]

        try:
            return tell(engine, lambda: _waiting(rpc), connect, sender, link, utcnow())
        except PolkuError:
            return 0  # a service does not answer now; whoever watches it says so
        except Exception as error:  # whatever it is, the timer goes on; its text may name somebody
            log.error("notices could not be looked at", extra={"error": type(error).__name__})
            return 0
        finally:
            for connection in opened:
                connection.close()

    return look


def _waiting(rpc: Rpc) -> Waiting:
    """How many tasks wait; pathways knows workers by id alone, intake by name."""
    counts = rpc.call("pathways", "count_waiting")
    theirs = {row["worker"]: row["tasks"] for row in counts.get("workers", ())}
    names = {row["worker"]: row["name"] for row in rpc.call("intake", "list_workers")} if theirs else {}
    # Of whom intake knows no name nobody can be told by name: an id stands for one who is no user.
    return Waiting(counts, {names.get(who, who): number for who, number in theirs.items()})


def _unusable(home: Home, name: str, reason: str) -> HomeUnusable:
    return HomeUnusable(home=str(home.path), reason=f"home.toml or environment: {name} {reason}")
