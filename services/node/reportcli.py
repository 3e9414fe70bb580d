"""Commands about the lead's reports: `polku report`, `polku verify`."""

import sys
from pathlib import Path
from typing import Any

import click

from services.node.homeoption import home_option, home_path, the_home
from shared.contracts.errors import InvalidInput, NotInThisRelease
from shared.contracts.releases import LANGUAGES


@click.command()
@home_option
@click.argument("key", metavar="PROGRAMME")
@click.option("--format", "form", type=click.Choice(["json", "html", "csv", "xlsx", "pdf", "docx"]), required=True)
@click.option("--audience", type=click.Choice(["internal", "funder", "steering", "public"]), default="funder")
@click.option("--from", "start", metavar="D")
@click.option("--to", "end", metavar="D")
@click.option("--period", metavar="P")
@click.option("--by", metavar="…")
@click.option("--release", metavar="ID", help="The frozen report with this id: JSON byte for byte, others made of it.")
@click.option("--lang", type=click.Choice(LANGUAGES), default="fi", show_default=True)
def report(
    key: str,
    form: str,
    audience: str,
    start: str | None,
    end: str | None,
    release: str | None,
    lang: str,
    **later: Any,
) -> None:
    """The lead's report with its certificate, on stdout."""
    from services.node.reaching import services_of
    from services.node.reports import certified, chosen
    from services.portal.report_file import release_file
    from shared.journal.certificate import PLACES

    for name, value in later.items():
        if value is not None:
            raise NotInThisRelease(what=f"--{name}")
    place = next((known for known in PLACES if known == form), None)
    if place is None:
        raise NotInThisRelease(what=f"--format {form}")
    if audience != "funder":
        raise NotInThisRelease(what=f"--audience {audience}")
    if release and (start or end):
        raise InvalidInput(field="--release", reason="a release has its own days: leave --from and --to out")
    home = the_home("lead")
    with services_of(home) as rpc:
        if release is None:
            file = certified(home, rpc, key, place, lang, start, end)
        else:
            file = release_file(rpc, place, key, release, chosen(lang))
    click.echo(file, nl=False)


@click.command()
@home_option
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--key", "words", metavar="FINGERPRINT", help="The six words of the key that must have signed it.")
def verify(file: Path, words: str | None) -> None:
    """Whether a report, or the folder of an archive, is unaltered, who signed it, and what that proves; needs no home,
    database or network."""
    from services.node.verifying import run

    sys.exit(run(file, home_path(), words))


COMMANDS: tuple[click.Command, ...] = (report, verify)
