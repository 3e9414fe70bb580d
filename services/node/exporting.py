"""`polku person export`: a copy of all that a node keeps about one person, asked of each service for its part."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from services.node.control import Rpc
from services.node.erasing import SECONDS
from services.portal.person_copy import language_of, render_copy
from services.portal.report_page import ProgrammeNames
from services.portal.words import LANGS, Lang
from shared.contracts.commands import MAX_ITEMS
from shared.journal.crypto import open_sealed
from shared.ops.clock import today_in_helsinki, utcnow
from shared.ops.settings import Home
from shared.programmes.purposes import Purpose, purposes

SERVICES = ("activities", "pathways", "measurement")
"""Beside intake, which tells who the person is."""


def gather(home: Home, rpc: Rpc, programme: str, subject: str, by: str) -> dict[str, Any]:
    """The copy: what each service keeps, texts in clear, the journal's lines, when the data were used."""
    reply = X25519PrivateKey.generate()
    reply_to, private = reply.public_key().public_bytes_raw().hex(), reply.private_bytes_raw()
    who = {"programme": programme, "subject": subject, "by": by}
    kept = rpc.call("intake", "copy_person", timeout=SECONDS, **who, reply_to=reply_to)
    copy: dict[str, Any] = {
        "made_on": today_in_helsinki(utcnow()).isoformat(),
        "node": home.name,
        "programme": programme,
        "person": subject,
        **_opened(private, kept["sealed"]),
    }
    for service in SERVICES:
        copy[service] = rpc.call(service, "person_share", timeout=SECONDS, **who)
    copy["purposes"] = [_plain(purpose) for purpose in purposes(_document(rpc, programme))]
    refs, texts = copy["intake"]["text"], dict[str, str | None]()
    for start in range(0, len(refs), MAX_ITEMS):
        asked = {"refs": refs[start : start + MAX_ITEMS], "reply_to": reply_to, "by": by, "programme": programme}
        for text in rpc.call("intake", "read_texts", timeout=SECONDS, **asked)["texts"]:
            texts[text["text_ref"]] = _opened(private, text["sealed"])["text"] if text["sealed"] else None
    return copy | {"texts": texts}


def as_html(rpc: Rpc, copy: dict[str, Any], lang: Lang | None) -> str:
    """The copy as a document in `lang`, else in the person's language, else in the programme's first."""
    document = _document(rpc, copy["programme"])
    names = ProgrammeNames.of({"programme": copy["programme"], "name": document.get("name"), "document": document})
    spoken = document.get("languages", ())
    first = next((code for code in LANGS if code == (spoken or ["fi"])[0]), LANGS[0])
    return render_copy(copy, names, lang or language_of(copy) or first)


def _document(rpc: Rpc, programme: str) -> dict[str, Any]:
    listed = rpc.call("pathways", "list_programmes")
    return next((item["document"] for item in listed if item["programme"] == programme), {})


def _plain(purpose: Purpose) -> dict[str, Any]:
    until = purpose.keep_until.isoformat() if purpose.keep_until else None
    kept = {"keep_until": until, "keep_months": purpose.keep_months}
    return {"purpose": purpose.key, "basis": purpose.basis, "law": purpose.law or None, **kept}


def _opened(private: bytes, sealed: str) -> Any:
    return json.loads(open_sealed(private, b"polku-reply-1", base64.b64decode(sealed)))
