"""The statements behind what was recorded by mistake: scores that go, and which lines said something of steps."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, bindparam, delete, select

from services.reporting.step_tables import step
from services.reporting.store import score


def remove_scores(connection: Connection, stream: str, forms: Sequence[tuple[bytes, bytes]]) -> None:
    """Delete the scores of these forms, each if it is of this person: one pass, however many a batch takes back."""
    c = score.c
    this = (c.stream == stream) & (c.assessment == bindparam("form")) & (c.subject == bindparam("who"))
    connection.execute(delete(score).where(this), [{"form": form, "who": who} for form, who in forms])


def steps_of(connection: Connection, stream: str, subject: bytes, last: int) -> list[tuple[str, str, date, int]]:
    """What the lines up to line `last` say of a person's steps: step, what happened, day, the line; in their order."""
    c = step.c
    query = select(c.step, c.what, c.occurred_on, c.seq).order_by(c.seq)
    theirs = query.where(c.stream == stream, c.subject == subject, c.seq <= last)
    return [(key, what, day, seq) for key, what, day, seq in connection.execute(theirs)]
