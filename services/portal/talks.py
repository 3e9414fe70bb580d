"""What the pages that record something share: whom one can pick, what was typed, and sealing it to intake."""

import hashlib
import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import g

from services.portal import formats
from services.portal.context import PortalContext
from services.portal.names import ProgrammeNames
from services.portal.replies import Identity, ReplyKey
from services.portal.words import words
from shared.contracts.commands import CONTROL, is_blank
from shared.contracts.errors import NotFound, PolkuError, RpcTimeout, ServiceAbsent, unless_refused
from shared.contracts.talks import LONGEST_TEXT
from shared.journal.sealed import seal_command
from shared.ops.clock import today_in_helsinki

PAGE = 500
"""People asked for at a time, to have them all at hand."""
UNSURE = (RpcTimeout, ServiceAbsent)
"""After these nobody knows whether it was saved: the same form is shown again with the same key."""

LONG_AGO = "0001-01-01"
"""As the last day of who is away when nobody knows any more since when."""

_LINE_END = re.compile("\r\n|[\r\u2028\u2029]")
_HEX64 = re.compile("[0-9a-f]{64}")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORD = re.compile(r"[\s·-]+")


@dataclass(frozen=True)
class Person:
    """Somebody to pick. `label` is the name, with the day of starting where two have the same."""

    subject: str
    label: str
    standing: str = ""
    ended_on: str = ""
    """The last day, in ISO form, of who has left the programme."""

    def was_there(self, day: str) -> bool:
        """Whether the person had not left yet on this day, in ISO form."""
        return not self.ended_on or day <= self.ended_on

    def __repr__(self) -> str:
        return "Person(…)"  # never a name in a log


def people_at_hand(
    context: PortalContext, programme: str, only: Sequence[str] | None = None, *, in_list: bool = False
) -> dict[str, Person]:
    """The people of the programme by subject, sorted by name; `only` these, if given. Logged as read, in intake.

    `in_list`: for a list, in which nobody with a protected address has a name (decision 0208).
    """
    rows: list[Any] = []
    reply = ReplyKey()
    asked: dict[str, Any] = {"people": list(only)} if only is not None else {}
    while True:
        answer = context.rpc.call(
            "intake",
            "list_people",
            programme=programme,
            reply_to=reply.public_hex,
            limit=PAGE,
            offset=len(rows),
            by=g.session.user.name,
            **asked,
        )
        rows += answer["people"]
        if len(rows) >= answer["total"] or not answer["people"]:
            break
    say = words(g.lang)
    found = []
    for row in rows:
        who = reply.open(row["sealed"])
        name = label_in_list(row, who) if in_list else full_name(who)
        missing = "protected_person" if row.get("protected") else "visitor_unnamed" if who else "cannot_open"
        label = name or say(missing)
        if row.get("restricted"):
            label += f" ({say('restricted')})"
        found.append((row["person"], label, row.get("started_on"), str(row.get("standing")), last_day(row)))
    names, alike = Counter(name for _, name, *_ in found), Counter((name, day) for _, name, day, *_ in found)
    people = []
    for subject, name, started, *more in found:
        since = formats.day(date.fromisoformat(started), g.lang) if started else ""
        apart = since if alike[name, started] == 1 and since else f"{since} {subject[:4]}".strip()
        people.append(Person(subject, name if names[name] == 1 else f"{name} · {apart}", *more))
    return {person.subject: person for person in sorted(people, key=lambda p: (p.label.casefold(), p.subject))}


def last_day(row: Mapping[str, Any]) -> str:
    """The last day of who has left, of a row of intake's; "" who is there."""
    return row.get("ended_on") or (LONG_AGO if row.get("end_reason") else "")


def left_out(people: Iterable[Person]) -> dict[str, str]:
    """As a page's problem: of whom nothing was recorded, for nothing may be."""
    named = ", ".join(person.label for person in people)
    return {"": words(g.lang)("problem_left_out", who=named)} if named else {}


def full_name(who: Identity | None) -> str:
    """The name, else what the person is known by; empty: nothing, or it cannot be opened."""
    return " ".join(filter(None, (who.given_name, who.family_name))) or who.token if who else ""


def label_in_list(row: Mapping[str, Any], who: Identity | None) -> str:
    """The same in a list, where who has a protected address is known by a token alone."""
    return who.token if who and row.get("protected") else full_name(who)


def matching(people: Iterable[Person], typed: str) -> list[Person]:
    """Those whose name is what was typed; if there is none, those with a word beginning like each word typed."""
    wanted = _plain(typed)
    everybody = list(people)
    exact = [person for person in everybody if _plain(person.label) == wanted]
    if exact or not wanted:
        return exact
    starts = wanted.split()
    return [p for p in everybody if all(any(w.startswith(s) for w in _plain(p.label).split()) for s in starts)]


