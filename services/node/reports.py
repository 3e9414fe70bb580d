"""Reports as files from the command line; the portal's own code makes and certifies them."""

from typing import Any

from services.node.control import Rpc
from services.portal.logos import pictures
from services.portal.names import ProgrammeNames
from services.portal.report_file import make_release, report_file
from services.portal.words import Lang, pick_lang
from shared.contracts.errors import UnknownProgramme
from shared.journal.certificate import Form
from shared.ops.settings import Home


def certified(
    home: Home,
    rpc: Rpc,
    programme: str,
    form: Form,
    lang: str = "fi",
    start: str | None = None,
    end: str | None = None,
) -> bytes:
    """The lead's report with its certificate. Raises `UnknownProgramme`."""
    return report_file(rpc, form, _names(home, rpc, programme), chosen(lang), start, end)


def released(
    home: Home, rpc: Rpc, programme: str, lang: str, start: str | None, end: str | None, by: str
) -> dict[str, Any]:
    """Freeze the lead's report as it is now; `release` and `digest`. Raises `UnknownProgramme`."""
    return make_release(rpc, _names(home, rpc, programme), chosen(lang), start, end, by=by)


def chosen(lang: str) -> Lang:
    """One of the languages that the command line has checked."""
    known = pick_lang(lang)
    assert known is not None
    return known


def _names(home: Home, rpc: Rpc, programme: str) -> ProgrammeNames:
    listed = {item["programme"]: item for item in rpc.call("reporting", "list_programmes")}
    if programme not in listed:
        raise UnknownProgramme(programme=programme)
    return ProgrammeNames.of(listed[programme], pictures(home.path))
