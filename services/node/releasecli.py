"""`polku lead release|releases`: reports that are frozen; `polku report --release ID` prints one."""

import json
from typing import Any

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home
from shared.contracts.releases import LANGUAGES


@click.command("release")
@home_option
@click.argument("programme", metavar="PROGRAMME")
@click.option("--from", "start", metavar="D")
@click.option("--to", "end", metavar="D")
@click.option("--lang", type=click.Choice(LANGUAGES), default="fi", show_default=True)
@click.option("--json", "as_json", is_flag=True)
def release(programme: str, start: str | None, end: str | None, lang: str, *, as_json: bool) -> None:
    """Freeze the report of PROGRAMME as it is now, for the funder: it is kept byte for byte, whatever comes later, and
    every node is told its id and digest, but no figure. What is released stays; to mend something, release again."""
    from services.node.reaching import services_of
    from services.node.reports import released

    home = the_home("lead")
    with services_of(home) as rpc:
        made = released(home, rpc, programme, lang, start, end, actor())
    if as_json:
        click.echo(json.dumps({name: made[name] for name in ("release", "digest")}))
        return
    click.echo(f"released {made['release']}  SHA-256 {made['digest']}")
    click.echo(f"polku report {programme} --release {made['release']} --format json prints it")


@click.command("releases")
@home_option
@click.argument("programme", metavar="PROGRAMME")
@click.option("--json", "as_json", is_flag=True)
def releases(programme: str, *, as_json: bool) -> None:
    """Every report of PROGRAMME that was ever frozen, the oldest first."""
    from services.node.reaching import services_of

    with services_of(the_home("lead")) as rpc:
        found = rpc.call("reporting", "list_releases", programme=programme)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for row in found:
        click.echo("\n".join(_said(row)))
    if not found:
        click.echo("no releases")


def _said(row: dict[str, Any]) -> list[str]:
    days = f"{row['from'] or 'the beginning'} to {row['to'] or 'the end'}"
    told = [f"{row['release']}  made {row['made_on']}  {days}  {row['audience']}", f"  SHA-256 {row['digest']}"]
    if row["follows"]:
        told.append(f"  follows {row['follows']}")
    if not row["kept"]:
        told.append("  its document is gone: this lead was restored from a backup before it")
    return told


COMMANDS: tuple[click.Command, ...] = (release, releases)
