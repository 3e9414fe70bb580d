"""Links by which a worker reaches a person from their own phone: a call, a message, an e-mail, with a text in the
person's language. No text says what the project is, who runs it or what about: a telephone is read by others too.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from flask import g

from services.portal import formats, talks
from services.portal.context import PortalContext
from services.portal.replies import ReplyKey
from services.portal.words import LANG_NAMES, LANGS, Lang, pick_lang, words
from shared.contracts.contacts import plain_phone
from shared.contracts.people import CONTACT, CONTACT_WAYS

_LANGUAGE = re.compile("[a-z]{2,3}")
TEXTS = ("call_me", "how_are_you", "our_meeting")
"""The ready texts: please get in touch · I would like to ask how you are · a reminder of what was agreed."""


@dataclass(frozen=True)
class Contact:
    """How somebody is reached; empty: not known."""

    phone: str = ""
    email: str = ""
    contact_way: str = ""
    contact_language: str = ""
    lang: Lang = "fi"
    """The language of texts to them."""

    def __repr__(self) -> str:
        return "Contact(…)"  # never a number in a log


@dataclass(frozen=True)
class Link:
    """One way to reach somebody; `preferred`: the person's own wish."""

    way: str
    href: str
    preferred: bool

    def __repr__(self) -> str:
        return "Link(…)"  # never a number in a log


def read_contacts(context: PortalContext, programme: str, people: Collection[str], first: str) -> dict[str, Contact]:
    """How these people are reached, of whom that may be known; logged as read, in intake. `first`: the programme's
    first language, for whom none of ours is known."""
    if not people:
        return {}
    reply = ReplyKey()
    asked = {"programme": programme, "people": sorted(people), "by": g.session.user.name}
    found = {}
    for row in context.rpc.call("intake", "read_contacts", **asked, reply_to=reply.public_hex):
        how = reply.open_plain(row["sealed"])
        spoken = (row["contact_language"], row["service_language"], first)
        lang = next((lang for code in spoken if (lang := pick_lang(code))), LANGS[0])
        told = {name: str(how.get(name) or "") for name in CONTACT}
        found[row["person"]] = Contact(**told, contact_language=row["contact_language"] or "", lang=lang)
    return found


def links(contact: Contact | None, text: str, day: date | None = None) -> list[Link]:
    """The ways to reach somebody, the one that they prefer first, with the ready `text` (`TEXTS`)."""
    if contact is None:
        return []
    say = words(contact.lang)
    body = say(f"text_{text}", day=formats.day(day, contact.lang) if day else "")
    found = []
    if contact.phone:
        found += [("call", f"tel:{contact.phone}"), ("message", f"sms:{contact.phone}?body={_quoted(body)}")]
    if contact.email:
        subject = _quoted(say("text_subject"))
        found.append(("email", f"mailto:{quote(contact.email, safe='@')}?subject={subject}&body={_quoted(body)}"))
    made = [Link(way, href, way == contact.contact_way) for way, href in found]
    return sorted(made, key=lambda link: (not link.preferred, CONTACT_WAYS.index(link.way)))


def text_for(rule: Mapping[str, Any], opened_on: str) -> tuple[str, date | None]:
    """Which text fits a task of this rule of the programme file, and the day in it."""
    if (rule.get("opens") or {}).get("on") == "meeting_planned":
        return "our_meeting", talks.day_from(opened_on)
    if (rule.get("closes") or {}).get("on") == "outcome_recorded":
        return "how_are_you", None
    return "call_me", None


TYPED = ("phone", "email")
"""Fields in which something is typed."""


def typed(form: Mapping[str, str]) -> Contact:
    """How somebody is reached, as it was filled in; a phone number as services take it."""
    told = {name: talks.cleaned(form.get(name, "")) for name in (*CONTACT, "contact_language")}
    told["phone"] = plain_phone(told["phone"])
    return Contact(told["phone"], told["email"], told["contact_way"], told["contact_language"])


def problems(told: Contact) -> dict[str, str]:
    """What is wrong before anything is sent, by field; the rest is intake's to say."""
    found = {}
    for name, most in (("phone", 40), ("email", 254)):
        if len(getattr(told, name)) > most or "\n" in getattr(told, name):
            found[name] = f"problem_{name}"
    if told.contact_way and told.contact_way not in CONTACT_WAYS:
        found["contact_way"] = "problem_choose"
    if not is_language(told.contact_language or None):
        found["contact_language"] = "problem_choose"
    return found


def is_language(code: str | None) -> bool:
    """Whether it is none, or looks like an ISO 639 code."""
    return code is None or _LANGUAGE.fullmatch(code) is not None


def languages(kept: Contact | None) -> list[tuple[str, str]]:
    """The languages to choose from: ours, and the one that is kept."""
    ours: list[tuple[str, str]] = [(code, LANG_NAMES[code]) for code in LANGS]
    has = kept.contact_language if kept else ""
    return ours + ([(has, has)] if has and has not in LANGS else [])


def _quoted(text: str) -> str:
    return quote(text, safe="")
