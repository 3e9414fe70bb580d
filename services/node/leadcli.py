"""The lead's commands about its partners that are not about letting them in: `polku lead expel|conflicts`."""

import json

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home


@click.command("expel")
@home_option
@click.argument("partner")
@click.option("--programme", "key", required=True)
def expel(partner: str, key: str) -> None:
    """Take nothing more of a partner; what it has sent stays in the figures, its last line in every report. A lead
    that was restored no longer waits for it: so it goes on when a member is gone for good."""
    from services.node.reaching import services_of

    with services_of(the_home("lead")) as rpc:
        done = rpc.call("reporting", "expel_partner", by=actor(), programme=key, partner=partner)
    click.echo(f"{partner}: {done['node']} is no member of {key} any more")
    if done["held"]:
        click.echo(
            "held after a restore: it is waited for no longer, and recorded when the other members have answered"
        )


@click.command("conflicts")
@home_option
@click.option("--json", "as_json", is_flag=True)
def conflicts(as_json: bool) -> None:
    """Streams of which two histories exist: both chains, and from which line on they part."""
    from services.node.reaching import services_of

    with services_of(the_home("lead")) as rpc:
        found = rpc.call("reporting", "conflicts")
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for row in found:
        click.echo(f"{row['stream']}  epoch {row['epoch']}, line {row['seq']}  {row['state']}  {row['received_at']}")
        click.echo(f"  ours    {row['ours']}\n  theirs  {row['theirs']}")
    if not found:
        click.echo("no conflicts")


@click.command("accept-epoch")
@home_option
@click.argument("node")
def accept_epoch(node: str) -> None:
    """Go on with a restored node: what it has lost is void, kept and shown, in no figure. Or, if a node's stream has
    stopped because two histories exist and it claims no new epoch: the one that we hold counts."""
    from services.node.reaching import services_of

    with services_of(the_home("lead")) as rpc:
        accepted = rpc.call("reporting", "accept_epoch", by=actor(), node=node)["streams"]
    for row in accepted:
        click.echo(
            f"{row['stream']}: goes on after line {row['seq']} in epoch {row['epoch']}; {row['void']} lines void"
        )


COMMANDS: tuple[click.Command, ...] = (expel, conflicts, accept_epoch)
