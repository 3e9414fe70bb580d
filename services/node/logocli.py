"""`polku programme logos`: which partner's logo stands where a name would, and why another does not."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import click

from services.node.homeoption import home_option, the_home
from shared.contracts.errors import UnknownProgramme
from shared.ops.settings import Home


@click.command("logos")
@home_option
@click.argument("programme", metavar="PROGRAMME")
@click.option("--json", "as_json", is_flag=True)
def logos(programme: str, as_json: bool) -> None:
    """Look at the partners' logos of this home, HOME/logos/PARTNER.svg or .png, in the order in which they stand. Exit
    2: a file is not taken for one, and the name stands there."""
    from services.node.reaching import services_of
    from services.portal.publicity import in_order

    home = the_home()
    with services_of(home) as rpc:
        listed = rpc.call("reporting" if home.role == "lead" else "pathways", "list_programmes")
    document = next((item["document"] for item in listed if item["programme"] == programme), None)
    if document is None:
        raise UnknownProgramme(programme=programme)
    rows = list(_rows(home, in_order(document)))
    for row in () if as_json else rows:
        why = f", not taken: {row['reason']}" if row["reason"] else ""
        click.echo(f"{row['partner']}: {row['file'] or 'no file, the name stands there'}{why}")
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    sys.exit(2 if any(row["reason"] for row in rows) else 0)


def _rows(home: Home, partners: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    from services.portal.logos import LogoRefused, file_of, picture

    for partner in partners:
        file, reason = file_of(home.path, partner), None
        try:
            if file is not None:
                picture(file)
        except LogoRefused as refused:
            reason = str(refused)
        except OSError:
            reason = "cannot be read"
        yield {"partner": partner, "file": file and file.name, "reason": reason}


COMMANDS: tuple[click.Command, ...] = (logos,)
