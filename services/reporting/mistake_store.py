"""The statement that takes back scores of forms that were recorded by mistake."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete

from services.reporting.store import score


def remove_scores(connection: Connection, stream: str, forms: Sequence[tuple[bytes, bytes]]) -> None:
    """Delete the scores of these forms, each if it is of this person: one pass, however many a batch takes back."""
    c = score.c
    this = (c.stream == stream) & (c.assessment == bindparam("form")) & (c.subject == bindparam("who"))
    connection.execute(delete(score).where(this), [{"form": form, "who": who} for form, who in forms])
