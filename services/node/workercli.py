"""`polku worker`: who works with whom, and handing people over."""

import json
import secrets
from datetime import datetime
from typing import Any

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home
from shared.contracts.errors import InvalidInput, unless_refused
from shared.contracts.worker_facts import HAND_OVER_REASONS
from shared.ops.settings import Home

_json = click.option("--json", "as_json", is_flag=True)


@click.group()
@home_option
def worker() -> None:
    """Who works with whom. A worker is a user of this home's portal."""


@worker.command("list")
@home_option
@_json
def listing(as_json: bool) -> None:
    """Who has how many people, and open tasks about them; nobody is named but the workers."""
    from services.node.accounts import case_workers
    from services.node.reaching import services_of

    home = the_home("node")
    with services_of(home) as rpc:
        rows = rpc.call("intake", "list_workers")
        for row in rows:
            row["tasks"] = sum(at["tasks"] for at in rpc.call("pathways", "tasks_of", worker=row["worker"]))
    users = case_workers(home)
    rows += [{"name": name, "worker": None, "programmes": [], "tasks": 0} for name in users - {r["name"] for r in rows}]
    rows = [row | {"user": row["name"] in users} for row in sorted(rows, key=lambda row: str(row["name"]))]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        held = ", ".join(f"{at['programme']} {at['people']}" for at in row["programmes"]) or "nobody"
        gone = "" if row["user"] else "  (no user any more)"
        click.echo(f"{row['name']}  people: {held}; open tasks: {row['tasks']}{gone}")


@worker.command("assign")
@home_option
@click.argument("programme")
@click.argument("name", metavar="WORKER")
@click.argument("people", metavar="PERSON...", nargs=-1, required=True)
def assign(programme: str, name: str, people: tuple[str, ...]) -> None:
    """Who works with these people from now on."""
    from services.node.reaching import services_of

    home = the_home("node")
    _known(home, name)
    items = [{"key": secrets.token_hex(32), "subject": subject, "worker": name} for subject in dict.fromkeys(people)]
    with services_of(home) as rpc:
        for result in rpc.call("intake", "assign_workers", programme=programme, by=actor(), items=items)["results"]:
            unless_refused(result)
    click.echo("noted")


@worker.command("hand-over")
@home_option
@click.argument("name", metavar="WORKER")
@click.argument("to", metavar="TO")
@click.option("--reason", type=click.Choice(HAND_OVER_REASONS), required=True)
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="Since when; today by default.")
@click.option("--programme", help="Only in this programme.")
@click.option("--person", "people", multiple=True, help="Only this person, who is of --programme; several times.")
@click.option("--back", is_flag=True, help="Only those who came from TO.")
@click.option("--dry-run", is_flag=True, help="Only say how many people and open tasks there are.")
@_json
def hand_over(
    name: str,
    to: str,
    reason: str,
    day: datetime | None,
    programme: str | None,
    people: tuple[str, ...],
    back: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Hand over all of a worker's people, with the open tasks about them; all of them or nobody."""
    from services.node.reaching import services_of

    home = the_home("node")
    _known(home, to, "to")
    wanted: dict[str, Any] = {"worker": name, "to": to, "reason": reason, "back": back, "dry_run": dry_run}
    wanted |= {"programme": programme, "people": list(people) or None}
    wanted["date"] = day.date().isoformat() if day else None
    with services_of(home) as rpc:
        tasks = _tasks(rpc, name) if not people and not back else None
        answer = rpc.call("intake", "hand_over", timeout=60.0, by=actor(), **wanted)
    said = {at["programme"]: {"people": at["people"]} for at in answer["programmes"]}
    if tasks is not None:
        said = {key: at | {"tasks": tasks.get(key, 0)} for key, at in said.items()}
    if as_json:
        click.echo(json.dumps({"handed_over": not dry_run, "total": answer["total"], "programmes": said}, indent=2))
        return
    click.echo(f"{'would hand over' if dry_run else 'handed over'}: {answer['total']} people, {name} to {to}")
    for key, at in said.items():
        with_tasks = f", open tasks about them: {at['tasks']}" if "tasks" in at else ""
        click.echo(f"  {key}: {at['people']}{with_tasks}")


def _tasks(rpc: Any, name: str) -> dict[str, int]:
    """The open tasks about a worker's people, by programme."""
    known = {row["name"]: row["worker"] for row in rpc.call("intake", "list_workers")}
    found = rpc.call("pathways", "tasks_of", worker=known[name]) if name in known else []
    return {at["programme"]: at["tasks"] for at in found}


def _known(home: Home, name: str, field: str = "worker") -> None:
    from services.node.accounts import case_workers

    if name not in case_workers(home):
        raise InvalidInput(field=field, reason="is no user of this home who works with people")


COMMANDS: tuple[click.Command, ...] = (worker,)
