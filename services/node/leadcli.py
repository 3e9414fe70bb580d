"""The lead's commands about its partners: `polku lead admit|expel|conflicts|accept-epoch`."""

import contextlib
import json
import sys
from pathlib import Path

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home


@click.command("admit")
@home_option
@click.argument("partner")
@click.option("--programme", "key", required=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write it (default: stdout).")
@click.option("--uplink", default="", help="Where the node reaches this lead (default: the folder inbox/).")
def admit(partner: str, key: str, out: Path | None, uplink: str) -> None:
    """Invite a partner: hand the file over to it, `polku node join` answers."""
    from services.node.admitting import broker_definitions, invite, private_file
    from services.node.reaching import services_of

    home = the_home("lead")
    if uplink.startswith("amqp") and out is None:
        raise click.UsageError("an amqps:// uplink needs --out: what the broker must know is written beside it")
    file = None if out is None else private_file(out)  # before the lead notes an invite that could not be written
    with services_of(home) as rpc:
        made = invite(home, rpc, key, partner, actor(), uplink)
    with file or contextlib.nullcontext(sys.stdout) as place:
        click.echo(made.to_json(), file=place)
    if made.password and out is not None:
        broker = out.with_name(f"{out.name}.broker.json")
        with private_file(broker) as place:
            click.echo(broker_definitions(made), file=place)
        click.echo(f"now, at the broker: rabbitmqctl import_definitions {broker}", err=True)


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


COMMANDS: tuple[click.Command, ...] = (admit, expel, conflicts, accept_epoch)
