"""`polku user`: the portal's users, and where one is told that tasks wait."""

import json
from typing import Literal

import click

from services.node.homeoption import home_option, the_home
from shared.contracts.releases import LANGUAGES


@click.command("add")
@home_option
@click.argument("name")
@click.option("--role", "roles", required=True, help="One role, or several with commas.")
def add(name: str, roles: str) -> None:
    """Make a user; prints a one-time password that must be changed at first login."""
    from services.node import accounts

    click.echo(accounts.add(the_home(), name, roles.split(",")))


@click.command("list")
@home_option
@click.option("--json", "as_json", is_flag=True)
def list_(as_json: bool) -> None:
    """Show the users."""
    from services.node.accounts import listing

    rows = listing(the_home())
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    for row in [] if as_json else rows:
        click.echo(
            f"{row['name']}  {','.join(row['roles'])}{'  (password to be changed)' if row['must_change'] else ''}"
        )


@click.command("reset")
@home_option
@click.argument("name")
def reset(name: str) -> None:
    """Give a user a new one-time password and end their sessions."""
    from services.node import accounts

    click.echo(accounts.reset(the_home(), name))


@click.command("remove")
@home_option
@click.argument("name")
def remove(name: str) -> None:
    """Remove a user and end their sessions."""
    from services.node import accounts

    accounts.remove(the_home(), name)


@click.command("mail")
@home_option
@click.argument("name")
@click.argument("address", required=False)
@click.option("--lang", type=click.Choice(LANGUAGES), default="fi", show_default=True)
@click.option("--none", "nowhere", is_flag=True, help="Tell this user no longer.")
def mail(name: str, address: str | None, lang: Literal["fi", "sv", "en"], nowhere: bool) -> None:
    """Tell a user by e-mail, at most once a day, that tasks wait; the message names nobody."""
    from services.node.opening import open_database
    from services.portal.notices import set_address

    if (address is None) != nowhere:
        raise click.UsageError("give an address, or --none")
    set_address(open_database(the_home("node")), name, address, lang)
    click.echo(f"{name}: {'is told no longer' if nowhere else 'is told by e-mail'}")


COMMANDS: tuple[click.Command, ...] = (add, list_, reset, remove, mail)
