"""`polku period confirm` as a person meets it: what is unmarked, unfinished or missing, then the question."""

from collections.abc import Iterator
from typing import Any

import click

from services.node.actor import actor
from services.node.reaching import services_of
from shared.contracts.errors import InvalidInput
from shared.ops.settings import Home


def run(home: Home, programme: str, period: str, *, yes: bool, again: bool) -> int:
    """Show the state of the period on stdout and confirm it; the exit code (1: the answer was no)."""
    with services_of(home) as rpc:
        state = rpc.call("pathways", "period_state", programme=programme, period=period)
        if not state["over"]:
            raise InvalidInput(field="period", reason=f"is not over before {state['end']} has passed")
        for line in lines(state):
            click.echo(line)
        if state["confirmed_on"] and not again:
            click.echo(f"confirmed already on {state['confirmed_on']}; --again confirms it anew")
            return 0
        if not yes and not click.confirm("Confirm this period?", err=True):
            click.echo("polku: not confirmed", err=True)
            return 1
        done = rpc.call("pathways", "confirm_period", by=actor(), programme=programme, period=period, again=again)
        click.echo(f"confirmed on {done['on']}")
    return 0


def lines(state: dict[str, Any]) -> Iterator[str]:
    """The state in words; people by the first digits of their code, never by name."""
    yield f"{state['period']}: {state['start']} – {state['end']}"
    yield f"sessions: {state['sessions']}, of which without attendance or head-count: {state['unmarked']['total']}"
    for row in state["unmarked"]["sessions"]:
        yield f"  {row['occurred_on']}  {row['activity']}  {row['session'][:8]}"
    yield from _more(state["unmarked"]["total"], len(state["unmarked"]["sessions"]))
    for row in state["without_outcome"]:
        yield f"{row['activity']}: {row['participants']} participants, of whom without outcome: {row['total']}"
        for person in row["people"]:
            yield f"  person {person[:8]}"
        yield from _more(row["total"], len(row["people"]))
    yield f"open tasks that are late: {state['late_tasks']['total']}"
    for row in state["late_tasks"]["tasks"]:
        yield f"  due {row['due_on']}  {row['rule']}  person {row['person'][:8]}"
    yield from _more(state["late_tasks"]["total"], len(state["late_tasks"]["tasks"]))


def _more(total: int, shown: int) -> Iterator[str]:
    if total > shown:
        yield f"  and {total - shown} more"
