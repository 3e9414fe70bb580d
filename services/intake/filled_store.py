"""Which other partner was asked whether somebody's start form is filled there, and what it answered; a table of its
own."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Date,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)

from services.intake.store import participation, person, vault
from shared.storage import metadata

filled = Table(
    "intake_filled",
    metadata,
    Column("question", LargeBinary, primary_key=True),
    Column("node", String(40), primary_key=True),
    Column("partner", String(40), nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("programme", String(40), nullable=False),
    Column("asked_on", Date),
    Column("answer", String(20)),
    Column("signed_on", Date),
    UniqueConstraint("subject", "node", name="intake_filled_once"),
)
"""The newest question about a person to each node; `answer` null: none yet. `asked_on` null: nobody asked, a referral
from there has told."""


def questions_about(connection: Connection, subject: str) -> Sequence[Any]:
    """The newest question about the person to each node."""
    query = select(filled).where(filled.c.subject == bytes.fromhex(subject))
    return connection.execute(query.order_by(filled.c.partner, filled.c.node)).all()


def put_question(
    connection: Connection,
    question: str,
    programme: str,
    subject: str,
    to: Iterable[tuple[str, str]],
    **columns: Any,
) -> None:
    """Note a question about the person to these (node, partner), in place of earlier ones."""
    raw, nodes = bytes.fromhex(subject), list(to)
    if nodes:
        ours = (filled.c.subject == raw) & filled.c.node.in_([node for node, _ in nodes])
        connection.execute(delete(filled).where(ours))
        row = {"question": bytes.fromhex(question), "subject": raw, "programme": programme, **columns}
        connection.execute(insert(filled), [row | {"node": node, "partner": partner} for node, partner in nodes])


def forget_asked(connection: Connection, subject: bytes) -> None:
    """Forget what was asked about the person, and what was answered; what a referral has told stays."""
    connection.execute(delete(filled).where(filled.c.subject == subject, filled.c.asked_on.is_not(None)))


def forget_unanswered(connection: Connection, subject: bytes, nodes: Iterable[str]) -> None:
    """Forget what these nodes were asked about the person and have not answered."""
    c = filled.c
    waiting = (c.subject == subject) & c.asked_on.is_not(None) & c.answer.is_(None)
    connection.execute(delete(filled).where(waiting, c.node.in_([*nodes])))


def set_answer(
    connection: Connection, programme: str, question: str, node: str, answer: str, signed_on: date | None
) -> bool:
    """Note what the node has answered; False if it was not asked, or was asked anew, or the person is erased."""
    c = filled.c
    this = (c.question == bytes.fromhex(question)) & (c.node == node) & (c.programme == programme)
    values = {"answer": answer, "signed_on": signed_on}
    return bool(connection.execute(update(filled).where(this, c.asked_on.is_not(None)).values(values)).rowcount)


def closed_participants(connection: Connection, programme: str) -> Iterable[Any]:
    """The programme's ESF participants: subject, and the identity still closed."""
    query = (
        select(participation.c.subject, participation.c.person, person.c.wrapped_key, vault.c.box)
        .join(person, person.c.person == participation.c.person)
        .join(vault, (vault.c.person == participation.c.person) & (vault.c.name == "identity"))
        .where(participation.c.programme == programme, participation.c.standing == "esf_participant")
    )
    return connection.execute(query.order_by(participation.c.subject).execution_options(yield_per=500))
