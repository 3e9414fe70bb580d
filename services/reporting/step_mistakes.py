"""What a node says of times on steps that were none: their rows go, whatever order the days have."""

from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from services.reporting.step_tables import step
from shared.contracts.facts import Fact

if TYPE_CHECKING:
    from services.reporting.effects import Derivation

_WHAT = {"entered_on": "entered", "left_on": "left", "paused_on": "paused", "resumed_on": "resumed"}
"""What happened on the day of each member of the facts."""


def removed(made: "Derivation", fact: Fact) -> str | None:
    """Take back what `StepRemoved` and `PauseRemoved` name: of equal rows the last. What is not there, because its line
    was refused, has not to be undone."""
    rows, table = made.effects.rows["reporting_step"], step.c
    key = {"subject": bytes.fromhex(str(fact.subject)), "step": made.programme.now("steps", fact["step"])}
    for member in (name for name in _WHAT if name in fact.members and fact[name]):
        told = {**key, "what": _WHAT[member], "day": fact[member]}
        pending = [at for at, row in rows.items() if row is not None and _said(row) == told]
        if not pending:
            query = select(func.max(table.seq)).where(table.stream == made.stream, table.subject == told["subject"])
            query = query.where(table.step == told["step"], table.what == told["what"])
            query = query.where(table.occurred_on == date.fromisoformat(fact[member]))
            query = query.where(table.seq.not_in([seq for (_, seq), row in rows.items() if row is None]))
            seq = made.connection.execute(query).scalar_one()
            pending = [] if seq is None else [(made.stream, seq)]
        if pending:
            rows[max(pending)] = None
    return None


def _said(row: dict[str, Any]) -> dict[str, Any]:
    return {"subject": row["subject"], "step": row["step"], "what": row["what"], "day": str(row["occurred_on"])}
