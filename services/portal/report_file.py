"""A report as a file with its certificate: JSON, HTML or CSV, the same from the portal and from the command line."""

import json
from typing import Any

from services.portal.context import Rpc
from services.portal.labels import label_of
from services.portal.report_csv import render_report_csv
from services.portal.report_page import ProgrammeNames, render_report_html, statement
from services.portal.words import Lang
from shared.journal.certificate import Form, digest_of, frame


def report_file(
    rpc: Rpc, form: Form, names: ProgrammeNames, lang: Lang, start: str | None = None, end: str | None = None
) -> bytes:
    """The lead's report of a programme, of the days `start` to `end` (ISO, both included).

    Reporting is asked twice: for the figures with their proof, and to sign the file that was made of them.
    """
    report = rpc.call("reporting", "report", programme=names.key, from_=start, to=end)
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
