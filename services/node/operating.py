"""The operator's commands: parked lines, the audit log's chain, the figures derived anew, the generated documents."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home
from shared.contracts.errors import NotFound, NotInThisRelease
from shared.ops.settings import Home

json_option = click.option("--json", "as_json", is_flag=True)


@click.group()
@home_option
def parked() -> None:
    """Facts whose effect failed; on a lead lines that are kept but not in the figures, on a node what it has lost."""


@parked.command("list")
@home_option
@json_option
def parked_list(as_json: bool) -> None:
    """What waits for somebody, by service and position; exit 0 also if something does."""
    found = _waiting(the_home())
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(_in_words(found)))


@parked.command("retry")
@home_option
@click.argument("service", required=False)
@click.argument("pos", type=click.IntRange(1), required=False)
@json_option
def parked_retry(service: str | None, pos: int | None, as_json: bool) -> None:
    """Run parked lines again, each person's in order: all, a service's, or the queue of one line.

    Exit 1 if a line failed again; it and what waits behind it stay parked.
    """
    from services.node.reaching import services_of
    from shared.journal.parked import queues

    home = the_home()
    rows = [row for row in _parked(home) if service in (None, row["service"]) and pos in (None, row["pos"])]
    if pos is not None and not rows:
        raise NotFound(what="parked line")
    results = []
    if rows:
        with services_of(home) as rpc:
            for name, first in queues(rows):
                results.append({"service": name, "queue": first, **_run_queue(rpc, name, first)})
    if as_json:
        click.echo(json.dumps(results, indent=2))
    for row in [] if as_json else results:
        failed = f"; line {row['at']} failed again: {row['error']}" if row["error"] else ""
        click.echo(f"{row['service']} {row['queue']}: {row['done']} took effect{failed}")
    if not results and not as_json:
        click.echo("nothing is parked")
    sys.exit(1 if any(row["error"] for row in results) else 0)


@parked.command("drop")
@home_option
@click.argument("service")
@click.argument("pos", type=click.IntRange(1))
@click.option("--reason", required=True, help="Why, as a code (a-z, 0-9, _): it stands in the audit log.")
@json_option
def parked_drop(service: str, pos: int, reason: str, as_json: bool) -> None:
    """Give a parked line up for the service: it stays in the journal and never takes effect there."""
    from services.node.reaching import services_of

    home = the_home()
    if not any((row["service"], row["pos"]) == (service, pos) for row in _parked(home)):
        raise NotFound(what="parked line")
    with services_of(home) as rpc:
        waiting = rpc.call(service, "drop_parked", by=actor(), pos=pos, reason=reason)["waiting"]
    after = f"; {waiting} wait behind it: `polku parked retry {service}`" if waiting else ""
    words = f"{service} {pos}: dropped{after}"
    click.echo(json.dumps({"service": service, "pos": pos, "waiting": waiting}) if as_json else words)


@click.group()
@home_option
def audit() -> None:
    """The log of who did what."""


@audit.command("verify")
@home_option
@json_option
def audit_verify(as_json: bool) -> None:
    """Recompute the log's chain; exit 1 and the number of the entry where it is broken."""
    from services.node.opening import open_database
    from shared.journal import audit as log
    from shared.storage import snapshot

    engine = open_database(the_home())
    with snapshot(engine) as connection:
        broken, entries = log.verify(connection), log.length(connection)
    found = {"whole": broken is None, "entries": entries, "broken_at": broken}
    words = f"{entries} entries, whole" if broken is None else f"broken at entry {broken} of {entries}"
    click.echo(json.dumps(found) if as_json else words)
    sys.exit(0 if broken is None else 1)


@click.group()
@home_option
def reporting() -> None:
    """The lead's figures."""


