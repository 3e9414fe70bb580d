"""`polku node partners|confirm|tag-key`: recognising other nodes, and the key by which people are recognised."""

import json
from collections.abc import Iterator
from typing import Any

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home


@click.command()
@home_option
@click.argument("programme", metavar="PROGRAMME")
@click.option("--json", "as_json", is_flag=True)
def partners(programme: str, as_json: bool) -> None:
    """The programme's nodes with their six words: read yours to the others, and hear theirs."""
    from services.node.reaching import services_of

    with services_of(the_home("node")) as rpc:
        found = rpc.call("intake", "list_nodes", programme=programme)
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(_lines(found)))


@click.command()
@home_option
@click.argument("programme", metavar="PROGRAMME")
@click.argument("node", metavar="NODE")
@click.argument("words", nargs=-1, required=True, metavar="WORDS")
def confirm(programme: str, node: str, words: tuple[str, ...]) -> None:
    """Note that the node's people have read you these six words, by telephone or face to face."""
    from services.node.reaching import services_of

    with services_of(the_home("node")) as rpc:
        said = " ".join(words)
        done = rpc.call("intake", "confirm_node", by=actor(), programme=programme, node=node, words=said)
    click.echo(f"{node} is confirmed" + ("; it is handed the tag key" if done["handed_tag_key"] else ""))


@click.command("tag-key")
@home_option
@click.argument("programme", metavar="PROGRAMME")
@click.option("--new", is_flag=True, help="Make the next tag key and hand it to the confirmed nodes.")
@click.option("--retire", type=click.IntRange(1, 999_999), metavar="N", help="Give up an older key, here and there.")
def tag_key(programme: str, new: bool, retire: int | None) -> None:
    """On the steward's node: the key by which people are recognised whom several partners met."""
    from services.node.reaching import services_of

    if new == (retire is not None):
        raise click.UsageError("give either --new or --retire N")
    with services_of(the_home("node")) as rpc:
        if new:
            done = rpc.call("intake", "renew_tag_key", by=actor(), programme=programme)
            click.echo(f"tag key {done['key_no']} is in use here, and on its way to the confirmed nodes")
        else:
            rpc.call("intake", "retire_tag_key", by=actor(), programme=programme, key_no=retire)
            click.echo(f"tag key {retire} is given up here, and will be at the confirmed nodes")


COMMANDS = (partners, confirm, tag_key)

_STATES = {
    "confirmed": "confirmed",
    "unconfirmed": "not confirmed: polku node confirm",
    "changed": "its keys have changed since it was confirmed",
}


def _lines(found: dict[str, Any]) -> Iterator[str]:
    if found["steward"] is None:
        yield "people are counted per partner: the programme file names no steward (tag)"
    else:
        keys = ", ".join(map(str, found["key_nos"])) or "none yet"
        yield f"steward: {found['steward']}; tag keys here: {keys}"
    for node in found["nodes"]:
        state = "this node" if node["own"] else "expelled" if node["expelled"] else _STATES[node["state"]]
        yield f"{node['node']}  {node['partner']}  {node['words']}  {state}"
    if not found["nodes"]:
        yield "the lead has not said yet who takes part"
