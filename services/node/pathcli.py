"""`polku step` and `polku product`."""

import json
import secrets
from datetime import datetime
from typing import Any

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home

_DAY = click.DateTime(["%Y-%m-%d"])
_json = click.option("--json", "as_json", is_flag=True)
_person = click.option("--person", required=True, help="The person's code, 32 hex digits.")


def _ask(method: str, **body: Any) -> Any:
    from services.node.reaching import services_of

    with services_of(the_home("node")) as rpc:
        return rpc.call("pathways", method, **body)


def _text(day: datetime | None) -> str | None:
    return day.date().isoformat() if day else None


@click.group()
@home_option
def step() -> None:
    """People's steps: how somebody stands, pauses, what is proposed. Many at once: steps.csv, pauses.csv."""


@step.command("show")
@home_option
@click.argument("programme")
@_person
@_json
def step_show(programme: str, person: str, as_json: bool) -> None:
    """A person's times on steps, the times away from them, and what is proposed."""
    found = _ask("steps_of", programme=programme, subject=person)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for row in found["steps"]:
        away = "".join(f"; away {p['paused_on']} – {p['resumed_on'] or ''}" for p in row["pauses"])
        click.echo(f"{row['step']}: {row['entered_on']} – {row['left_on'] or ''}{away}")
    for row in found["proposals"]:
        click.echo(f"may {row['what']} {row['step']} since {row['since']}")


@step.command("proposals")
@home_option
@click.argument("programme")
@click.option("--limit", type=click.IntRange(1, 500), default=100)
@click.option("--offset", type=click.IntRange(0), default=0)
@_json
def step_proposals(programme: str, limit: int, offset: int, as_json: bool) -> None:
    """Who may enter a step, and for whom one is done, by the programme's conditions; nobody is named."""
    found = _ask("list_proposals", programme=programme, limit=limit, offset=offset)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(f"proposals: {found['total']}")
    for row in found["proposals"]:
        click.echo(f"  {row['since']}  {row['what']} {row['step']}  person {row['subject'][:8]}")


@step.command("pause")
@home_option
@click.argument("programme")
@click.argument("key", metavar="STEP")
@_person
@click.option("--from", "since", type=_DAY, required=True)
@click.option("--to", "until", type=_DAY, help="The day of coming back; the same --from again with it ends the pause.")
def step_pause(programme: str, key: str, person: str, since: datetime, until: datetime | None) -> None:
    """Note that somebody is away from a step that they are on, or is back."""
    body = {"subject": person, "step": key, "paused_on": _text(since), "resumed_on": _text(until)}
    item = {"key": secrets.token_hex(32), **body}  # of no content: what was taken back may be recorded again
    answer = _ask("record_pauses", by=actor(), programme=programme, items=[item])
    _tell(answer["results"][0])


@click.command()
@home_option
@click.argument("programme")
@click.argument("key", metavar="PRODUCT")
@click.argument("state", type=click.Choice(["begun", "finished"]))
@click.option("--on", "day", type=_DAY, required=True)
def product(programme: str, key: str, state: str, day: datetime) -> None:
    """Note how far a product of the programme is, and since which day."""
    what = {"programme": programme, "product": key, "state": state, "date": _text(day)}
    answer = _ask("record_product", by=actor(), **what)
    click.echo("recorded" if answer["new"] else "was recorded already")


def _tell(result: dict[str, Any]) -> None:
    from shared.contracts.errors import unless_refused

    click.echo("recorded" if unless_refused(result)["new"] else "was recorded already")


COMMANDS: tuple[click.Command, ...] = (step, product)
