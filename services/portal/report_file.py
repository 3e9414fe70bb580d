"""A report as a file with its certificate: JSON, HTML or CSV, the same from the portal and from the command line."""

import json
import secrets
from typing import Any

from services.portal.context import Rpc
from services.portal.labels import label_of
from services.portal.names import ProgrammeNames
from services.portal.report_csv import render_report_csv
from services.portal.report_page import render_report_html, statement
from services.portal.words import Lang
from shared.journal.certificate import Form, digest_of, frame


def report_file(
    rpc: Rpc, form: Form, names: ProgrammeNames, lang: Lang, start: str | None = None, end: str | None = None
) -> bytes:
    """The lead's report of a programme, of the days `start` to `end` (ISO, both included).

    Reporting is asked twice: for the figures with their proof, and to sign the file that was made of them.
    """
    return _certified(rpc, form, rpc.call("reporting", "report", programme=names.key, from_=start, to=end), names, lang)


def new_id() -> str:
    """The id of a release: 128 random bits, derived from nothing."""
    return secrets.token_hex(16)


def make_release(
    rpc: Rpc, names: ProgrammeNames, lang: Lang, start: str | None, end: str | None, *, by: str
) -> dict[str, Any]:
    """Freeze the report as it is now: reporting keeps the certified JSON, which has the release's id; `release` and
    `digest` (SHA-256 of the document)."""
    report = rpc.call("reporting", "report", programme=names.key, from_=start, to=end)
    release = new_id()
    document = _certified(rpc, "json", report | {"release": release}, names, lang).hex()
    common: dict[str, Any] = {"programme": names.key, "release": release, "by": by}
    made: dict[str, Any] = rpc.call("reporting", "make_release", **common, language=lang, document=document)
    return made


def release_file(rpc: Rpc, form: Form, programme: str, release: str, lang: Lang) -> bytes:
    """A frozen report: the JSON as it was made, whatever `lang`; the other forms are made of it and of the programme's
    file as it was then, and certified now by the same proof. Raises `NotFound`."""
    kept = rpc.call("reporting", "read_release", programme=programme, release=release)
    document = bytes.fromhex(kept["document"])
    if form == "json":
        return document
    report = json.loads(document) | {"proof": kept["proof"]}
    for row in report.get("indicators", ()):
        row["label"] = {kept["language"]: row["label"]}
    definition = kept["definition"]
    listed = {"programme": programme, "name": definition["name"], "document": definition}
    return _certified(rpc, form, report, ProgrammeNames.of(listed), lang)


def _certified(rpc: Rpc, form: Form, report: dict[str, Any], names: ProgrammeNames, lang: Lang) -> bytes:
    """A file of these figures with the certificate that reporting gives it."""
    before, after = frame(form, _body(report, form, names, lang))
    proof, digest = report["proof"]["statement"], digest_of(before, after).hex()
    signed: str = rpc.call("reporting", "certify", proof=proof, digest=digest)["certificate"]
    return before + signed.encode("ascii") + after


def _body(report: dict[str, Any], form: Form, names: ProgrammeNames, lang: Lang) -> str:
    if form == "html":
        return render_report_html(report, names, lang).rstrip() + "\n"
    if form == "csv":
        return render_report_csv(report, names, lang, statement(lang))
    figures = {member: value for member, value in report.items() if member != "proof"}
    if "indicators" in figures:
        figures["indicators"] = [
            row | {"label": label_of(row["label"], lang, row["code"]).text} for row in figures["indicators"]
        ]
    return json.dumps(figures | {"statement": statement(lang)}, indent=2, ensure_ascii=False) + "\n"
