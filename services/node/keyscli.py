"""`polku keys rotate`: the home's next key of a kind."""

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home
from shared.ops.clock import utcnow


@click.group()
@home_option
def keys() -> None:
    """The keys of this home."""


@keys.command("rotate")
@home_option
@click.argument("kind", metavar="signing|receiving|vault|index|bus")
def rotate(kind: str) -> None:
    """Make the next key of a kind. It comes into use while the home runs; nothing has to be stopped.

    \b
    signing    the node's leads, or the lead's nodes, learn it under the older one, which is taken for 60 days more
               and is kept: what it signed verifies for ever
    receiving  the others seal to it as soon as they have heard of it; the older one is kept, to open what is under way
    vault      people's keys are wrapped anew; the older one is deleted a day later
    index      the older one is kept, to recognise commands that are repeated
    bus        the private half of the older one is deleted a day later

    A lead has signing and receiving. The key by which people are recognised: polku node tag-key.
    """
    from services.node.rotating import AFTER
    from services.node.rotating import rotate as run

    home = the_home()
    made = run(home, kind, actor(), utcnow())
    click.echo(f"made {made.name}-{made.number}: {AFTER[home.role][kind]}")


COMMANDS: tuple[click.Command, ...] = (keys,)
