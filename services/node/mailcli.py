"""`polku user mail`: where a user is told that tasks wait."""

import click

from services.node.homeoption import home_option, the_home
from shared.contracts.releases import LANGUAGES


@click.command("mail")
@home_option
@click.argument("name")
@click.argument("address", required=False)
@click.option("--lang", type=click.Choice(LANGUAGES), default="fi", show_default=True)
@click.option("--none", "nowhere", is_flag=True, help="Tell this user no longer.")
def mail(name: str, address: str | None, lang: str, nowhere: bool) -> None:
    """Tell a user by e-mail, at most once a day, that tasks wait; the message names nobody."""
    from services.node.opening import open_database
    from services.portal.notices import set_address

    if (address is None) != nowhere:
        raise click.UsageError("give an address, or --none")
    set_address(open_database(the_home("node")), name, address, lang)  # type: ignore[arg-type]
    click.echo(f"{name}: {'is told no longer' if nowhere else 'is told by e-mail'}")


COMMANDS: tuple[click.Command, ...] = (mail,)
