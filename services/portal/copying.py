"""A copy of all that a node keeps about one person, asked of each service for its part; the page and the command line
make it here."""

from datetime import date
from typing import Any

from services.portal.context import Rpc
from services.portal.logos import Pictures
from services.portal.names import ProgrammeNames
from services.portal.person_copy import language_of, render_copy
from services.portal.replies import ReplyKey
from services.portal.words import LANGS, Lang
from shared.contracts.commands import MAX_ITEMS
from shared.ops.clock import iso_day
from shared.programmes.purposes import Purpose, purposes

SERVICES = ("activities", "pathways", "measurement")
"""Beside intake, which tells who the person is."""
SECONDS = 60.0


def gather(rpc: Rpc, node: str, programme: str, subject: str, *, by: str, today: date) -> dict[str, Any]:
    """The copy: what each service keeps, texts in clear, the journal's lines, when the data were used. `node`: whose it
    is, as people read it."""
    reply = ReplyKey()
    who: dict[str, Any] = {"programme": programme, "subject": subject, "by": by}
    kept = rpc.call("intake", "copy_person", timeout=SECONDS, **who, reply_to=reply.public_hex)
    copy: dict[str, Any] = {
        "made_on": today.isoformat(),
        "node": node,
        "programme": programme,
        "person": subject,
        **reply.open_plain(kept["sealed"]),
    }
    for service in SERVICES:
        copy[service] = rpc.call(service, "person_share", timeout=SECONDS, **who)
    copy["purposes"] = [_plain(purpose) for purpose in purposes(document_of(rpc, programme))]
    refs, texts = copy["intake"]["text"], dict[str, str | None]()
    for start in range(0, len(refs), MAX_ITEMS):
        asked = {"programme": programme, "by": by, "refs": refs[start : start + MAX_ITEMS]}
        for text in rpc.call("intake", "read_texts", timeout=SECONDS, **asked, reply_to=reply.public_hex)["texts"]:
            texts[text["text_ref"]] = reply.open_text(text["sealed"])
    return copy | {"texts": texts}


def as_html(rpc: Rpc, copy: dict[str, Any], lang: Lang | None, pictures: Pictures) -> str:
    """The copy as a document in `lang`, else in the person's language, else in the programme's first."""
    document = document_of(rpc, copy["programme"])
    listed = {"programme": copy["programme"], "name": document.get("name"), "document": document}
    names = ProgrammeNames.of(listed, pictures)
    spoken = document.get("languages", ())
    first = next((code for code in LANGS if code == (spoken or ["fi"])[0]), LANGS[0])
    return render_copy(copy, names, lang or language_of(copy) or first)


def document_of(rpc: Rpc, programme: str) -> dict[str, Any]:
    """The programme file in use; empty if there is none."""
    listed = rpc.call("pathways", "list_programmes")
    found: dict[str, Any] = next((item["document"] for item in listed if item["programme"] == programme), {})
    return found


def _plain(purpose: Purpose) -> dict[str, Any]:
    until = iso_day(purpose.keep_until)
    kept = {"keep_until": until, "keep_months": purpose.keep_months}
    return {"purpose": purpose.key, "basis": purpose.basis, "law": purpose.law or None, **kept}
