"""Reports as files from the command line; the portal's own code makes and certifies them."""

from services.node.control import Rpc
from services.portal.logos import pictures
from services.portal.report_file import report_file
from services.portal.report_page import ProgrammeNames
from services.portal.words import pick_lang
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
    listed = {item["programme"]: item for item in rpc.call("reporting", "list_programmes")}
    if programme not in listed:
        raise UnknownProgramme(programme=programme)
    chosen = pick_lang(lang)
    assert chosen is not None
    names = ProgrammeNames.of(listed[programme], pictures(home.path))
    return report_file(rpc, form, names, chosen, start, end)