@reporting.command("rebuild")
@home_option
@click.option("--check", is_flag=True, help="Derive in memory and compare; changes nothing.")
@json_option
def reporting_rebuild(check: bool, as_json: bool) -> None:
    """Derive everything anew from the stored lines; exit 1 if the derived tables differ."""
    from services.node.opening import open_database
    from services.reporting import rebuilding

    if not check:
        raise NotInThisRelease(what="`reporting rebuild` without --check")
    home = the_home()
    if home.role == "node":
        click.echo(json.dumps({"equal": True, "streams": 0, "lines": 0, "differences": []}) if as_json else _NOTHING)
        return
    found = rebuilding.check(open_database(home))
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(_differences(found)))
    sys.exit(0 if found["equal"] else 1)


@click.command(hidden=True)
@click.option("--check", is_flag=True, help="Only say what is not current (exit 1).")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=Path("docs"))
def docs(directory: Path, check: bool) -> None:
    """Write the catalogue of contracts, the AsyncAPI document and the list of metrics."""
    from services.node.documents import generate

    stale = []
    for name, text in generate().items():
        path = directory / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    click.echo(f"{'not current' if check else 'written'}: {', '.join(stale)}" if stale else "all current")
    sys.exit(1 if check and stale else 0)


COMMANDS: tuple[click.Command, ...] = (parked, audit, reporting, docs)

_NOTHING = "a node derives no figures: nothing to check"


def _parked(home: Home) -> list[dict[str, Any]]:
    from services.node.opening import open_database
    from shared.journal.parked import listed
    from shared.storage import snapshot

    with snapshot(open_database(home)) as connection:
        return listed(connection)


def _waiting(home: Home) -> dict[str, Any]:
    found: dict[str, Any] = {"parked": _parked(home)}
    if home.role == "lead":
        from services.node.opening import open_database
        from services.reporting.queries import list_aside

        found["aside"] = list_aside(open_database(home))
    else:
        from services.node.opening import open_database
        from shared.journal.holding import lost
        from shared.storage import snapshot

        with snapshot(open_database(home)) as connection:
            found["lost"] = lost(connection, home.name)
    return found


def _in_words(found: dict[str, Any]) -> Iterator[str]:
    from shared.journal.holding import DONE_AGAIN

    for row in found["parked"]:
        behind = "" if row["queue"] == row["pos"] else f" ({row['queue']})"
        what = f"{row['kind'] or 'erased'}  {row['error']}{behind}"
        yield f"{row['service']} {row['pos']}  {what}  since {row['parked_at']}"
    for row in found.get("aside", ()):
        what = f"{row['kind']} v{row['v']}" if row["kind"] else "erased"
        yield f"{row['stream']} {row['seq']}  {what}  not in the figures: {row['reason']}"
    for row in found.get("lost", ()):
        what = f"{row['kind'] or 'erased'}  {row['recorded_at'] or ''}".rstrip()
        todo = "done again by itself" if row["kind"] in DONE_AGAIN else "see whether it has to be recorded again"
        yield f"{row['stream']} {row['seq']}  {what}  lost by a restore: {todo}"
    if not any(found.values()):
        yield "nothing is parked"


def _run_queue(rpc: Any, service: str, first: int) -> dict[str, Any]:
    """Retry a queue to its end or to the first line that fails again."""
    done = 0
    while True:
        answer = rpc.call(service, "retry_parked", by=actor(), pos=first, timeout=60)
        done += len(answer["done"])
        if answer["error"] or answer["at"] is None:
            return {"done": done, "error": answer["error"], "at": answer["at"]}
        first = answer["at"]


def _differences(found: dict[str, Any]) -> Iterator[str]:
    if found["equal"]:
        yield f"{found['lines']} lines of {found['streams']} streams derived anew: equal"
    for row in found["differences"]:
        counts = ", ".join(f"{row[name]} {name}" for name in ("missing", "unexpected", "changed") if row[name])
        keys = f" ({'; '.join(row['keys'])})" if row["keys"] else ""
        yield f"{row['stream']}  {row['table']}: {counts}{keys}"
