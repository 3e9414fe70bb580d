"""Notices by e-mail: whom to tell, at most once a day, that tasks wait. No person and no programme is in one."""

import logging
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Protocol

from sqlalchemy import Engine

from services.portal import notice_store, store
from services.portal.errors import UnknownUser
from services.portal.users import list_users
from services.portal.words import Lang, words
from shared.contracts.errors import InvalidInput
from shared.ops.clock import HELSINKI, today_in_helsinki
from shared.ops.metrics import counter, gauge
from shared.storage import snapshot, transaction

log = logging.getLogger(__name__)

FROM_HOUR = 7
"""The hour in Helsinki before which nobody is written to."""

_ADDRESS = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)
"""The letters of an address that need no quotes (RFC 5322, dot-atom): none that parts one address from the next."""

NOTICES = counter(
    "polku_portal_notices_total",
    "Notices by e-mail: sent; refused by the server; failed, because the server was lost on the way",
    "outcome",
)
MAIL_DOWN = gauge("polku_portal_mail_down", "1 while the mail server cannot be reached or does not let us in")
for _outcome in ("sent", "refused", "failed"):
    NOTICES.labels(_outcome)


class Refused(Exception):
    """The server took the message for nobody: it was not sent."""


class Post(Protocol):
    """An open connection to the organisation's mail server."""

    def send(self, message: EmailMessage) -> None:
        """Hand the message over. Raises `Refused`, or OSError if nobody knows whether it was taken."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom to tell, where and in which language."""

    user: str
    address: str
    lang: Lang


def set_address(engine: Engine, user: str, address: str | None, lang: Lang) -> None:
    """Where this user is told that tasks wait; None: nowhere. Raises `InvalidInput` or `UnknownUser`."""
    if address is not None and (len(address) > 254 or not _ADDRESS.fullmatch(address)):
        raise InvalidInput(field="address", reason="is no e-mail address")
    with transaction(engine) as connection:
        if store.find_user(connection, user) is None:
            raise UnknownUser(name=user)
        notice_store.drop_address(connection, user)
        if address is not None:
            notice_store.put_address(connection, user, address, lang)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many tasks wait: by the role whose they are, and how many of the case workers' by the worker whose people
    they are about, by name."""

    by_role: Mapping[str, int]
    by_worker: Mapping[str, int]

    def of(self, users: Mapping[str, Collection[str]]) -> dict[str, int]:
        """How many wait for each of these users, who are given with their roles: those about their own people; those
        about nobody's, each case worker; a coordinator's own. Whom a worker had who is no user any more the
        coordinators are told of, who hand over; if there is none, the case workers."""
        theirs = {name: number for name, number in self.by_worker.items() if name in users}
        gone = sum(self.by_worker.values()) - sum(theirs.values())
        shared = {
            "case_worker": self.by_role.get("case_worker", 0) - sum(self.by_worker.values()),
            "coordinator": self.by_role.get("coordinator", 0),
        }
        led = any("coordinator" in roles for roles in users.values())
        shared["coordinator" if led else "case_worker"] += gone
        return {name: theirs.get(name, 0) + sum(shared.get(role, 0) for role in roles) for name, roles in users.items()}


def tell(
    engine: Engine,
    waiting: Callable[[], Waiting],
    connect: Callable[[], Post],
    sender: str,
    link: str,
    now: datetime,
) -> int:
    """Tell everybody for whom tasks wait and who was not told today; returns how many were told.

    `waiting` says how many tasks wait; the server is only called if there is somebody to tell. Whoever is
    being told is noted first: a process that ends between never tells twice. Never raises for what the server does.
    """
    today = today_in_helsinki(now)
    if now.astimezone(HELSINKI).hour < FROM_HOUR or not (readers := _untold(engine, today)):
        return 0
    counts = waiting().of({user.name: user.roles for user in list_users(engine)})
    wanted = [(reader, n) for reader in readers if (n := counts.get(reader.user, 0))]
    if not wanted:
        return 0
    try:
        post = connect()
    except OSError as error:
        MAIL_DOWN.set(1)
        log.warning("the mail server cannot be used", extra={"error": type(error).__name__})
        return 0
    MAIL_DOWN.set(0)
    told = 0
    for reader, number in wanted:
        if not _claim(engine, reader.user, today):
            continue  # another process tells them
        try:
            post.send(compose(reader, number, sender, link, now))
        except Refused:
            NOTICES.labels("refused").inc()
        except OSError as error:  # the rest is told at the next look
            NOTICES.labels("failed").inc()
            log.warning("the mail server was lost", extra={"error": type(error).__name__})
            break
        else:
            NOTICES.labels("sent").inc()
            told += 1
    return told


def compose(reader: Reader, number: int, sender: str, link: str, now: datetime) -> EmailMessage:
    """The message: how many tasks wait, and where to see them."""
    say = words(reader.lang)
    subject = say("notice_one") if number == 1 else say("notice_many", n=number)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, reader.address, subject
    message["Date"], message["Auto-Submitted"] = format_datetime(now), "auto-generated"
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Content-Language"] = reader.lang
    message.set_content(f"{subject}.\n\n{link}\n\n{say('notice_why')}\n")
    return message


def _untold(engine: Engine, today: date) -> list[Reader]:
    with snapshot(engine) as connection:
        return [Reader(row.user_name, row.address, row.lang) for row in notice_store.untold(connection, today)]


def _claim(engine: Engine, user: str, today: date) -> bool:
    with transaction(engine) as connection:
        return notice_store.claimed(connection, user, today)
