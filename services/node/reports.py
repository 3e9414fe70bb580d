"""Reports as documents from the command line; the pages' own code makes them."""

from typing import Any

from services.node.control import Rpc
from services.portal.report_page import ProgrammeNames, render_report_html
from services.portal.words import pick_lang


def as_html(rpc: Rpc, figures: dict[str, Any], lang: str) -> str:
    """The report as one self-contained HTML file."""
    listed = {item["programme"]: item for item in rpc.call("reporting", "list_programmes")}
    names = ProgrammeNames.of(listed[figures["programme"]])
    chosen = pick_lang(lang)
    assert chosen is not None
    return render_report_html(figures, names, chosen)