def _plain(text: str) -> str:
    return " ".join(_WORD.split(unicodedata.normalize("NFC", text).casefold())).strip()


def new_key() -> str:
    """The key of a form: whatever it makes is made once, however often it is sent."""
    return secrets.token_hex(32)


def key_from(text: str) -> str:
    """A form's key as it came back; a new one if it is none."""
    return text if _HEX64.fullmatch(text) else new_key()


def part_key(key: str, part: str) -> str:
    """The key of one part of a form."""
    return hashlib.sha256(f"{key}/{part}".encode()).hexdigest()


def cleaned(text: str) -> str:
    """Typed text as the vault takes it: line ends alike, nothing else of `CONTROL` (a name that is copied on a phone
    may come with a mark that turns the direction), nothing at either end; empty if nothing of it can be seen."""
    lines = _LINE_END.sub("\n", text).replace("\t", " ")
    kept = "".join(c for c in lines if c == "\n" or not CONTROL.match(c)).strip()
    return "" if is_blank(kept) else kept


@contextmanager
def texts_kept(context: PortalContext, programme: str, subject: str, key: str, texts: list[str]) -> Iterator[list[str]]:
    """Each text's `text_ref`, after intake has it; the texts leave this process only sealed to intake's key. If what is
    recorded within, and names them, is refused, they are dropped: a text that no fact names does not stay."""
    common = {"programme": programme, "by": g.session.user.name}
    keys = [part_key(key, f"text {place}") for place in range(len(texts))]
    try:
        yield _keep_texts(context, subject, dict(zip(keys, texts, strict=True)), common)
    except UNSURE:
        raise  # it may have been recorded
    except PolkuError:
        if keys:
            with suppress(PolkuError):  # then they stay, encrypted, until the person goes (decision 0081)
                context.rpc.call("intake", "drop_texts", **common, items=[{"key": one} for one in keys])
        raise


def _keep_texts(context: PortalContext, subject: str, texts: Mapping[str, str], common: Mapping[str, Any]) -> list[str]:
    if not texts:
        return []
    items = [{"key": key, "subject": subject, "sealed": sealed_text(context, text)} for key, text in texts.items()]
    answer = context.rpc.call("intake", "keep_texts", **common, items=items)
    return [unless_refused(result)["text_ref"] for result in answer["results"]]


def sealed_text(context: PortalContext, text: str) -> str:
    """A text as only intake opens it, as base64."""
    return sealed(context, {"text": text})


def sealed(context: PortalContext, content: Mapping[str, Any]) -> str:
    """Content as only intake opens it, as base64."""
    bus_key = context.bus_key()
    if bus_key is None:
        raise NotFound(what="bus key")
    return seal_command(bus_key, content)


def read_texts(context: PortalContext, programme: str, refs: Collection[str]) -> dict[str, str | None]:
    """Texts by `text_ref`, None for one that is gone. Logged as read, in intake."""
    if not refs:
        return {}
    reply = ReplyKey()
    common = {"programme": programme, "by": g.session.user.name}
    answer = context.rpc.call("intake", "read_texts", **common, refs=list(refs), reply_to=reply.public_hex)
    return {row["text_ref"]: reply.open_text(row["sealed"]) for row in answer["texts"]}


def today(context: PortalContext) -> date:
    """The day in Finland."""
    return today_in_helsinki(context.now())


def days(context: PortalContext, names: ProgrammeNames) -> tuple[date, date]:
    """The first and the last day that something may have happened on: within the project, not after today."""
    today = today_in_helsinki(context.now())
    start, end = names.period or (today, today)
    return start, max(start, min(today, end))


def day_from(text: str) -> date | None:
    """The day that a date field sent; None if it is none. Other ways to write one that ISO has no service takes."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def is_number(text: str, digits: int) -> bool:
    """Whether a field sent a whole number of at most so many digits."""
    return text.isascii() and text.isdigit() and len(text) <= digits


def number_from(text: str, most: int) -> int | None:
    """The whole number from 1 to `most` that a field sent; None if it is none."""
    return int(text) if is_number(text, 6) and 1 <= int(text) <= most else None


def too_long(text: str) -> bool:
    """Whether the vault would refuse it for its length."""
    return len(text) > LONGEST_TEXT


def said_day(text: str) -> str:
    """A day as people write it; what is no day as it is."""
    day = day_from(text)
    return formats.day(day, g.lang) if day else text
