"""People coming in."""

from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from services.intake import operations, store
from services.intake.domain import Arrival
from services.intake.operations import Vault
from services.intake.peers import Desk
from shared.journal import Journal
from shared.journal.crypto import Keys
from shared.journal.post import Head
from shared.journal.posting import put_letter
from shared.ops.clock import wire_time
from shared.storage import transaction
from tests.services.kit import KEY, NODE, NOW, key_of, put_programme

KEYS = Vault({1: b"v" * 32}, b"i" * 32)
DESK = Desk(NODE, Keys(()), Path("nowhere"))
"""Of a node that knows no other and writes no letter."""


def letter_waits(engine: Engine, subject: str) -> None:
    """A letter about this person has not left."""
    head = Head("1" * 32, KEY, NODE, "other-00000002", "2" * 32, "", wire_time(NOW))
    with transaction(engine) as connection:
        put_letter(connection, head, b"sealed", NOW, subject)


IDENTITY = {
    "given_name": "Äikkä-Testinimi",
    "family_name": "Öystilä",
    "birth_date": "1981-02-03",
    "identity_code": "030281-999N",
    "token": "sinikettu7",
    "form_kept": "kaapissa-kolme",
}
RECORD = {"gender": "f", "municipality": "609", "area": "sampola", "education": 3, "rural": "refused"}


def arrival(name: str = "a", standing: str = "esf_participant", **changes: Any) -> Arrival:
    """An ESF participant who started on 1 March 2016; `changes` replace members."""
    start = date(2016, 3, 1) if standing == "esf_participant" else None
    given: dict[str, Any] = {"start_date": start, "record": dict(RECORD), "identity": dict(IDENTITY)} | changes
    return Arrival(key_of(name), standing, **given)


def known(engine: Engine) -> Journal:
    """The journal of a node whose intake knows programme 3."""
    put_programme(engine, store.shelf)
    return Journal(engine, NODE)


def register(journal: Journal, *arrivals: Arrival, **options: Any) -> tuple[list[dict[str, Any]], int | None]:
    """`register_participants` by one case worker."""
    given: dict[str, Any] = {"by": "worker", "now": NOW} | options
    return operations.register_participants(journal, KEYS, given.pop("programme", KEY), arrivals, **given)
