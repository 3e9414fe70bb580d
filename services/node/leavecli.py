"""`polku node leave`: the way out for a home whose lead is gone for good."""

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home
from shared.ops.clock import utcnow


@click.command("leave")
@home_option
@click.argument("programme", metavar="PROGRAMME")
@click.option("--yes", is_flag=True, help="Do not ask again.")
def leave(programme: str, yes: bool) -> None:
    """Give up a lead that is gone for good: nothing more is sent to it, and a restored home waits for it no longer."""
    from services.node import leaving

    home = the_home("node")
    for line in leaving.preview(home, programme, utcnow()):
        click.echo(line, err=True)
    if not yes:
        click.confirm("Leave for good?", abort=True, err=True)
    leaving.leave(home, programme, actor(), utcnow())
    click.echo(f"{programme} is left; polku complete says what its lead has never confirmed")


COMMANDS: tuple[click.Command, ...] = (leave,)
